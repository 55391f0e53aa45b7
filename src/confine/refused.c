/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* REG_RAX */
#include "refused.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#include <seccomp.h>

#define LINES_MAX 100 /* of one process: whoever makes it ask again and again fills no disk */
#define CALLS_MAX 512

/*
 * A handler of signals has no argument: what it needs stands here.  Written once, before the filter
 * is loaded, but for the number of lines.
 */
static struct {
	const struct log *log;
	_Atomic uint64_t *count;
	const char *names[CALLS_MAX]; /* of calls, by number */
	_Atomic unsigned int lines;
} refused;

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#else
#error "confinement: say where this processor has the result of a system call, or --disable-confinement"
#endif

static const char *name_of(int call)
{
	return call >= 0 && call < CALLS_MAX ? refused.names[call] : NULL;
}

/* It comes in the midst of a call of the C library, which may hold any of its locks: log_write()
 * takes none, and no memory. */
static void tell(int call)
{
	unsigned int line = atomic_fetch_add_explicit(&refused.lines, 1, memory_order_relaxed);

	if (refused.count != NULL)
		atomic_fetch_add_explicit(refused.count, 1, memory_order_relaxed);
	if (line < LINES_MAX)
		log_error(refused.log, "system call refused", LOG_TEXT("call", name_of(call)),
			  LOG_NUMBER("number", call));
	if (line == LINES_MAX)
		log_error(refused.log, "system calls refused: no more of them are told");
}

static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	tell(info->si_syscall);
	RESULT((ucontext_t *)context) = -EPERM;
}

bool refused_heed(const struct confine_profile *profile, struct error *error)
{
	struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };

	refused.log = profile->log;
	refused.count = profile->refused;
	for (int call = 0; call < CALLS_MAX; call++)
		refused.names[call] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
	if (sigaction(SIGSYS, &action, NULL) != 0)
		return error_set(error, ERROR_INTERNAL, "SIGSYS: %s", strerror(errno));
	return true;
}
