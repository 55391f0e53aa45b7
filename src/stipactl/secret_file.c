/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_line(int fd, const struct secret *secret)
{
	return write(fd, secret->bytes, secret->len) == (ssize_t)secret->len &&
	       write(fd, "\n", 1) == 1 && fsync(fd) == 0;
}

bool secret_file_write(struct secret_file *file, const char *path, const struct secret *secret,
		       struct error *error)
{
	int fd;

	file->path = path;
	if (path == NULL)
		return true;
	if (snprintf(file->new_path, sizeof(file->new_path), "%s.new", path) >=
	    (int)sizeof(file->new_path))
		return error_set(error, ERROR_INVALID, "the name of the secret's file is too long");
	fd = open(file->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(error, ERROR_INVALID, "%s: %s", file->new_path, strerror(errno));
	if (!write_line(fd, secret)) {
		error_set(error, ERROR_INVALID, "%s: %s", file->new_path, strerror(errno));
		close(fd);
		secret_file_drop(file);
		return false;
	}
	close(fd);
	return true;
}

bool secret_file_keep(const struct secret_file *file, struct error *error)
{
	if (file->path == NULL || rename(file->new_path, file->path) == 0)
		return true;
	return error_set(error, ERROR_INVALID, "it is done, but %s: %s; the secret is in %s",
			 file->path, strerror(errno), file->new_path);
}

void secret_file_drop(const struct secret_file *file)
{
	if (file->path != NULL)
		unlink(file->new_path);
}
