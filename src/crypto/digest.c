/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

void sha256(const void *bytes, size_t len, uint8_t digest[SHA256_LEN])
{
	if (EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* only without memory: no digest must not look like one */
}

/* The SHA-256 of a word, a NUL and @n texts with a NUL between them. */
struct text {
	const char *bytes;
	size_t len;
};

static void digest_texts(const char *word, const struct text *texts, size_t n,
			 uint8_t digest[SHA256_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(ctx, word, strlen(word)) == 1;

	for (size_t i = 0; good && i < n; i++)
		good = EVP_DigestUpdate(ctx, "", 1) == 1 &&
		       EVP_DigestUpdate(ctx, texts[i].bytes, texts[i].len) == 1;
	if (!good || EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(ctx); /* wipes the state */
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
