/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <argon2.h>
#include <openssl/crypto.h>

#include "base/base64url.h"

/* What we make: the second choice of OWASP's password storage sheet. */
#define MEMORY_KIB 19456
#define PASSES	   2
#define LANES	   1
#define SALT_LEN   16
#define HASH_LEN   32

/* Of 32 random bytes that nobody has kept; with our parameters. */
const char password_hash_of_nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$T4HRnYc2ra4gpwtGsD/mYA"
				       "$ZYRscZQvyVY8D4psXco2/vqS5w11+KE56AW5/tIFiAA";

/* A hash as its text says it. */
struct stored {
	unsigned long version, memory_kib, passes, lanes;
	uint8_t salt[64], hash[64];
	size_t salt_len, hash_len;
};

/* In the order of the text.  All choices of OWASP's sheet are taken, and what common libraries
 * make; the dearest costs eight times what ours costs. */
static const struct parameter {
	const char *before;
	size_t member;
	unsigned long least, most;
} parameters[] = {
	{ "$argon2id$v=", offsetof(struct stored, version), ARGON2_VERSION_13, ARGON2_VERSION_13 },
	{ "$m=", offsetof(struct stored, memory_kib), 7168, 65536 },
	{ ",t=", offsetof(struct stored, passes), 1, 5 },
	{ ",p=", offsetof(struct stored, lanes), 1, 4 },
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

static bool take_parameter(const char **text, const struct parameter *want, struct stored *stored,
			   struct error *error)
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
	memcpy((char *)stored + want->member, &number, sizeof(number));
	return true;
}

/* RFC 4648 section 4 without padding, at least so many bytes. */
static bool take_bytes(const char **text, size_t least, uint8_t bytes[64], size_t *n)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *from = *text + 1;
	size_t len = **text == '$' ? strspn(from, base64) : 0;

	*text = from + len;
	return len > 0 && base64_decode_any(from, len, bytes, 64, n) && *n >= least;
}

static bool read_stored(const char *hash, struct stored *stored, struct error *error)
{
	const char *at = hash;

	for (size_t i = 0; i < PARAMETERS; i++)
		if (!take_parameter(&at, &parameters[i], stored, error))
			return false;
	/* RFC 9106 section 3.1, and no less than 128 bits of hash. */
	if (!take_bytes(&at, 8, stored->salt, &stored->salt_len) ||
	    !take_bytes(&at, 16, stored->hash, &stored->hash_len))
		return error_set(error, ERROR_INVALID,
				 "hash: want a salt of 8 to 64 bytes and a hash of 16 to 64, in "
				 "base64 without padding");
	return *at == '\0' || error_set(error, ERROR_INVALID, "hash: something stands behind it");
}

bool password_hash_check(const char *hash, struct error *error)
{
	struct stored stored;

	return read_stored(hash, &stored, error);
}

static bool failed(int code, struct error *error)
{
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

static bool compute(const struct stored *stored, const struct secret *password,
		    uint8_t hash[sizeof(stored->hash)], struct error *error)
{
	secret_auto copy = *password; /* the library wants to be able to write */
	argon2_context context = {
		.out = hash,
		.outlen = (uint32_t)stored->hash_len,
		.pwd = (uint8_t *)copy.bytes,
		.pwdlen = (uint32_t)copy.len,
		.salt = (uint8_t *)stored->salt,
		.saltlen = (uint32_t)stored->salt_len,
		.t_cost = (uint32_t)stored->passes,
		.m_cost = (uint32_t)stored->memory_kib,
		.lanes = (uint32_t)stored->lanes,
		.threads = 1, /* for all lanes: our caller decides how many there are */
		.version = ARGON2_VERSION_13,
	};
	int code = argon2id_ctx(&context);

	return code == ARGON2_OK || failed(code, error);
}

bool password_verify(const char *hash, const struct secret *password, struct error *error)
{
	struct stored stored;
	uint8_t computed[sizeof(stored.hash)];

	if (!read_stored(hash, &stored, error) || !compute(&stored, password, computed, error))
		return false;
	return CRYPTO_memcmp(computed, stored.hash, stored.hash_len) == 0 ||
	       error_set(error, ERROR_UNAUTHORIZED, "another password");
}
