/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

void sha256(const void *bytes, size_t len, uint8_t digest[SHA256_LEN])
{
	if (EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* only without memory: no digest must not look like one */
}

void credential_digest_basic(const char *client, size_t client_len, const char *secret,
			     size_t secret_len, uint8_t digest[SHA256_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	/* sizeof() takes the NUL after "basic" along; "" is the second one. */
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, "basic", sizeof("basic")) != 1 ||
	    EVP_DigestUpdate(ctx, client, client_len) != 1 || EVP_DigestUpdate(ctx, "", 1) != 1 ||
	    EVP_DigestUpdate(ctx, secret, secret_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(ctx); /* wipes the state */
}
