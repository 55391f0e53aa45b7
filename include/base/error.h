/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error type for the whole service.
 *
 * A function that can fail returns bool and takes a struct error as its last
 * argument.  The kind says who must act; the detail says what happened.  Only
 * http/problem.c turns a kind into an HTTP status.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INVALID,	    /* the caller sent something malformed */
	ERROR_UNAUTHORIZED, /* the caller is not known */
	ERROR_FORBIDDEN,    /* the caller is known and may not do this */
	ERROR_NOT_FOUND,
	ERROR_CONFLICT,
	ERROR_LIMITED,	   /* the caller asks too often; it may retry later */
	ERROR_UNAVAILABLE, /* a dependency is down; the caller may retry */
	ERROR_CANCELLED,   /* nobody waits for the answer any more */
	ERROR_INTERNAL,	   /* a defect of ours */
};

struct error {
	enum error_kind kind;
	const char *where; /* file:line of the first report */
	const char *code; /* static, stable name of the rule, for programs; NULL: none of its own */
	char detail[200];
	unsigned int retry_s; /* when it is worth to try again; 0: as the kind has it */
};

#define ERROR_STR_(x) #x
#define ERROR_STR(x)  ERROR_STR_(x)

/* Report a failure and return false, so that a function can end with it.
 * The first report wins: a caller adds context, it does not replace the cause. */
#define error_set(e, kind, ...)                                                                    \
	error_set_at((e), (kind), __FILE__ ":" ERROR_STR(__LINE__), __VA_ARGS__)

bool error_set_at(struct error *e, enum error_kind kind, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, with the stable name of the rule that was broken ("spc-not-held"). */
#define error_set_code(e, kind, code, ...)                                                         \
	error_set_code_at((e), (kind), (code), __FILE__ ":" ERROR_STR(__LINE__), __VA_ARGS__)

bool error_set_code_at(struct error *e, enum error_kind kind, const char *code, const char *where,
		       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Put what the caller was doing in front of the detail, and return false. */
bool error_context(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
