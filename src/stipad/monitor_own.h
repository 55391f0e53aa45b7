/* SPDX-License-Identifier: Apache-2.0 */
/* What monitor.c and its neighbours share. */
#ifndef STIPAD_MONITOR_OWN_H
#define STIPAD_MONITOR_OWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "leader.h"
#include "notify.h"
#include "signals.h"
#include "stipad/monitor.h"

struct event;
struct event_base;

struct monitor {
	const struct monitor_options *options;
	const struct log *log;
	struct event_base *base;
	struct signals signals;
	struct notify notify;
	struct event *tick;	/* each second: who is silent */
	struct event *alive;	/* to the watchdog */
	struct event *again;	/* start one in the place of one that died */
	struct event *given_up; /* on the one that comes */

	LIST_HEAD(, leader) leaders;
	struct leader *serving; /* NULL: it has died */
	struct leader *coming;
	struct sockets estate; /* of one that died */
	unsigned int number;   /* of the last one started */
	unsigned int backoff_ms;
	bool stood;	/* the node was there once */
	bool once_more; /* asked to reload while it reloads */
	bool draining;
	int status;	/* of exit */
	char told[400]; /* to the service manager */
};

/* reload.c: the generations, one after the other. */

/* Start one that serves from the beginning. */
void monitor_start(struct monitor *monitor);

/* Start one that takes over when it is ready. */
void monitor_reload(struct monitor *monitor);

/* The one that comes has had its time. */
void monitor_give_up(struct monitor *monitor);

/* A generation has said how it is; or its process has ended. */
void monitor_heard(struct leader *leader);
void monitor_bury(struct leader *leader, int how);

/* Let all end, and leave the loop when they have. */
void monitor_drain(struct monitor *monitor);

/* What the node is now, for the service manager. */
void monitor_tell_status(struct monitor *monitor);

#endif
