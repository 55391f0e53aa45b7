/* SPDX-License-Identifier: Apache-2.0 */
/* For parsers that read a file: the input as one that is in memory only. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_PATH_MAX 32

/* Returns the descriptor, which the caller closes; @path leads to it until then. */
static inline int memory_file(const void *bytes, size_t len, char path[MEMORY_PATH_MAX])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(path, MEMORY_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
