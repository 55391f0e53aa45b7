/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The faces of the service: who speaks below which path, and how he is told what went wrong.
 *
 * One handler serves all spellings of a request; what differs between them stands in one table.
 */
#ifndef EDGE_FACE_H
#define EDGE_FACE_H

#include <stdbool.h>

#include "base/error.h"

struct http_field;
struct http_request;
struct problem_form;
struct problem_member;

struct face {
	const char *prefix; /* of its paths */
	const struct problem_form *form;
	const struct http_field *challenges; /* of a 401 when there were no credentials */
	bool forbids;  /* RFC 9448 section 5.5: 403 where others say 404 or "invalid token" */
	bool deployed; /* its clients want the CRL where they know it */
};

/* Every path has a face. */
const struct face *face_of(const char *path);
const struct problem_form *face_form_of(const char *path);

/* Who failed, for which reason, in the words of the request's face.  @fields are those of a
 * challenge, @more further members; both up to a NULL name, or NULL. */
void face_reply_error(struct http_request *http, const struct error *error,
		      const struct http_field *fields, const struct problem_member *more);

/* 503, in the words of the face. */
void face_reply_no_memory(struct http_request *http);

#endif
