/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compact JWS with ES256 (RFC 7515 section 7.1, RFC 7518 section 3.4).  Only we choose the
 * algorithm: nothing here obeys an "alg" that was received, it must say ES256.
 */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/es256.h"

/* A token while it is made: first the signing input, then the whole. */
struct jws {
	size_t len;	 /* of text */
	char text[1536]; /* NUL-terminated */
};

/* BASE64URL(header) "." BASE64URL(payload), and its digest.  ERROR_INTERNAL without room. */
bool jws_begin(struct jws *jws, const char *header, const char *payload, uint8_t digest[32],
	       struct error *error) MUST_CHECK;
/* Append "." BASE64URL(sig). */
bool jws_finish(struct jws *jws, const uint8_t sig[ES256_SIG_LEN], struct error *error) MUST_CHECK;

/* The three parts of a received compact JWS, decoded; header and payload are NUL-terminated.
 * Strict: three parts, unpadded base64url, 64 octets of signature. */
struct jws_parts {
	char header[1024];
	char payload[2048];
	uint8_t sig[ES256_SIG_LEN];
	uint8_t digest[32]; /* of the signing input */
};

bool jws_parse(const char *text, struct jws_parts *parts, struct error *error) MUST_CHECK;

#endif
