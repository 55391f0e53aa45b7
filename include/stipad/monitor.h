/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that starts and keeps the others: it binds the sockets, makes the TLS ticket key,
 * forks one authority and the edges, gives each pair of them a stream, and puts a new process in
 * the place of one that died.  It parses nothing that comes from outside.
 *
 * A child that dies is started again 100 ms later, then each time after twice as long, up to 2 s;
 * 10 s alive count as a new beginning.  One that ends by itself with an error before it has lived
 * so long for the first time cannot start at all: then the node ends, and says so.
 *
 * SIGTERM and SIGINT close the control pairs, which means "drain"; what has not ended
 * drain_timeout_ms and a second later is killed.  The children die with the monitor.
 */
#ifndef STIPAD_MONITOR_H
#define STIPAD_MONITOR_H

#include "base/log.h"

struct config;

/* Run until a signal ends it.  The exit status of the process: 1 when it could not start, or when
 * a child had to be killed. */
int monitor_run(const struct config *config, const struct log *log);

#endif
