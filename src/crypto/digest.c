/* SPDX-License-Identifier: Apache-2.0 */
/* By OpenSSL's functions of before 3.0, which it advises against: they alone take no memory, so
 * that a digest cannot fail in the middle of a request. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

void sha256(const void *bytes, size_t len, uint8_t digest[SHA256_LEN])
{
	SHA256_CTX state;

	SHA256_Init(&state);
	SHA256_Update(&state, bytes, len);
	SHA256_Final(digest, &state);
	OPENSSL_cleanse(&state, sizeof(state));
}

/* The SHA-256 of a word, a NUL and @n texts with a NUL between them. */
struct text {
	const char *bytes;
	size_t len;
};

static void digest_texts(const char *word, const struct text *texts, size_t n,
			 uint8_t digest[SHA256_LEN])
{
	SHA256_CTX state;

	SHA256_Init(&state);
	SHA256_Update(&state, word, strlen(word));
	for (size_t i = 0; i < n; i++) {
		SHA256_Update(&state, "", 1);
		SHA256_Update(&state, texts[i].bytes, texts[i].len);
	}
	SHA256_Final(digest, &state);
	OPENSSL_cleanse(&state, sizeof(state));
}

void credential_digest_basic(const char *client, size_t client_len, const char *secret,
			     size_t secret_len, uint8_t digest[SHA256_LEN])
{
	const struct text texts[] = { { client, client_len }, { secret, secret_len } };

	digest_texts("basic", texts, 2, digest);
}

void credential_digest_token(const char *token, size_t len, uint8_t digest[SHA256_LEN])
{
	const struct text text = { token, len };

	digest_texts("token", &text, 1, digest);
}

void credential_digest_login(const char *user, size_t user_len, const char *password,
			     size_t password_len, uint8_t digest[SHA256_LEN])
{
	const struct text texts[] = { { user, user_len }, { password, password_len } };

	digest_texts("login", texts, 2, digest);
}

void credential_digest_secret(const char *secret, size_t len, uint8_t digest[SHA256_LEN])
{
	const struct text text = { secret, len };

	digest_texts("secret", &text, 1, digest);
}
