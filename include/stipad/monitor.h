/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that the service manager knows.  It parses nothing: it starts a generation
 * (stipad/generation.h), keeps copies of its sockets, and starts another when that one dies.
 *
 * SIGHUP starts the next generation beside it, by the configuration, certificates and program that
 * lie on the disk now.  When that is ready, it accepts and the old one hands over: it accepts no
 * more, answers what is under way and what its guests ask once more, and ends.  One that ends, or
 * is not ready in time, changes nothing: the log and the service manager are told why.
 *
 * SIGTERM and SIGINT let all generations drain.  A generation that has been silent for 20 s is
 * killed.  All processes die with the monitor.
 *
 * If the first generation cannot start, the node ends.
 */
#ifndef STIPAD_MONITOR_H
#define STIPAD_MONITOR_H

#include "base/log.h"

struct monitor_options {
	const struct log *log;
	unsigned int ready_ms; /* a new generation has to become ready; 0: 20 s */

	/* In a new process: be generation @number, with its end of the control pair.  Does not
	 * return. */
	void (*become)(void *arg, unsigned int number, int control_fd);
	void *arg;
};

/* Run until a signal ends it.  The exit status of the process: 1 when it could not start, or when
 * a process had to be killed. */
int monitor_run(const struct monitor_options *options);

#endif
