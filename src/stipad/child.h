/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From fork() to the work of a child: what every new process does first, in this order.
 *
 *   signals       back to their defaults; those of a terminal are the monitor's alone
 *   user          of its own, where one is configured
 *   parent        die with it, whatever else happens
 *   name          as ps and the log show it
 *   descriptors   close all but its own
 *   limits        on what it will have
 *   dumps         none: a core would hold keys and credentials
 *   privileges    none
 *
 * Then it opens what it works with, and enters its confinement (confine/confine.h).
 */
#ifndef STIPAD_CHILD_H
#define STIPAD_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define CHILD_FDS_MAX 32

struct child_start {
	pid_t parent;	  /* that forked us */
	const char *name; /* "edge-1" */
	int fds[CHILD_FDS_MAX];
	size_t n_fds;		  /* it keeps, beside 0, 1 and 2 */
	const char *user;	  /* NULL: who we are */
	unsigned int descriptors; /* at most; 0: as many as the monitor may have */
	bool threads;		  /* it starts some */
};

/* In the child, once. */
bool child_enter(const struct child_start *start, struct error *error) MUST_CHECK;

#endif
