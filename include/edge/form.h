/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an OAuth request: application/x-www-form-urlencoded, strictly.
 *
 * A parameter stands once (RFC 6749 section 3.2), also one without a value, which otherwise counts
 * as not there; unknown ones are ignored, yet must be well-formed.  Printable ASCII only, every
 * escape two hexadecimal digits, no escape of a control byte.
 */
#ifndef EDGE_FORM_H
#define EDGE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define FORM_PARAMETERS_MAX 32

struct form {
	size_t n;
	struct form_parameter {
		const char *name, *value;
	} parameters[FORM_PARAMETERS_MAX];
};

/* Decode @body in place, which has room for a NUL at @len; the form's texts are parts of it.
 * ERROR_INVALID with the code "invalid_request". */
bool form_parse(char *body, size_t len, struct form *form, struct error *error) MUST_CHECK;

/* NULL when it is absent or has no value. */
const char *form_value(const struct form *form, const char *name);

/* Decode one text in place to its new length; the same for the two halves of Basic credentials
 * (RFC 6749 section 2.3.1).  False for what is not well-formed. */
bool form_decode(char *text, size_t len, size_t *decoded) MUST_CHECK;

/* Is it application/x-www-form-urlencoded, with nothing more than charset=utf-8? */
bool media_type_is_form(const char *content_type);

#endif
