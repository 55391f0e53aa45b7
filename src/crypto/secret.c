/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "files.h"

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
	int fd = private_file_open(path, error);
	size_t len;
	bool ok;

	*secret = (struct secret){ 0 };
	if (fd < 0)
		return false;
	ok = read_start(fd, path, secret->bytes, &len, error) &&
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
