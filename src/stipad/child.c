/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* close_range */
#include "child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine/privileges.h"

/* Ignored before they are let through, so that none that waits kills a process that has not yet
 * said for itself what it does with it. */
static void enter_signals(void)
{
	static const int of_the_monitor[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t none;

	for (size_t i = 0; i < sizeof(of_the_monitor) / sizeof(of_the_monitor[0]); i++)
		signal(of_the_monitor[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool enter_parent(pid_t parent, struct error *error)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return error_set(error, ERROR_INTERNAL, "PR_SET_PDEATHSIG: %s", strerror(errno));
	if (getppid() != parent)
		return error_set(error, ERROR_CANCELLED, "the monitor has gone");
	return true;
}

static void enter_name(const char *name)
{
	char comm[16]; /* as long as the kernel keeps it */

	snprintf(comm, sizeof(comm), "stipa-%s", name);
	prctl(PR_SET_NAME, comm);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Close what lies between the descriptors that are kept. */
static bool enter_descriptors(const struct child_start *start, struct error *error)
{
	int keep[CHILD_FDS_MAX];
	unsigned int from = 3;

	memcpy(keep, start->fds, start->n_fds * sizeof(keep[0]));
	qsort(keep, start->n_fds, sizeof(keep[0]), by_number);
	for (size_t i = 0; i <= start->n_fds; i++) {
		unsigned int next = i < start->n_fds ? (unsigned int)keep[i] : UINT_MAX;

		if (next > from && close_range(from, next - (i < start->n_fds), 0) != 0)
			return error_set(error, ERROR_INTERNAL, "close_range: %s", strerror(errno));
		from = next + 1;
	}
	return true;
}

static bool enter_limits(const struct child_start *start, struct error *error)
{
	if (start->descriptors > 0 && !privileges_limit_descriptors(start->descriptors, error))
		return false;
	return start->threads || privileges_limit_processes(error);
}

bool child_enter(const struct child_start *start, struct error *error)
{
	enter_signals();
	if (start->user != NULL && !privileges_become(start->user, error))
		return false;
	if (!enter_parent(start->parent, error))
		return false;
	enter_name(start->name);
	return enter_descriptors(start, error) && enter_limits(start, error) &&
	       privileges_no_dumps(error) && privileges_drop(error);
}
