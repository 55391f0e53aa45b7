/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as the monitor sees it: the process that leads it, what it says, and its sockets. */
#ifndef STIPAD_LEADER_H
#define STIPAD_LEADER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/error.h"
#include "ipc/control.h"
#include "sockets.h"

struct monitor;

enum leader_place {
	LEADER_SERVES,
	LEADER_COMES, /* shall serve as soon as it is ready */
	LEADER_LEAVES,
};

struct leader {
	LIST_ENTRY(leader) link;
	struct monitor *monitor;
	unsigned int number;
	pid_t pid;
	enum leader_place place;
	struct ipc_control *control;
	bool dismissed; /* told to drain and to end */
	struct sockets sockets;
	bool stands; /* all its children live */
	bool ready;
	bool greeted;		    /* the monitor has taken note that it stands */
	char why[IPC_CONTROL_TEXT]; /* it is not ready, or cannot start */
	unsigned int silent;	    /* ticks since it was heard last */
	int64_t started_ms;
};

/* Start a process and give it copies of @inherited.  NULL without one. */
struct leader *leader_start(struct monitor *monitor, unsigned int number, enum leader_place place,
			    const struct sockets *inherited, struct error *error);

/* Its process has ended.  Its sockets have been closed or taken by others. */
void leader_free(struct leader *leader);

/* BEGIN, HAND_OVER or REFUSED.  One that does not take it is killed. */
void leader_say(struct leader *leader, enum ipc_control_kind kind);

/* Let it drain and end: whatever else it does, it does now. */
void leader_dismiss(struct leader *leader);

#endif
