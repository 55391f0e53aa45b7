/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its one reply.  Replying ends it: the handler may not touch it afterwards.
 * Replying to a connection that has closed is allowed and sends nothing.  All strings live until
 * the reply.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct http_request;
struct problem_form;
struct problem_member;

/* The address asked from, IPv4 as ::ffff:a.b.c.d, in network order; all zero on the local socket.
 */
const uint8_t *http_peer(const struct http_request *http);
/* The client's X-Request-Id when it is 1 to 63 of [A-Za-z0-9._-], else one of ours; echoed in the
 * reply by the server. */
const char *http_request_id(const struct http_request *http);
const char *http_header(const struct http_request *http, const char *name); /* or NULL; any case */
const char *http_path_param(const struct http_request *http, const char *name); /* decoded */
/* Decoded, as far as the end of its first parameter. */
const char *http_path(const struct http_request *http);
const char *http_body(const struct http_request *http, size_t *len);
/* True when Accept names @media_type itself, with a q above 0: a wildcard does not count. */
bool http_accepts(const struct http_request *http, const char *media_type);

/* @closed runs at most once, when the client has gone before the reply. */
void http_on_close(struct http_request *http, void (*closed)(void *arg), void *arg);

struct http_field {
	const char *name, *value;
};

struct http_reply {
	int status;
	const char *media_type; /* NULL: no body */
	const void *body;	/* copied */
	size_t len;
	const struct http_field *fields; /* further ones, up to a NULL name; or NULL */
	bool store;			 /* may be cached: no "Cache-Control: no-store" is added */
};

void http_reply(struct http_request *http, const struct http_reply *reply);

/* A problem document (RFC 9457), application/problem+json, no-store.  http/problem.c alone maps
 * the kind of an error to a status; ERROR_INTERNAL shows nothing but the request id.  Adds
 * Retry-After for ERROR_UNAVAILABLE and ERROR_LIMITED.  @challenge is the WWW-Authenticate of an
 * ERROR_UNAUTHORIZED, or NULL. */
void http_reply_problem(struct http_request *http, const struct error *error,
			const char *challenge);

/* The same in another form, with further members and fields, up to a NULL name each; or NULL. */
void http_reply_error(struct http_request *http, const struct error *error,
		      const struct problem_form *form, const struct problem_member *more,
		      const struct http_field *fields);

#endif
