/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in milliseconds. */
#ifndef STIPAD_TIMING_H
#define STIPAD_TIMING_H

#include <stdint.h>
#include <time.h>

#include <event2/event.h>

static inline int64_t timing_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void timing_set(struct event *timer, long ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(timer, &after);
}

#endif
