/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told of a failure, and the forms in which it is told.  The only place that knows which
 * status a kind of error has.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/error.h"

int problem_status(enum error_kind kind);	       /* ERROR_CANCELLED: 0, nothing is sent */
const char *problem_retry_after(enum error_kind kind); /* seconds, or NULL */
const char *status_title(int status);

/* A further member, of a text or, without one, of true. */
struct problem_member {
	const char *name, *text;
};

struct problem {
	int status;
	const char *code;				  /* stable name of the rule, or NULL */
	char detail[sizeof(((struct error *)0)->detail)]; /* printable ASCII; "": none */
	const char *request_id;
	const struct problem_member *more; /* up to a NULL name; or NULL */
};

/* What may be told of @error: nothing of what is inside the house. */
void problem_of_error(struct problem *problem, const struct error *error, const char *request_id);
/* @detail may be NULL. */
void problem_of_status(struct problem *problem, int status, const char *detail,
		       const char *request_id);

/* A way to write it. */
struct problem_form {
	const char *media_type;
	char *(*write)(const struct problem *problem); /* free() it; NULL without memory */
};

/* application/problem+json, RFC 9457. */
extern const struct problem_form problem_document;

#endif
