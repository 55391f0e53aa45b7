/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool socket_is_local(const struct socket_named *socket)
{
	return socket->name[0] == '/';
}

bool sockets_add(struct sockets *sockets, const char *name, int fd)
{
	struct socket_named *added = &sockets->item[sockets->n];

	if (sockets->n == SOCKETS_MAX) {
		close(fd);
		return false;
	}
	*added = (struct socket_named){ .fd = fd };
	snprintf(added->name, sizeof(added->name), "%s", name);
	if (socket_is_local(added))
		(void)lstat(name, &added->file);
	sockets->n++;
	return true;
}

const struct socket_named *sockets_find(const struct sockets *sockets, const char *name)
{
	for (size_t i = 0; i < sockets->n; i++) {
		if (strcmp(sockets->item[i].name, name) == 0)
			return &sockets->item[i];
	}
	return NULL;
}

bool socket_has_file(const struct socket_named *socket)
{
	struct stat file;

	return lstat(socket->name, &file) == 0 && file.st_dev == socket->file.st_dev &&
	       file.st_ino == socket->file.st_ino;
}

bool sockets_send(const struct sockets *sockets, int control_fd, struct error *error)
{
	for (size_t i = 0; i < sockets->n; i++) {
		int copy = fcntl(sockets->item[i].fd, F_DUPFD_CLOEXEC, 3);

		if (copy < 0)
			return error_set(error, ERROR_UNAVAILABLE, "dup: %s", strerror(errno));
		if (!ipc_control_send(control_fd, IPC_CONTROL_SOCKET, sockets->item[i].name, copy,
				      error))
			return false;
	}
	return true;
}

void sockets_move(struct sockets *to, struct sockets *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct socket_named *item = &from->item[i];

		if (sockets_find(to, item->name) != NULL)
			close(item->fd);
		else
			sockets_add(to, item->name, item->fd);
	}
	from->n = 0;
}

void sockets_close(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		close(sockets->item[i].fd);
	sockets->n = 0;
}

void sockets_remove(struct sockets *sockets, const struct sockets *heir)
{
	for (size_t i = 0; i < sockets->n; i++) {
		const struct socket_named *old = &sockets->item[i];

		if (socket_is_local(old) && socket_has_file(old) &&
		    (heir == NULL || sockets_find(heir, old->name) == NULL))
			unlink(old->name);
	}
	sockets_close(sockets);
}
