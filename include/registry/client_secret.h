/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of API clients: stipa_<env>_<43 characters of base64url><6 of checksum>.
 *
 * 32 bytes of the kernel's randomness, so a fast digest is enough to keep.  The prefix lets
 * scanners of leaked secrets find it and says which environment it belongs to; the checksum (the
 * first 6 base64url characters of SHA-256 of all before it) tells a mistyped secret from a wrong
 * one.  A secret is made here, shown once, and stored nowhere.
 */
#ifndef REGISTRY_CLIENT_SECRET_H
#define REGISTRY_CLIENT_SECRET_H

#include "crypto/digest.h"
#include "crypto/secret.h"

/* @environment: production, staging or demo.  ERROR_UNAVAILABLE without randomness. */
bool client_secret_make(struct secret *secret, const char *environment,
			struct error *error) MUST_CHECK;

/* Is this a secret of ours, whole, and of @environment?  ERROR_INVALID names what is wrong, and
 * never the secret. */
bool client_secret_check(const struct secret *secret, const char *environment,
			 struct error *error) MUST_CHECK;

/* What credential.digest holds for it. */
void client_secret_digest(const struct secret *secret, const char *client,
			  uint8_t digest[SHA256_LEN]);

#endif
