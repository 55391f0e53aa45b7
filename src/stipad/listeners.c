/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG	      1024
#define LOCAL_BACKLOG 64
#define LOCAL_MASK    0117 /* mode 0660 */

/* ---- public ---- */

/* "192.0.2.1:443" or "[2001:db8::1]:443"; config has checked the form. */
static socklen_t parse(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	const char *colon = strrchr(text, ':');
	in_port_t port = htons((uint16_t)atoi(colon + 1));
	bool is_v6 = text[0] == '[';
	char host[INET6_ADDRSTRLEN] = "";

	memset(address, 0, sizeof(*address));
	memcpy(host, text + is_v6, (size_t)(colon - text) - 2 * is_v6);
	if (is_v6) {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		inet_pton(AF_INET6, host, &v6->sin6_addr);
		return sizeof(*v6);
	}
	*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
	inet_pton(AF_INET, host, &v4->sin_addr);
	return sizeof(*v4);
}

static bool set_options(int fd, int family)
{
	const int on = 1;

	/* what is accepted inherits TCP_NODELAY: one call here, none for each connection */
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       (family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
}

/* A listening socket, or -1. */
static int listen_on(const char *text, struct error *error)
{
	struct sockaddr_storage address;
	socklen_t len = parse(text, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && set_options(fd, address.ss_family) &&
	    bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error_set(error, ERROR_UNAVAILABLE, "listen on %.60s: %s", text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---- local ---- */

static struct sockaddr_un local_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool connected =
		fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			    errno == EAGAIN); /* its backlog is full */

	if (fd >= 0)
		close(fd);
	return connected;
}

/* Remove what a node that died has left. */
static bool make_room(const char *path, struct error *error)
{
	const struct sockaddr_un address = local_address(path);
	struct stat file;

	if (lstat(path, &file) != 0)
		return errno == ENOENT ||
		       error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", path, strerror(errno));
	if (!S_ISSOCK(file.st_mode))
		return error_set(error, ERROR_UNAVAILABLE, "%.100s: is no socket", path);
	if (somebody_listens(&address))
		return error_set(error, ERROR_UNAVAILABLE, "%.100s: somebody listens there", path);
	return unlink(path) == 0 ||
	       error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", path, strerror(errno));
}

static bool bind_local(int fd, const char *path)
{
	const struct sockaddr_un address = local_address(path);
	mode_t mask = umask(LOCAL_MASK);
	bool bound = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	umask(mask);
	return bound;
}

/* A listening socket, or -1. */
static int listen_at(const char *path, struct error *error)
{
	int fd;

	if (!make_room(path, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_local(fd, path) && listen(fd, LOCAL_BACKLOG) == 0)
		return fd;
	error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---- all ---- */

/* One whose file has gone is reached by nobody any more. */
static bool can_be_kept(const struct socket_named *socket)
{
	return socket != NULL && (!socket_is_local(socket) || socket_has_file(socket));
}

static bool open_one(struct sockets *listeners, const char *name, const struct sockets *inherited,
		     struct error *error)
{
	const struct socket_named *old = sockets_find(inherited, name);
	int fd;

	if (sockets_find(listeners, name) != NULL)
		return error_set(error, ERROR_INVALID, "listen on %.60s: named twice", name);
	if (can_be_kept(old))
		fd = fcntl(old->fd, F_DUPFD_CLOEXEC, 3);
	else
		fd = name[0] == '/' ? listen_at(name, error) : listen_on(name, error);
	if (fd < 0)
		return error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", name, strerror(errno));
	return sockets_add(listeners, name, fd);
}

static bool open_all(struct sockets *listeners, const struct config *config,
		     const struct sockets *inherited, struct error *error)
{
	for (size_t i = 0; i < config->listen.n; i++) {
		if (!open_one(listeners, config->listen.item[i], inherited, error))
			return false;
	}
	return open_one(listeners, config->local_socket, inherited, error);
}

bool listeners_open(struct sockets *listeners, const struct config *config,
		    const struct sockets *inherited, struct error *error)
{
	listeners->n = 0;
	if (open_all(listeners, config, inherited, error))
		return true;
	sockets_remove(listeners, inherited);
	return false;
}
