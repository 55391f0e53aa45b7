/* SPDX-License-Identifier: Apache-2.0 */
/* The two parsers of a token request. */
#ifndef EDGE_TOKEN_PARSE_H
#define EDGE_TOKEN_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/order.h"

/* The digest of HTTP Basic credentials (RFC 7617).  No header, or another scheme, is
 * ERROR_UNAUTHORIZED: there is nothing that the authority could judge.  Basic that cannot be read
 * is a stranger's: @digest is all zero, which is nobody's. */
bool authorization_digest(const char *authorization, uint8_t digest[32],
			  struct error *error) MUST_CHECK;

/* Fill form, spc, ca, tkvalue and fingerprint from {"atc":{…}}, the same members at top level, or
 * the 2017 body.  What is wrong is the answer, not an error; then the members are empty. */
enum order_defect token_body_parse(const char *body, size_t len, struct order *order) MUST_CHECK;

#endif
