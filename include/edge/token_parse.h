/* SPDX-License-Identifier: Apache-2.0 */
/* The parsers of a token request: who asks, in which media type, for what.  Pure functions. */
#ifndef EDGE_TOKEN_PARSE_H
#define EDGE_TOKEN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/order.h"

/* What an Authorization header holds. */
enum authorization {
	AUTHORIZATION_NONE, /* no header, or a scheme that nobody here speaks */
	AUTHORIZATION_BASIC,
	AUTHORIZATION_TOKEN, /* Bearer, or the bare access token that deployed clients send */
};

/* Read @header (NULL: there was none).  The digest of Basic credentials (RFC 7617) goes to
 * @digest; Basic that cannot be read is a stranger's: all zero, which is nobody's.  For the other
 * kinds @digest is all zero too. */
enum authorization authorization_digest(const char *header, uint8_t digest[32]) MUST_CHECK;

/* Is it application/json, with nothing more than charset=utf-8?  An absent header (NULL) is. */
bool media_type_is_json(const char *content_type);

/* Fill form, spc, ca, tkvalue and fingerprint from {"atc":{…}}, the same members at top level, or
 * the 2017 body {"fingerprint"[,"spc"]}.  What is wrong is the answer, not an error; then the
 * members are empty. */
enum order_defect token_body_parse(const char *body, size_t len, struct order *order) MUST_CHECK;

#endif
