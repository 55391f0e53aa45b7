/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in milliseconds. */
#ifndef STIPAD_TIMING_H
#define STIPAD_TIMING_H

#include <event2/event.h>

static inline void timing_set(struct event *timer, long ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(timer, &after);
}

#endif
