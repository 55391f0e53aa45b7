/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation: all that runs by one configuration and one program.  It is a process of its own,
 * which the monitor starts.  It binds the sockets that it has not inherited, forks one authority
 * and the edges, gives each pair of them a stream, and puts a new process in the place of one that
 * died or that has been silent for hang_timeout_ms.
 *
 * A child that dies is started again 100 ms later, then each time after twice as long, up to 2 s;
 * 2 s alive count as a new beginning.  One that ends by itself with an error before it has lived 10
 * s for the first time cannot start at all: then the generation ends, and says so.
 *
 * Over its control pair (ipc/control.h) it is given sockets, then START, then, at once or when it
 * has said that it is ready, BEGIN; later HAND_OVER, or the end, which means "drain".  It says
 * SOCKET for each of its own, and from when all of its children live, each second how it is.
 */
#ifndef STIPAD_GENERATION_H
#define STIPAD_GENERATION_H

#include "base/log.h"

struct config;

/* Run until drained.  The exit status of the process: 1 when it could not start, or when a child
 * had to be killed. */
int generation_run(const struct config *config, const struct log *log, int control_fd);

/* There is none to run, as the configuration is no good: say so to the monitor. */
void generation_refuse(int control_fd, const char *why);

#endif
