/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where systemd puts a unit's credentials: their modes are its business. */
static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder == NULL ? 0 : strlen(folder);

	return len > 1 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

static bool is_private(int fd, const char *path, struct error *error)
{
	struct stat st;
	mode_t allowed = is_credential(path) ? 0440 : 0600;

	if (fstat(fd, &st) != 0)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(error, ERROR_INVALID, "%s: not a regular file", path);
	if ((st.st_mode & 0777 & ~allowed) != 0)
		return error_set(error, ERROR_INVALID,
				 "%s: mode %04o is wider than 0600: chmod 600", path,
				 (unsigned int)(st.st_mode & 0777));
	return true;
}

int private_file_open(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (is_private(fd, path, error))
		return fd;
	close(fd);
	return -1;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* A name is as durable as its folder. */
static bool sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd;
	bool ok;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return false;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool new_file_write(const char *path, const void *bytes, size_t len, mode_t mode,
		    struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return error_set(error, ERROR_CONFLICT, "%s: exists, and is not overwritten", path);
	if (fd < 0)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	ok = write_all(fd, bytes, len) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && sync_folder_of(path);
	if (ok)
		return true;
	error_set(error, ERROR_UNAVAILABLE, "%s: %s", path, strerror(errno));
	unlink(path);
	return false;
}
