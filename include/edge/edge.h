/* SPDX-License-Identifier: Apache-2.0 */
/* The process that faces the internet: TLS, strict HTTP, routes.  No database, no signing key. */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "http/tls.h"

struct address_limits;
struct config;
struct meter;
struct metrics;

struct edge_options {
	const struct config *config;
	const struct log *log;
	struct address_limits *limits; /* shared by the edges; NULL: none */
	const struct metrics *metrics; /* what /metrics prints */
	struct meter *meter;	       /* where this process counts */
	int control_fd;	      /* ipc/control.h: brings the authority; its end means drain */
	bool waits;	      /* accepts nothing before it is told to begin */
	const int *listeners; /* bound and listening, shared with the other edges */
	size_t n_listeners;
	int local_fd; /* listening on the local socket: /livez, /readyz */
	uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	bool confined; /* for good, once everything is open */
};

/* Run until drained; returns the exit status of the process. */
int edge_run(const struct edge_options *options);

#endif
