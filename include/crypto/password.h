/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords that people choose: argon2id (RFC 9106), kept as its encoded text
 * "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
 *
 * One verification takes tens of milliseconds and 19 MiB, by intent: off the loop, a few at once,
 * after every limit.  What we make ourselves (crypto/client_secret) needs none of this.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/error.h"
#include "crypto/secret.h"

#define PASSWORD_HASH_MAX 255

/* A hash that no password has: verifying against it takes as long as against a real one. */
extern const char password_hash_of_nobody[];

/* ERROR_UNAVAILABLE: no randomness or no memory. */
bool password_hash(const struct secret *password, char hash[PASSWORD_HASH_MAX + 1],
		   struct error *error) MUST_CHECK;

/* May this hash, made elsewhere, be kept?  ERROR_INVALID unless it is argon2id of version 19
 * whose cost is neither so low that it protects nothing nor so high that it stops a node. */
bool password_hash_check(const char *hash, struct error *error) MUST_CHECK;

/* ERROR_UNAUTHORIZED: another password.  ERROR_INVALID: a hash that password_hash_check() refuses;
 * ERROR_UNAVAILABLE: no memory. */
bool password_verify(const char *hash, const struct secret *password,
		     struct error *error) MUST_CHECK;

#endif
