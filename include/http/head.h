/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request, strictly.  A pure function of the bytes: nothing is allocated,
 * nothing is remembered, so it is tested and fuzzed alone.
 *
 * It promises that a head is taken only when it ends in CRLF CRLF, and that what it says about
 * the first n bytes, once it is not "more", it says about any continuation of them too.
 *
 * Taken is: at most 8 KiB and 48 fields; CRLF only, no blank line first, no folded line, no byte
 * outside printable ASCII and tab; the methods below (else 501); exactly HTTP/1.1 (else 505); an
 * origin-form target with valid escapes, without "//", dot segments or escapes of "/ \ . %" and
 * of anything that is not printable ASCII; names that are tokens without "_"; exactly one Host;
 * Content-Length once, of 1 to 7 digits.  No Transfer-Encoding, TE, Trailer or Upgrade (501), no
 * Expect but 100-continue (417), no second copy of a field that may stand once, no body with GET,
 * HEAD or DELETE, no POST, PUT or PATCH without Content-Length (411).
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX	8192
#define HTTP_FIELDS_MAX 48

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

/* A part of the head, by its place in the bytes, so that a copy of the bytes serves as well. */
struct http_span {
	uint16_t at, len;
};

struct http_head_field {
	struct http_span name, value; /* the value without the blanks around it */
};

struct http_head {
	/* when refused */
	int status;
	const char *why; /* a fixed sentence, never a part of the input */

	/* when complete */
	size_t len; /* of the head, its empty line included */
	enum http_method method;
	struct http_span path, query; /* as sent; the query without its "?" */
	struct http_span host;	      /* without the port */
	size_t content_length;	      /* 0 when there is none */
	bool expects_continue;
	bool close; /* the client wants no further request on this connection */
	size_t n_fields;
	struct http_head_field fields[HTTP_FIELDS_MAX];
};

enum http_head_result { HTTP_HEAD_MORE, HTTP_HEAD_REFUSED, HTTP_HEAD_COMPLETE };

enum http_head_result http_head_parse(const void *bytes, size_t len, struct http_head *head);

const char *http_method_name(enum http_method method);

/* Decode the escapes of a path that http_head_parse() took, to @len + 1 bytes with a NUL. */
void http_path_decode(const char *path, size_t len, char *decoded);

#endif
