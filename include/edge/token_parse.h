/* SPDX-License-Identifier: Apache-2.0 */
/* The parsers of a token request: in which media type, for what.  Pure functions. */
#ifndef EDGE_TOKEN_PARSE_H
#define EDGE_TOKEN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/order.h"

/* Is it application/json, with nothing more than charset=utf-8?  An absent header (NULL) is. */
bool media_type_is_json(const char *content_type);

/* Fill form, spc, ca, tkvalue and fingerprint from {"atc":{…}}, the same members at top level, or
 * the 2017 body {"fingerprint"[,"spc"]}.  What is wrong is the answer, not an error; then the
 * members are empty. */
enum order_defect token_body_parse(const char *body, size_t len, struct order *order) MUST_CHECK;

/* How a fingerprint that was taken is spelt: sha256-hex-upper, -lower or -mixed, jwk-thumbprint;
 * NULL for "". */
const char *fingerprint_spelling(const char *fingerprint);

#endif
