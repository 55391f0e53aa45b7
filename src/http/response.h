/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one answer: status line, fields and body in one piece, so that TLS makes one
 * record of it and TCP one segment. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/request.h"

#define RESPONSE_DATE_SIZE 32

struct response {
	const char *request_id;
	const char *date;
	bool tls;
	bool head_only; /* the answer to HEAD: the fields of GET's */
	bool close;
};

/* False when there is no memory, or when @reply is what we never send: a redirect, a field value
 * with a control byte, a status without a meaning.  Free @bytes with free(). */
bool response_build(const struct response *response, const struct http_reply *reply, char **bytes,
		    size_t *len, struct error *error) MUST_CHECK;

#endif
