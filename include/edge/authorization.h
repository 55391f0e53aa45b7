/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization field: who asks.  Pure. */
#ifndef EDGE_AUTHORIZATION_H
#define EDGE_AUTHORIZATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum authorization_kind {
	AUTHORIZATION_NONE, /* no header, or a scheme that nobody here speaks */
	AUTHORIZATION_BASIC,
	AUTHORIZATION_TOKEN, /* Bearer, or the bare access token that deployed clients send */
};

struct authorization {
	enum authorization_kind kind;
	uint8_t digest[32];  /* of what was presented; all zero, which is nobody's, when it cannot
			      * be read */
	const char *foreign; /* the environment whose secret it is, when it is not ours; or NULL */
};

/* Read @header (NULL: there was none) in @environment. */
void authorization_read(const char *header, const char *environment,
			struct authorization *authorization);

/* Basic credentials (RFC 7617 section 2), to the @size bytes at @text: the user-id and the
 * password, each ending with a NUL.  False, and nothing there, for what cannot be read. */
bool authorization_basic(const char *header, char *text, size_t size, const char **user,
			 const char **password) MUST_CHECK;
enum authorization_kind authorization_kind_of(const char *header);

/* The environment that @secret (a client's secret, an access token, a generated password) names,
 * when it is another one than @environment; else NULL. */
const char *secret_foreign(const char *secret, const char *environment);

/* ERROR_FORBIDDEN, "foreign-environment", in words. */
bool secret_refuse_foreign(const char *foreign, const char *environment, struct error *error);

#endif
