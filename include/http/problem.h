/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents (RFC 9457).  The only place that knows which status a kind of error has. */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/error.h"

int problem_status(enum error_kind kind);	       /* ERROR_CANCELLED: 0, nothing is sent */
const char *problem_retry_after(enum error_kind kind); /* seconds, or NULL */
const char *status_title(int status);

/* The document for @error, or for a status without an error.  Free with free(); NULL without
 * memory. */
char *problem_of_error(const struct error *error, const char *request_id);
char *problem_of_status(int status, const char *detail, const char *request_id);

#endif
