/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process may still ask of the kernel, once it has opened what it works with.
 *
 * A profile is a set of parts; each part is some rows of the table in src/confine/rules.c.  A call
 * is one of three things: allowed; forbidden (it fails with EPERM, and a line of the log names it);
 * or fatal: the kernel ends the process with SIGSYS before the call does anything.  Fatal is what
 * no honest defect does: another program, process or thread, reading another process, a new socket.
 *
 * A thread that has SIGSYS blocked, as it has before its first line, cannot be told of a refusal:
 * there it is fatal.
 *
 * No privilege is needed, nor anything of the service manager.  A build without confinement
 * (configure --disable-confinement, and every build with sanitizers, whose runtimes need what is
 * forbidden here) says so in its log and goes on.
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

/* Every process has the memory, the clocks and the descriptors that it holds. */
enum confine_part {
	CONFINE_SERVES = 1 << 0, /* accepts connections from listeners that it holds */
	CONFINE_DIALS = 1 << 1,	 /* connects; needs at least one family of the next three */
	CONFINE_UNIX = 1 << 2,	 /* new sockets of AF_UNIX */
	CONFINE_INET = 1 << 3,	 /* of AF_INET */
	CONFINE_INET6 = 1 << 4,	 /* of AF_INET6 */
	CONFINE_READS = 1 << 5,	 /* opens files, to read */
	CONFINE_RECORDS =
		1 << 6, /* locks a file that it holds, writes at a place of it, and syncs */
};

struct confine_profile {
	unsigned int parts;
	const struct log *log;	   /* forbidden calls are told here; lives as long as the process */
	_Atomic uint64_t *refused; /* counts them; or NULL */
};

/* Confine this process and all its threads, for good.  Once in a process. */
bool confine_enter(const struct confine_profile *profile, struct error *error) MUST_CHECK;

/* false: this build has no confinement, and confine_enter() only says so. */
bool confine_is_built(void);

#endif
