/* SPDX-License-Identifier: Apache-2.0 */
/* System calls to try, each by a function that gives 0 or an error number. */
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>

/*
 * What happens to a call under each profile, in the order of the test's profiles:
 *   w  it works
 *   r  it is refused with EPERM, and the log names it
 *   k  it kills the process with SIGSYS
 */
struct
try {
	const char *name;
	int (*call)(void);
	const char *expected;
	const char *logged_as; /* with r */
	int may_lack;	       /* not every kernel has it: the control may fail */
};

extern const struct try tries[];
extern const size_t n_tries;

/* Descriptors for the calls, before the first is tried. */
void calls_prepare(const char *folder);

#endif
