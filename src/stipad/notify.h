/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service manager is told, as sd_notify(3) has it: datagrams of NAME=value lines to the
 * socket that NOTIFY_SOCKET names, a path or, with @ in front, an abstract name.  Without the
 * variable nothing is said.  The variables are taken out of the environment: no other process
 * speaks for the service.
 */
#ifndef STIPAD_NOTIFY_H
#define STIPAD_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody asks */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t watchdog_us; /* how often it wants to hear from us; 0: never */
};

void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Each with a STATUS= of one line; NULL: none. */
void notify_ready(const struct notify *notify, const char *status);
void notify_reloading(const struct notify *notify, const char *status);
void notify_stopping(const struct notify *notify, const char *status);
void notify_status(const struct notify *notify, const char *status);

/* WATCHDOG=1: we live. */
void notify_alive(const struct notify *notify);

#endif
