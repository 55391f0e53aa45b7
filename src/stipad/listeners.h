/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that the monitor binds and the edges share. */
#ifndef STIPAD_LISTENERS_H
#define STIPAD_LISTENERS_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "config/config.h"

struct listeners {
	int fds[CONFIG_LIST_MAX];
	size_t n;
	int local_fd; /* -1: none */
	const char *local_path;
	struct stat local_file; /* so that only our own is removed at the end */
};

/* Bind all and listen.  A socket file on which nobody listens is replaced. */
bool listeners_open(struct listeners *listeners, const struct config *config,
		    struct error *error) MUST_CHECK;

/* Close all and remove the socket file, if it is still ours. */
void listeners_close(struct listeners *listeners);

#endif
