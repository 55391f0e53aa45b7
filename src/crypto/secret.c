/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* Where systemd puts a unit's credentials: their modes are its business. */
static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder == NULL ? 0 : strlen(folder);

	return len > 1 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

static bool mode_is_private(int fd, const char *path, struct error *error)
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

/* At most SECRET_MAX + 1 bytes, so that a line of SECRET_MAX shows its end. */
static bool read_start(int fd, const char *path, char bytes[SECRET_MAX + 1], size_t *len,
		       struct error *error)
{
	ssize_t n;

	for (*len = 0; *len < SECRET_MAX + 1; *len += (size_t)n) {
		n = read(fd, bytes + *len, SECRET_MAX + 1 - *len);
		if (n < 0)
			return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
	}
	return true;
}

static bool take_first_line(struct secret *secret, size_t len, const char *path,
			    struct error *error)
{
	char *end = memchr(secret->bytes, '\n', len);

	if (end == NULL && len > SECRET_MAX)
		return error_set(error, ERROR_INVALID, "%s: the first line is longer than %d bytes",
				 path, SECRET_MAX);
	secret->len = end == NULL ? len : (size_t)(end - secret->bytes);
	if (secret->len == 0)
		return error_set(error, ERROR_INVALID, "%s: the first line is empty", path);
	if (memchr(secret->bytes, '\0', secret->len) != NULL)
		return error_set(error, ERROR_INVALID, "%s: the first line holds a NUL byte", path);
	OPENSSL_cleanse(secret->bytes + secret->len, sizeof(secret->bytes) - secret->len);
	return true;
}

bool secret_read_file(struct secret *secret, const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len;
	bool ok;

	*secret = (struct secret){ 0 };
	if (fd < 0)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	ok = mode_is_private(fd, path, error) && read_start(fd, path, secret->bytes, &len, error) &&
	     take_first_line(secret, len, path, error);
	close(fd);
	if (!ok)
		secret_clear(secret);
	return ok;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void secret_clear(struct secret *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}
