/* SPDX-License-Identifier: Apache-2.0 */
/* What generation.c, children.c and their neighbours share. */
#ifndef STIPAD_GENERATION_OWN_H
#define STIPAD_GENERATION_OWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "children.h"
#include "http/tls.h"
#include "signals.h"
#include "sockets.h"

struct address_limits;
struct config;
struct event;
struct event_base;
struct ipc_control;
struct metrics;

struct generation {
	const struct config *config;
	const struct log *log;
	pid_t pid; /* the process that forks the children */
	struct event_base *base;
	struct signals signals;
	struct ipc_control *monitor;
	bool tells; /* the monitor how it is */

	struct sockets sockets;
	int listeners[CONFIG_LIST_MAX]; /* of them, the public ones */
	size_t n_listeners;
	int local_fd;

	struct metrics *metrics;
	struct address_limits *limits; /* of its edges together */
	struct log own_log;	       /* that counts what it drops */
	uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	struct child children[CHILDREN_MAX]; /* the authority, then the edges */
	size_t n;
	bool begun;		    /* its edges accept, or shall as soon as they live */
	char why[IPC_CONTROL_TEXT]; /* it is not ready, as told last */
	struct event *tick;	    /* looks for silent children */
	struct event *too_late;	    /* to drain */
	bool leaving;		    /* children that end are not replaced */
	bool draining;
	int status; /* of exit, once it has ended */
};

/* Where a process counts the lines that its log has dropped. */
_Atomic uint64_t *generation_dropped(struct generation *generation, unsigned int slot);

/* generation_make.c: all that it needs before its children start. */
bool generation_make(struct generation *generation, int control_fd, struct error *error) MUST_CHECK;
void generation_clear(struct generation *generation);

/* Events: of its loop, and of its control pair. */
void generation_on_signal(void *arg, uint32_t signal_number);
void generation_on_tick(int fd, short what, void *arg);
void generation_on_late(int fd, short what, void *arg);
void generation_on_message(void *arg, const struct ipc_control_message *message);
void generation_on_end(void *arg);

/* A child has said how it is. */
void generation_heard(struct generation *generation);

#endif
