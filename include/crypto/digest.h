/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and the digest by which a credential is known. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

void sha256(const void *bytes, size_t len, uint8_t digest[SHA256_LEN]);

/* SHA-256("basic" 0x00 client 0x00 secret): what credential.digest holds. */
void credential_digest_basic(const char *client, size_t client_len, const char *secret,
			     size_t secret_len, uint8_t digest[SHA256_LEN]);

#endif
