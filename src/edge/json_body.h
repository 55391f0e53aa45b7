/* SPDX-License-Identifier: Apache-2.0 */
/* A small JSON object in the body of a request, read strictly. */
#ifndef EDGE_JSON_BODY_H
#define EDGE_JSON_BODY_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

struct http_request;

/* application/json, one object, whole, no member twice.  ERROR_INVALID names the rule; NULL. */
json_t *json_body_read(const struct http_request *http, struct error *error) MUST_CHECK;

/* A member that is a text of at least one character; ERROR_INVALID with the code "<code>-missing"
 * or "<code>-type", of which @codes has both. */
struct json_text {
	const char *name, *missing, *type; /* codes */
};
const char *json_body_text(const json_t *object, const struct json_text *text,
			   struct error *error) MUST_CHECK;

/* Forget a text that was secret, before its object is let go of. */
void json_text_wipe(const json_t *object, const char *name);

/* Before jansson, which goes down with every bracket: is there none deeper than any of ours? */
bool json_is_shallow(const char *body, size_t len);

#endif
