/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets by the name that they have in the configuration: "192.0.2.1:443", or a path.
 * The monitor keeps those of the generation that serves and gives them to the next, so that no
 * connection is refused in between.
 */
#ifndef STIPAD_SOCKETS_H
#define STIPAD_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "config/config.h"
#include "ipc/control.h"

#define SOCKETS_MAX (CONFIG_LIST_MAX + 1) /* the public ones and the local one */

struct socket_named {
	char name[IPC_CONTROL_TEXT];
	int fd;
	struct stat file; /* of a path: so that only our own is removed */
};

struct sockets {
	struct socket_named item[SOCKETS_MAX];
	size_t n;
};

/* Takes @fd; false when there is no room for it, and it is closed. */
bool sockets_add(struct sockets *sockets, const char *name, int fd);
const struct socket_named *sockets_find(const struct sockets *sockets, const char *name);
bool socket_is_local(const struct socket_named *socket);

/* Is the file of a local socket still there? */
bool socket_has_file(const struct socket_named *socket);

/* Send copies of all over a control pair. */
bool sockets_send(const struct sockets *sockets, int control_fd, struct error *error) MUST_CHECK;

/* All of @from that @to does not have; the others are closed. */
void sockets_move(struct sockets *to, struct sockets *from);

/* Close all. */
void sockets_close(struct sockets *sockets);

/* Close all, and remove the files of those that @heir (or NULL) does not have. */
void sockets_remove(struct sockets *sockets, const struct sockets *heir);

#endif
