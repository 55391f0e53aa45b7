/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that we make: stipa_<env>_<43 characters of base64url><6 of checksum> for a client,
 * with at_ before the 43 for an access token and pw_ for the password of an API user.
 *
 * 32 bytes of the kernel's randomness, so a fast digest is enough to keep.  The prefix lets
 * scanners of leaked secrets find it and says which environment it belongs to; the checksum (the
 * first 6 base64url characters of SHA-256 of all before it) tells a mistyped secret from a wrong
 * one.  A secret is made here, shown once, and stored nowhere.
 */
#ifndef CRYPTO_CLIENT_SECRET_H
#define CRYPTO_CLIENT_SECRET_H

#include "crypto/digest.h"
#include "crypto/secret.h"

enum client_secret_form { SECRET_OF_CLIENT, SECRET_ACCESS_TOKEN, SECRET_PASSWORD };

/* @environment: production, staging or demo.  ERROR_UNAVAILABLE without randomness. */
bool client_secret_make(struct secret *secret, enum client_secret_form form,
			const char *environment, struct error *error) MUST_CHECK;

struct client_secret_kind {
	enum client_secret_form form;
	const char *environment; /* static */
	bool whole;		 /* the checksum is right */
};

/* Has this text the form of one, by prefix, alphabet and length? */
bool client_secret_read(const char *text, size_t len, struct client_secret_kind *kind);

/* Is this a client's secret, whole, and of @environment?  ERROR_INVALID names what is wrong, and
 * never the secret. */
bool client_secret_check(const struct secret *secret, const char *environment,
			 struct error *error) MUST_CHECK;

/* What credential.digest holds for it. */
void client_secret_digest(const struct secret *secret, const char *client,
			  uint8_t digest[SHA256_LEN]);

#endif
