/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for work that would hold the event loop up: password hashing and
 * signing.  A job is split in two.  perform() runs on a thread and touches only
 * the job; apply() runs on the loop and may touch everything else.
 *
 * Only the loop calls what stands here, and it never waits for a thread, but at the end.
 */
#ifndef LOOP_WORKPOOL_H
#define LOOP_WORKPOOL_H

#include <stdbool.h>

struct event_base;
struct workpool;

struct work {
	void (*perform)(struct work *work);
	void (*apply)(struct work *work);
	struct work *next; /* the pool's */
};

/* @threads at most; NULL: not even one, or no memory. */
struct workpool *workpool_new(struct event_base *base, int threads, int queue_max);

/* For work that anybody can ask for and that costs much.  From now on the threads run when nothing
 * else on the machine wants to, and each takes no more than @percent of a core: for a moment all of
 * it, then it rests between the jobs. */
void workpool_give_way(struct workpool *pool, int percent);

void workpool_free(struct workpool *pool); /* waits for the jobs that run; accepts NULL */

/* False when the queue is full: the caller answers 503 rather than wait. */
bool workpool_submit(struct workpool *pool, struct work *work);

#endif
