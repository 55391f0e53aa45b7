/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static bool open_local(struct listeners *listeners, const char *path, struct error *error)
{
	if (!make_room(path, error))
		return false;
	listeners->local_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listeners->local_fd < 0 || !bind_local(listeners->local_fd, path))
		return error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", path, strerror(errno));
	listeners->local_path = path;
	if (lstat(path, &listeners->local_file) != 0 ||
	    listen(listeners->local_fd, LOCAL_BACKLOG) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "%.100s: %s", path, strerror(errno));
	return true;
}

/* ---- all ---- */

bool listeners_open(struct listeners *listeners, const struct config *config, struct error *error)
{
	*listeners = (struct listeners){ .local_fd = -1 };
	for (; listeners->n < config->listen.n; listeners->n++) {
		int fd = listen_on(config->listen.item[listeners->n], error);

		if (fd < 0)
			return false;
		listeners->fds[listeners->n] = fd;
	}
	return open_local(listeners, config->local_socket, error);
}

static void remove_local(const struct listeners *listeners)
{
	struct stat file;

	if (lstat(listeners->local_path, &file) == 0 &&
	    file.st_dev == listeners->local_file.st_dev &&
	    file.st_ino == listeners->local_file.st_ino)
		unlink(listeners->local_path);
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		close(listeners->fds[i]);
	listeners->n = 0;
	if (listeners->local_path != NULL)
		remove_local(listeners);
	listeners->local_path = NULL;
	if (listeners->local_fd >= 0)
		close(listeners->local_fd);
	listeners->local_fd = -1;
}
