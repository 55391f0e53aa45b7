/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* O_TMPFILE */
#include "rules.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "confine/confine.h"

/* Bits that change what a call does to the world, beside reading. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

#define CALL(name) .call = SCMP_SYS(name)
/* Argument @n has, of the bits @mask, just @bits. */
#define BITS(n, mask, bits)                                                                        \
	.when = { SCMP_CMP((n), SCMP_CMP_MASKED_EQ, (mask), (bits)) }, .n_when = 1
#define IS(n, value)	 .when = { SCMP_CMP((n), SCMP_CMP_EQ, (value)) }, .n_when = 1
#define IS_NOT(n, value) .when = { SCMP_CMP((n), SCMP_CMP_NE, (value)) }, .n_when = 1

#define SOCKETS (CONFINE_SERVES | CONFINE_DIALS)

/* What is not here fails. */
const struct rule confine_rules[] = {
	/* descriptors that are there */
	{ EVERYBODY, 0, ALLOW, CALL(read) },
	{ EVERYBODY, 0, ALLOW, CALL(readv) },
	{ EVERYBODY, 0, ALLOW, CALL(write) },
	{ EVERYBODY, 0, ALLOW, CALL(writev) },
	{ EVERYBODY, 0, ALLOW, CALL(close) },
	{ EVERYBODY, 0, ALLOW, CALL(lseek) },
	{ EVERYBODY, 0, ALLOW, CALL(fstat) },
	/* fstat(3) of newer C libraries; with a path beside it, no more than its metadata */
	{ EVERYBODY, CONFINE_DIALS, ALLOW, CALL(newfstatat),
	  BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH) },
	{ EVERYBODY, 0, ALLOW, CALL(fcntl), IS(1, F_GETFL) },
	{ EVERYBODY, 0, ALLOW, CALL(fcntl), IS(1, F_SETFL) },
	{ EVERYBODY, 0, ALLOW, CALL(fcntl), IS(1, F_GETFD) },
	{ EVERYBODY, 0, ALLOW, CALL(fcntl), IS(1, F_SETFD) },
	{ CONFINE_SERVES, 0, ALLOW, CALL(dup) }, /* a spare one */
	{ EVERYBODY, 0, ALLOW, CALL(ioctl), IS(1, FIONREAD) },

	/* the first acts of a thread that was started just before */
	{ EVERYBODY, 0, ALLOW, CALL(set_robust_list) },
	{ EVERYBODY, 0, ALLOW, CALL(rseq) },

	/* waiting */
	{ EVERYBODY, 0, ALLOW, CALL(epoll_wait) },
	{ EVERYBODY, 0, ALLOW, CALL(epoll_pwait) },
	{ EVERYBODY, 0, ALLOW, CALL(epoll_pwait2) },
	{ EVERYBODY, 0, ALLOW, CALL(epoll_ctl) },
	{ EVERYBODY, 0, ALLOW, CALL(poll) },
	{ EVERYBODY, 0, ALLOW, CALL(ppoll) },
	{ EVERYBODY, 0, ALLOW, CALL(futex) },
	{ EVERYBODY, 0, ALLOW, CALL(restart_syscall) }, /* after a SIGCONT */
	{ EVERYBODY, 0, ALLOW, CALL(sched_yield) },

	/* sockets that are there, or come with a message */
	{ SOCKETS, 0, ALLOW, CALL(recvfrom) },
	{ SOCKETS, 0, ALLOW, CALL(recvmsg) },
	{ SOCKETS, 0, ALLOW, CALL(sendto) },
	{ SOCKETS, 0, ALLOW, CALL(sendmsg) },
	{ SOCKETS, 0, ALLOW, CALL(shutdown) },
	{ SOCKETS, 0, ALLOW, CALL(getsockopt) },
	{ SOCKETS, 0, ALLOW, CALL(setsockopt) },
	{ SOCKETS, 0, ALLOW, CALL(getsockname) },
	{ SOCKETS, 0, ALLOW, CALL(getpeername) },
	{ CONFINE_SERVES, 0, ALLOW, CALL(accept4) },

	/* memory that never runs */
	{ EVERYBODY, 0, ALLOW, CALL(brk) },
	{ EVERYBODY, 0, ALLOW, CALL(mmap), BITS(2, PROT_EXEC, 0) },
	{ EVERYBODY, 0, ALLOW, CALL(mprotect), BITS(2, PROT_EXEC, 0) },
	{ EVERYBODY, 0, ALLOW, CALL(mremap) },
	{ EVERYBODY, 0, ALLOW, CALL(munmap) },
	{ EVERYBODY, 0, ALLOW, CALL(madvise) },
	{ EVERYBODY, 0, ALLOW, CALL(munlock) }, /* OpenSSL's locked memory, at the end */

	/* clocks, where they are not read without a call; randomness; who we are */
	{ EVERYBODY, 0, ALLOW, CALL(clock_gettime) },
	{ EVERYBODY, 0, ALLOW, CALL(clock_getres) },
	{ EVERYBODY, 0, ALLOW, CALL(clock_nanosleep) },
	{ EVERYBODY, 0, ALLOW, CALL(nanosleep) },
	{ EVERYBODY, 0, ALLOW, CALL(gettimeofday) },
	{ EVERYBODY, 0, ALLOW, CALL(time) },
	{ EVERYBODY, 0, ALLOW, CALL(getrandom) },
	{ EVERYBODY, 0, ALLOW, CALL(getpid) },
	{ EVERYBODY, 0, ALLOW, CALL(gettid) },
	{ EVERYBODY, 0, ALLOW, CALL(sysinfo) },		  /* qsort(3) */
	{ EVERYBODY, 0, ALLOW, CALL(sched_getaffinity) }, /* malloc(3), with threads */

	/* signals, and the end: abort(3) sends itself one.  The handler of SIGSYS stays ours. */
	{ EVERYBODY, 0, ALLOW, CALL(rt_sigaction), IS_NOT(0, SIGSYS) },
	{ EVERYBODY, 0, ALLOW, CALL(rt_sigprocmask) },
	{ EVERYBODY, 0, ALLOW, CALL(rt_sigreturn) },
	{ EVERYBODY, 0, ALLOW, CALL(tgkill), .of_itself = true },
	{ EVERYBODY, 0, ALLOW, CALL(exit) },
	{ EVERYBODY, 0, ALLOW, CALL(exit_group) },

	/* another program, another process, and threads, which are there already */
	{ EVERYBODY, 0, KILL, CALL(execve) },
	{ EVERYBODY, 0, KILL, CALL(execveat) },
	{ EVERYBODY, 0, KILL, CALL(fork) },
	{ EVERYBODY, 0, KILL, CALL(vfork) },
	{ EVERYBODY, 0, KILL, CALL(ptrace) },
	{ EVERYBODY, 0, KILL, CALL(process_vm_readv) },
	{ EVERYBODY, 0, KILL, CALL(process_vm_writev) },
	{ EVERYBODY, 0, KILL, CALL(pidfd_getfd) },

	{ EVERYBODY, 0, KILL, CALL(clone) },
	{ EVERYBODY, 0, KILL, CALL(clone3) },

	/* new sockets; which families may be, filter.c says */
	{ EVERYBODY, 0, KILL, CALL(socketpair) },
	{ EVERYBODY, 0, KILL, CALL(bind) },
	{ EVERYBODY, 0, KILL, CALL(listen) },
	{ EVERYBODY, 0, KILL, CALL(io_uring_setup) },
	{ EVERYBODY, CONFINE_DIALS, KILL, CALL(connect) },
	{ CONFINE_DIALS, 0, ALLOW, CALL(connect) },
	{ CONFINE_DIALS, 0, ALLOW, CALL(rt_sigpending) },   /* libpq's TLS masks SIGPIPE */
	{ CONFINE_DIALS, 0, ALLOW, CALL(rt_sigtimedwait) }, /* and takes it */

	/* files */
	{ CONFINE_DIALS, 0, ALLOW, CALL(newfstatat) }, /* libpq looks whether ~/.pgpass is there */
	{ CONFINE_DIALS, 0, ALLOW, CALL(stat) },
	{ CONFINE_READS, 0, ALLOW, CALL(openat), BITS(2, WRITING, O_RDONLY) },
	{ CONFINE_READS, 0, ALLOW, CALL(open), BITS(1, WRITING, O_RDONLY) },
	{ CONFINE_RECORDS, 0, ALLOW, CALL(pread64) },
	{ CONFINE_RECORDS, 0, ALLOW, CALL(pwrite64) },
	{ CONFINE_RECORDS, 0, ALLOW, CALL(fdatasync) },
	{ CONFINE_RECORDS, 0, ALLOW, CALL(flock) },
};

const size_t confine_n_rules = sizeof(confine_rules) / sizeof(confine_rules[0]);

bool rule_is_of(const struct rule *rule, unsigned int parts)
{
	return (rule->has == EVERYBODY || (rule->has & parts) != 0) && (rule->lacks & parts) == 0;
}
