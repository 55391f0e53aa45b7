/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of the loop. */
#ifndef STIPAD_SIGNALS_H
#define STIPAD_SIGNALS_H

#include <stdint.h>

#include "base/error.h"

struct event;
struct event_base;

struct signals {
	int fd; /* -1: none */
	struct event *readable;
	void (*on_signal)(void *arg, uint32_t signal_number);
	void *arg;
};

/* From here on SIGCHLD, SIGTERM, SIGINT and SIGHUP come to @on_signal, and to nobody else. */
bool signals_open(struct signals *signals, struct event_base *base,
		  void (*on_signal)(void *arg, uint32_t signal_number), void *arg,
		  struct error *error) MUST_CHECK;
void signals_close(struct signals *signals);

#endif
