/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char file_path[128], other_path[128];
static int file, dialled, unbound, listener, pair[2], loop;
static void *page;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

#define ADDRESS (struct sockaddr *)&address, sizeof(address)

void calls_prepare(const char *folder)
{
	snprintf(file_path, sizeof(file_path), "%s/file", folder);
	snprintf(other_path, sizeof(other_path), "%s/other", folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
	file = open(file_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	dialled = socket(AF_UNIX, SOCK_STREAM, 0);
	unbound = socket(AF_UNIX, SOCK_STREAM, 0);
	loop = epoll_create1(EPOLL_CLOEXEC);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (file < 0 || loop < 0 || page == MAP_FAILED || bind(listener, ADDRESS) != 0 ||
	    listen(listener, 1000) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    write(file, "abcdefgh", 8) != 8)
		abort();
}

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

/* Leave a new process at once; in the old one, its end. */
static int forked(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : outcome(waitpid((pid_t)pid, NULL, __WALL));
}

/* ---- another program, another process ---- */

static char *nothing[] = { NULL };

static int try_execve(void)
{
	return outcome(execve("/bin/true", nothing, nothing));
}

static int try_execveat(void)
{
	return outcome(syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
}

static int try_fork(void)
{
	return forked(fork());
}

static int try_clone(void)
{
	return forked(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int try_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	return forked(syscall(SYS_clone3, &args, sizeof(args)));
}

static void *say_ten(void *arg)
{
	return arg;
}

static int try_thread(void)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, say_ten, NULL);

	return failed != 0 ? failed : pthread_join(thread, NULL);
}

static int try_ptrace(void)
{
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_read_process(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { page, 1 };

	return outcome(process_vm_readv(getpid(), &here, 1, &there, 1, 0));
}

static int try_write_process(void)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { page, 1 };

	return outcome(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
}

/* ---- sockets ---- */

static int try_inet(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_inet6(void)
{
	return outcome(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int try_unix(void)
{
	return outcome(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_netlink(void)
{
	return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

/* The kernel looks at the lower half only. */
static int try_disguised(void)
{
	return outcome(syscall(SYS_socket, AF_NETLINK | (1UL << 32), SOCK_RAW, 0));
}

static int try_socketpair(void)
{
	int ends[2];

	return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int try_connect(void)
{
	int error = outcome(connect(dialled, ADDRESS));

	return error == EISCONN ? 0 : error; /* by the one who tried before */
}

static int try_bind(void)
{
	struct sockaddr_un none = { .sun_family = AF_UNIX };

	return outcome(bind(unbound, (struct sockaddr *)&none, sizeof(sa_family_t)));
}

static int try_listen(void)
{
	return outcome(listen(listener, 5));
}

static int try_io_uring(void)
{
	char params[120] = { 0 };

	return outcome(syscall(SYS_io_uring_setup, 1, params));
}

static int try_accept(void)
{
	fcntl(listener, F_SETFL, O_NONBLOCK);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0 && errno != EAGAIN ? errno : 0;
}

/* As the monitor hands over a peer. */
static int try_descriptor(void)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &file, sizeof(int));
	if (sendmsg(pair[0], &message, 0) != 1)
		return errno;
	return outcome(recvmsg(pair[1], &message, 0));
}

/* ---- files ---- */

static int try_open_to_write(void)
{
	return outcome(open(file_path, O_WRONLY));
}

static int try_create(void)
{
	return outcome(open(other_path, O_RDONLY | O_CREAT, 0600));
}

static int try_truncate(void)
{
	return outcome(open(other_path, O_RDONLY | O_TRUNC));
}

static int try_open_to_read(void)
{
	return outcome(open(file_path, O_RDONLY | O_CLOEXEC));
}

static int try_unlink(void)
{
	return outcome(unlink(other_path));
}

static int try_mkdir(void)
{
	return outcome(mkdir(other_path, 0700)) != 0 ? errno : outcome(rmdir(other_path));
}

static int try_chmod(void)
{
	return outcome(chmod(file_path, 0600));
}

static int try_ftruncate(void)
{
	return outcome(ftruncate(file, 8));
}

static int try_record(void)
{
	if (flock(file, LOCK_EX | LOCK_NB) != 0 || pwrite(file, "a", 1, 0) != 1 ||
	    fdatasync(file) != 0)
		return errno;
	return outcome(flock(file, LOCK_UN));
}

static int try_memfd(void)
{
	return outcome(memfd_create("test", MFD_CLOEXEC));
}

static int try_dup(void)
{
	return outcome(fcntl(file, F_DUPFD, 3));
}

static int try_spare(void)
{
	return outcome(dup(file));
}

static int try_ioctl(void)
{
	int on = 1;

	return outcome(ioctl(unbound, FIONBIO, &on));
}

/* ---- memory ---- */

static int try_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? errno : 0;
}

static int try_make_code(void)
{
	return outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int try_heap(void)
{
	char *little = malloc(1000), *much = malloc(64 << 20), *more = realloc(much, 96 << 20);

	if (little == NULL || more == NULL)
		return ENOMEM;
	more[(96 << 20) - 1] = 1;
	free(little);
	free(more);
	return outcome(mprotect(page, 4096, PROT_READ));
}

/* ---- the process itself ---- */

static int try_kill(void)
{
	return outcome(kill(getppid(), 0));
}

static int try_signal_another(void)
{
	return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int try_signal_itself(void)
{
	return outcome(syscall(SYS_tgkill, getpid(), gettid(), 0));
}

static int try_take_over_sigsys(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR ? errno : 0;
}

static int try_handle_another(void)
{
	return signal(SIGUSR1, SIG_IGN) == SIG_ERR ? errno : 0;
}

static int try_dumpable(void)
{
	return outcome(prctl(PR_SET_DUMPABLE, 1));
}

static int try_another_filter(void)
{
	return outcome(syscall(SYS_seccomp, 2, 0, &(unsigned int){ 0 })); /* is KILL there? */
}

static int try_setuid(void)
{
	return outcome(setresuid(getuid(), getuid(), getuid()));
}

static int try_limit(void)
{
	const struct rlimit none = { 0, 0 };

	return outcome(setrlimit(RLIMIT_CORE, &none));
}

static int try_schedule(void)
{
	const struct sched_param none = { 0 };

	return outcome(sched_setscheduler(0, SCHED_IDLE, &none));
}

static int try_unshare(void)
{
	return outcome(unshare(CLONE_FILES));
}

static int try_chdir(void)
{
	return outcome(chdir("/"));
}

/* ---- what always works, also where the C library makes no call of it ---- */

static int try_clocks(void)
{
	const struct timespec moment = { .tv_nsec = 1 };
	struct timespec now;

	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) != 0 ||
	    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now) != 0)
		return errno;
	return outcome(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &moment, NULL));
}

static int try_random(void)
{
	char bytes[16];

	return outcome(getrandom(bytes, sizeof(bytes), 0));
}

static int try_loop(void)
{
	struct epoll_event event = { .events = EPOLLOUT };

	if (epoll_ctl(loop, EPOLL_CTL_ADD, pair[0], &event) != 0)
		return errno;
	if (epoll_wait(loop, &event, 1, 1000) != 1)
		return ETIME;
	return outcome(epoll_ctl(loop, EPOLL_CTL_DEL, pair[0], NULL));
}

static int try_stream(void)
{
	int waiting;
	char byte = 0;

	if (write(pair[0], "a", 1) != 1 || ioctl(pair[1], FIONREAD, &waiting) != 0 ||
	    read(pair[1], &byte, 1) != 1 || fcntl(pair[1], F_SETFL, O_NONBLOCK) != 0)
		return errno;
	return outcome(shutdown(pair[1], SHUT_WR));
}

/* ---- the machine's other ways to call its kernel ---- */

#ifdef __x86_64__
static int try_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); /* getpid there */
	return result > 0 ? 0 : (int)-result;
}

static int try_x32(void)
{
	return outcome(syscall(0x40000000 | SYS_getpid));
}
#endif

/* edge; authority by a socket's folder; authority by IPv4, with a password file */
const struct try tries[] = {
	{ "another program", try_execve, "kkk" },
	{ "another program, by descriptor", try_execveat, "kkk" },
	{ "another process", try_fork, "kkk" },
	{ "another process, by clone", try_clone, "kkk" },
	{ "another process, by clone3", try_clone3, "kkk" },
	{ "a thread", try_thread, "kkk" },
	{ "to be traced", try_ptrace, "kkk" },
	{ "to read a process", try_read_process, "kkk" },
	{ "to write a process", try_write_process, "kkk" },

	{ "a socket of IPv4", try_inet, "kkw" },
	{ "a socket of IPv6", try_inet6, "kkk" },
	{ "a unix socket", try_unix, "kwk" },
	{ "a netlink socket", try_netlink, "kkk" },
	{ "a netlink socket in disguise", try_disguised, "kkk" },
	{ "a pair of sockets", try_socketpair, "kkk" },
	{ "to connect", try_connect, "kww" },
	{ "to bind", try_bind, "kkk" },
	{ "to listen", try_listen, "kkk" },
	{ "calls by a ring", try_io_uring, "kkk", NULL, 1 },
	{ "to accept", try_accept, "wrr", "accept4" },
	{ "a descriptor with a message", try_descriptor, "www" },

	{ "a file to write", try_open_to_write, "rrr", "openat" },
	{ "a new file", try_create, "rrr", "openat" },
	{ "a file without its contents", try_truncate, "rrr", "openat" },
	{ "a file to read", try_open_to_read, "rrw", "openat" },
	{ "to remove a file", try_unlink, "rrr", "unlink" },
	{ "a new folder", try_mkdir, "rrr", "mkdir" },
	{ "another mode", try_chmod, "rrr", "chmod" },
	{ "to shorten a file", try_ftruncate, "rrr", "ftruncate" },
	{ "to record at a place", try_record, "rww", "flock" },
	{ "a file of memory", try_memfd, "rrr", "memfd_create" },
	{ "a descriptor twice", try_dup, "rrr", "fcntl" },
	{ "a spare descriptor", try_spare, "wrr", "dup" },
	{ "an ioctl", try_ioctl, "rrr", "ioctl" },

	{ "memory that runs", try_code, "rrr", "mmap" },
	{ "memory made to run", try_make_code, "rrr", "mprotect" },
	{ "memory to work in", try_heap, "www" },

	{ "a signal", try_kill, "rrr", "kill" },
	{ "a signal to another process", try_signal_another, "rrr", "tgkill" },
	{ "a signal to itself", try_signal_itself, "www" },
	{ "the handler of SIGSYS", try_take_over_sigsys, "rrr", "rt_sigaction" },
	{ "another handler", try_handle_another, "www" },
	{ "to be dumpable", try_dumpable, "rrr", "prctl" },
	{ "another filter", try_another_filter, "rrr", "seccomp" },
	{ "another user", try_setuid, "rrr", "setresuid" },
	{ "another limit", try_limit, "rrr", "prlimit64" },
	{ "another scheduling", try_schedule, "rrr", "sched_setscheduler" },
	{ "a space of its own", try_unshare, "rrr", "unshare" },
	{ "another folder", try_chdir, "rrr", "chdir" },

	{ "the clocks", try_clocks, "www" },
	{ "randomness", try_random, "www" },
	{ "the loop", try_loop, "www" },
	{ "a stream", try_stream, "www" },
#ifdef __x86_64__
	{ "a call of 32 bits", try_i386, "kkk", NULL, 1 },
	{ "a call of x32", try_x32, "kkk", NULL, 1 },
#endif
};

const size_t n_tries = sizeof(tries) / sizeof(tries[0]);
