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

/* SHA-256("token" 0x00 token): an access token. */
void credential_digest_token(const char *token, size_t len, uint8_t digest[SHA256_LEN]);

/* SHA-256("login" 0x00 user 0x00 password): a password that we made, with its user. */
void credential_digest_login(const char *user, size_t user_len, const char *password,
			     size_t password_len, uint8_t digest[SHA256_LEN]);

/* SHA-256("secret" 0x00 secret): a secret or password whose owner is not known. */
void credential_digest_secret(const char *secret, size_t len, uint8_t digest[SHA256_LEN]);

#endif
