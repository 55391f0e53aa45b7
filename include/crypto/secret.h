/* SPDX-License-Identifier: Apache-2.0 */
/* A short secret in memory: wiped on clear, never printed, compared in constant time. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stddef.h>

#include "base/error.h"

#define SECRET_MAX 255

struct secret {
	size_t len;
	char bytes[SECRET_MAX + 1]; /* NUL after the last */
};

#define secret_auto struct secret __attribute__((cleanup(secret_clear)))

/* Read the first line of a file that only its owner may read (0600 or stricter; a systemd
 * credential, 0400 or 0440 under $CREDENTIALS_DIRECTORY, passes).  ERROR_INVALID says what is
 * wrong with the file, never what stands in it. */
bool secret_read_file(struct secret *secret, const char *path, struct error *error) MUST_CHECK;
bool secret_equal(const struct secret *a, const struct secret *b);
void secret_clear(struct secret *secret);

#endif
