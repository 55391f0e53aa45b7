/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <argon2.h>

/* What we make: the second choice of OWASP's password storage sheet. */
#define MEMORY_KIB 19456
#define PASSES	   2
#define LANES	   1
#define SALT_LEN   16
#define HASH_LEN   32

/* Of 32 random bytes that nobody has kept; with our parameters. */
const char password_hash_of_nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$T4HRnYc2ra4gpwtGsD/mYA"
				       "$ZYRscZQvyVY8D4psXco2/vqS5w11+KE56AW5/tIFiAA";

/* In the order of the text.  All choices of OWASP's sheet are taken, and what common libraries
 * make; the dearest costs eight times what ours costs. */
static const struct parameter {
	const char *before;
	unsigned long least, most;
} parameters[] = {
	{ "$argon2id$v=", ARGON2_VERSION_13, ARGON2_VERSION_13 },
	{ "$m=", 7168, 65536 },
	{ ",t=", 1, 5 },
	{ ",p=", 1, 4 },
};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

/* A number without a sign, a space or a leading zero. */
static bool take_number(const char **text, unsigned long *number)
{
	char *end;

	if (**text < '1' || **text > '9')
		return false;
	errno = 0;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return errno == 0;
}

static bool take_parameter(const char **text, const struct parameter *want, struct error *error)
{
	size_t len = strlen(want->before);
	unsigned long number;

	if (strncmp(*text, want->before, len) != 0)
		return error_set(error, ERROR_INVALID,
				 "hash: want argon2id as $argon2id$v=19$m=…,t=…,p=…$salt$hash");
	*text += len;
	if (!take_number(text, &number) || number < want->least || number > want->most)
		return error_set(error, ERROR_INVALID, "hash: after %s want %lu to %lu",
				 want->before, want->least, want->most);
	return true;
}

bool password_hash_check(const char *hash, struct error *error)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = hash;

	for (size_t i = 0; i < PARAMETERS; i++)
		if (!take_parameter(&at, &parameters[i], error))
			return false;
	/* The salt, then the hash: at least 8 and 16 bytes, RFC 9106 section 3.1. */
	for (size_t least = 11; least <= 22; least += 11) {
		size_t len = *at == '$' ? strspn(at + 1, base64) : 0;

		if (len < least || len > 86)
			return error_set(error, ERROR_INVALID,
					 "hash: want a salt of 8 to 64 bytes and a hash of 16 to "
					 "64, in base64 without padding");
		at += 1 + len;
	}
	if (*at != '\0')
		return error_set(error, ERROR_INVALID, "hash: something stands behind it");
	return true;
}

static bool failed(int code, struct error *error)
{
	if (code == ARGON2_VERIFY_MISMATCH)
		return error_set(error, ERROR_UNAUTHORIZED, "another password");
	return error_set(error,
			 code == ARGON2_MEMORY_ALLOCATION_ERROR ? ERROR_UNAVAILABLE : ERROR_INVALID,
			 "argon2id: %s", argon2_error_message(code));
}

bool password_hash(const struct secret *password, char hash[PASSWORD_HASH_MAX + 1],
		   struct error *error)
{
	uint8_t salt[SALT_LEN];
	int code;

	if (getrandom(salt, sizeof(salt), 0) != sizeof(salt))
		return error_set(error, ERROR_UNAVAILABLE, "no randomness: %s", strerror(errno));
	code = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password->bytes, password->len,
				     salt, sizeof(salt), HASH_LEN, hash, PASSWORD_HASH_MAX + 1);
	return code == ARGON2_OK || failed(code, error);
}

bool password_verify(const char *hash, const struct secret *password, struct error *error)
{
	int code;

	if (!password_hash_check(hash, error))
		return false;
	code = argon2id_verify(hash, password->bytes, password->len);
	return code == ARGON2_OK || failed(code, error);
}
