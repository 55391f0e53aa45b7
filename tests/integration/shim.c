/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests, by LD_PRELOAD: a clock that is wrong, a disk that is full or broken.  What is wanted
 * stands in the page that SHIM_PAGE names, which is mapped before main(): it may be changed at any
 * time, also for processes that may open no file any more.  tests/integration/faults.sh writes it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct page {
	int64_t clock_us;    /* is added to the time of day */
	int64_t write_errno; /* of a write to a file whose path has @part, or to any */
	int64_t sync_errno;  /* the same of a sync */
	int64_t hits;	     /* how often something was made to fail */
	char part[64];
};

static volatile struct page *page;

__attribute__((constructor)) static void map_page(void)
{
	const char *path = getenv("SHIM_PAGE");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED
			   : mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED) {
		fprintf(stderr, "shim: no page\n");
		_exit(127);
	}
	close(fd);
	page = map;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the clock ---- */

static void shift(struct timespec *now)
{
	int64_t ns = now->tv_nsec + page->clock_us % 1000000 * 1000;

	now->tv_sec += page->clock_us / 1000000 + (ns < 0 ? -1 : ns / 1000000000);
	now->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
}

EXPORT int clock_gettime(clockid_t which, struct timespec *now)
{
	static __typeof__(&clock_gettime) real;
	int rc;

	if (real == NULL)
		real = REAL(clock_gettime);
	rc = real(which, now);
	if (rc == 0 && page != NULL && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
		shift(now);
	return rc;
}

EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec ns;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ns);
	now->tv_sec = ns.tv_sec;
	now->tv_usec = ns.tv_nsec / 1000;
	return 0;
}

EXPORT time_t time(time_t *into)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (into != NULL)
		*into = now.tv_sec;
	return now.tv_sec;
}

/* ---- the disk ---- */

/* Asked only of processes that may still look. */
static int is_of(int fd, const char *part)
{
	char link[32], path[512];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	return strstr(path, part) != NULL;
}

/* False, with errno set, when this file is to fail. */
static int works(int fd, int64_t wanted)
{
	if (page == NULL || wanted == 0)
		return 1;
	if (page->part[0] != '\0' && !is_of(fd, (const char *)page->part))
		return 1;
	page->hits++;
	errno = (int)wanted;
	return 0;
}

#define FAILING(type, name, wanted, parameters, arguments)                                         \
	EXPORT type name parameters                                                                \
	{                                                                                          \
		static __typeof__(&name) real;                                                     \
                                                                                                   \
		if (real == NULL)                                                                  \
			real = REAL(name);                                                         \
		return works(fd, page->wanted) ? real arguments : -1;                              \
	}

FAILING(ssize_t, write, write_errno, (int fd, const void *from, size_t len), (fd, from, len))
FAILING(ssize_t, pwrite, write_errno, (int fd, const void *from, size_t len, off_t at),
	(fd, from, len, at))
FAILING(ssize_t, pwrite64, write_errno, (int fd, const void *from, size_t len, off64_t at),
	(fd, from, len, at))
FAILING(ssize_t, pwritev, write_errno, (int fd, const struct iovec *from, int n, off_t at),
	(fd, from, n, at))
FAILING(ssize_t, pwritev64, write_errno, (int fd, const struct iovec *from, int n, off64_t at),
	(fd, from, n, at))
FAILING(int, fsync, sync_errno, (int fd), (fd))
FAILING(int, fdatasync, sync_errno, (int fd), (fd))

/* These answer the number itself. */
EXPORT int posix_fallocate(int fd, off_t at, off_t len)
{
	return works(fd, page->write_errno) ? REAL(posix_fallocate)(fd, at, len) : errno;
}

EXPORT int posix_fallocate64(int fd, off64_t at, off64_t len)
{
	return works(fd, page->write_errno) ? REAL(posix_fallocate64)(fd, at, len) : errno;
}
