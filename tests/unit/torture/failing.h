/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail when a test wants it: those of our own code, which the linker sends here
 * (failing_ldflags of Makefile.am), and those of jansson, libevent and OpenSSL, which have hooks.
 */
#ifndef TORTURE_FAILING_H
#define TORTURE_FAILING_H

#include <stdbool.h>

enum failing {
	FAILING_ONE,	/* this one, and no other */
	FAILING_ONWARD, /* this one and every later one */
};

/* Before anything takes memory; false when a library has done so already. */
bool failing_set_hooks(void);

/* From here on there is memory again, until the scenario ends. */
void failing_stop(void);

/* What is allocated while it holds is the test's own and never fails; holds nest. */
void failing_hold(bool hold);

/* For a process that may end of it: from now on the @first allocation fails, and how many did. */
void failing_start(long first, enum failing how);
long failing_count(void);

struct torture {
	long allocations; /* how many there were to fail */
	long lost;	  /* what was not given back, but for OpenSSL's: that keeps some for ever */
};

/* Run @scenario undisturbed, then with its first allocation failing, its second, and so on until
 * none is left to fail. */
struct torture torture(void (*scenario)(void), enum failing how);

#endif
