/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a generation: one authority and its edges, each in a place of its own, which
 * outlives it.  A place whose process has died gets another one, after a wait.
 */
#ifndef STIPAD_CHILDREN_H
#define STIPAD_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "ipc/control.h"

struct event;
struct generation;
struct log;

#define EDGES_MAX    64
#define CHILDREN_MAX (1 + EDGES_MAX)

/* Of the metrics. */
#define MONITOR_SLOT   0
#define AUTHORITY_SLOT 1

struct child {
	struct generation *generation;
	unsigned int number; /* of its slot in the metrics: 1 the authority, then the edges */
	char name[16];	     /* "authority", "edge-1" */
	int (*work)(struct child *child, const struct log *log, int control_fd);
	pid_t pid;		     /* 0: there is none now */
	struct ipc_control *control; /* NULL without a process */
	bool dismissed;		     /* told to drain and to end */
	bool heard;		     /* it has said how it is */
	bool ready;
	char why[IPC_CONTROL_TEXT]; /* it is not ready, or cannot start */
	unsigned int silent;	    /* ticks since it was heard last */
	int64_t started_ms;
	unsigned int backoff_ms;
	unsigned int times; /* it was started */
	struct event *again;
};

/* children.c */

/* A place: number 1 is the authority's, the others are edges'. */
bool child_make(struct child *child, struct generation *generation, unsigned int number,
		struct error *error) MUST_CHECK;
void child_clear(struct child *child);

/* Start its process and give it its peers; what fails is tried again later. */
void child_start(struct child *child);

/* As child_start(), after a wait that grows each time. */
void child_start_later(struct child *child);

/* Its process has ended: log it and empty the place.  How long it lived, in milliseconds. */
int64_t child_bury(struct child *child, int how);

/* It has lived long enough to have started well. */
bool child_has_settled(int64_t alive_ms);

/* Tell it something; one that does not take it is of no use any more, and is killed. */
void child_say(struct child *child, enum ipc_control_kind kind, int take_fd);

/* Tell it to drain and to end, and start no other. */
void child_dismiss(struct child *child);

/* Start no other, should it end. */
void child_is_last(struct child *child);

/* A second has passed.  One that has been silent for so many is killed, to be replaced; 0: never.
 */
void child_tick(struct child *child, unsigned int silent_max);

bool child_is_authority(const struct child *child);

/* child_work.c: what the process does from fork() on. */
_Noreturn void child_main(struct child *child, int control_fd);
int edge_work(struct child *child, const struct log *log, int control_fd);
int authority_work(struct child *child, const struct log *log, int control_fd);

/* pairs.c: connect a process that has just started with each of the other kind. */
void pairs_give(struct child *child);

#endif
