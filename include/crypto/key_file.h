/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys on disk: EC P-256 as encrypted PKCS #8 PEM (AES-256-CBC, key from the passphrase by
 * scrypt), mode 0600.  A key file is never overwritten.
 */
#ifndef CRYPTO_KEY_FILE_H
#define CRYPTO_KEY_FILE_H

#include <openssl/types.h>

#include "base/error.h"
#include "crypto/secret.h"

/* A new P-256 key.  The caller frees it. */
EVP_PKEY *p256_key_new(struct error *error) MUST_CHECK;
bool p256_key_check(const EVP_PKEY *key, struct error *error) MUST_CHECK; /* is it one? */

/* Write and sync, file and folder.  ERROR_CONFLICT when the file exists.  A failure leaves no
 * file. */
bool key_file_write(const char *path, const EVP_PKEY *key, const struct secret *passphrase,
		    struct error *error) MUST_CHECK;

/* ERROR_INVALID: not readable, mode beyond 0600, not encrypted, wrong passphrase, not P-256, or
 * public and private part do not belong together. */
EVP_PKEY *key_file_read(const char *path, const struct secret *passphrase,
			struct error *error) MUST_CHECK;

#endif
