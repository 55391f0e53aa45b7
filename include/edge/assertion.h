/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's assertion of itself: private_key_jwt (RFC 7523 sections 2.2 and 3), ES256 only.
 *
 * A pure function reads it and judges all that needs no key; whose key it is, whether the signature
 * is right and whether the assertion has been seen before, the authority says.
 */
#ifndef EDGE_ASSERTION_H
#define EDGE_ASSERTION_H

#include <stdint.h>

#include "base/error.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#define ASSERTION_TEXT_MAX 64	/* client id, key id, jti */
#define ASSERTION_AHEAD_S  3660 /* how far ahead its exp may lie: an hour, and a minute of skew */
#define ASSERTION_SKEW_S   30	/* how far the client's clock may be before ours */

struct assertion {
	char client[ASSERTION_TEXT_MAX + 1];
	char kid[ASSERTION_TEXT_MAX + 1]; /* "": the assertion names none */
	char jti[ASSERTION_TEXT_MAX + 1];
	int64_t exp;
	uint8_t digest[32]; /* SHA-256 of the signing input */
	uint8_t sig[64];    /* R || S */
};

/* @audiences, up to a NULL, are the names by which we may be meant; @now in Unix seconds.
 * ERROR_UNAUTHORIZED with the code "invalid_client" names the part and the rule. */
bool assertion_parse(const char *text, const char *const *audiences, int64_t now,
		     struct assertion *assertion, struct error *error) MUST_CHECK;

#endif
