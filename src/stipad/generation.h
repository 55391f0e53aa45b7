/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation: all that runs by one configuration, from the first child's start until the last
 * one has ended.
 *
 * A child that dies is replaced.  One that ends by itself with an error, before it has settled for
 * the first time, cannot start at all: then the generation ends, and says so.
 */
#ifndef STIPAD_GENERATION_H
#define STIPAD_GENERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "children.h"
#include "http/tls.h"
#include "listeners.h"

struct config;
struct event;
struct event_base;
struct metrics;

struct generation {
	const struct config *config;
	const struct log *log;
	pid_t pid; /* the process that forks the children */
	struct event_base *base;
	struct listeners *listeners;
	struct metrics *metrics;
	struct log own_log; /* that counts what it drops */
	uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	struct child children[CHILDREN_MAX]; /* the authority, then the edges */
	size_t n;
	struct event *too_late; /* to drain */
	bool draining;
	int status; /* of exit, once it has ended */
};

/* The generation's fields are used by children.c and its neighbours; others call these.
 * Ends the loop of @base when the last child has gone. */
bool generation_make(struct generation *generation, const struct config *config,
		     const struct log *log, struct event_base *base, struct listeners *listeners,
		     struct error *error) MUST_CHECK;
void generation_clear(struct generation *generation);

/* Start all children. */
void generation_start(struct generation *generation);

/* Close the listeners and let all children drain at once, and kill what takes too long. */
void generation_drain(struct generation *generation);

/* Processes have ended. */
void generation_reap(struct generation *generation);

/* Where a process counts the lines that its log has dropped. */
_Atomic uint64_t *generation_dropped(struct generation *generation, unsigned int slot);

#endif
