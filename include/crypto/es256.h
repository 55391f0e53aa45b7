/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4): the signature is the 64 octets R || S,
 * leading zeros kept.  One key object belongs to one thread.
 */
#ifndef CRYPTO_ES256_H
#define CRYPTO_ES256_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"
#include "crypto/secret.h"

#define ES256_SIG_LEN 64

struct es256_key;

/* A private key from an encrypted PEM file (PKCS #8).  ERROR_INVALID: not readable, wrong
 * passphrase, not P-256, or the file may be read by others (mode beyond 0600). */
struct es256_key *es256_key_load(const char *path, const struct secret *passphrase,
				 struct error *error) MUST_CHECK;
/* A public key, for verifying only.  Keeps a reference. */
struct es256_key *es256_key_public(EVP_PKEY *key, struct error *error) MUST_CHECK;
/* The same from its DER (SubjectPublicKeyInfo).  ERROR_INVALID: not that of a P-256 key. */
struct es256_key *es256_key_from_spki(const uint8_t *der, size_t len,
				      struct error *error) MUST_CHECK;
void es256_key_free(struct es256_key *key);

bool es256_sign(struct es256_key *key, const uint8_t digest[32], uint8_t sig[ES256_SIG_LEN],
		struct error *error) MUST_CHECK;
/* ERROR_INVALID when the signature is not the key's. */
bool es256_verify(struct es256_key *key, const uint8_t digest[32], const uint8_t sig[ES256_SIG_LEN],
		  struct error *error) MUST_CHECK;
/* Do private key and certificate belong together? */
bool es256_key_matches(const struct es256_key *key, const X509 *certificate);

#endif
