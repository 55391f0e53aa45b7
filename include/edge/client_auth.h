/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a client proves itself at /oauth2: client_secret_basic, client_secret_post (RFC 6749 section
 * 2.3.1) or private_key_jwt (RFC 7523 section 2.2); one of them, never two.  Pure.
 */
#ifndef EDGE_CLIENT_AUTH_H
#define EDGE_CLIENT_AUTH_H

#include <stdint.h>

#include "base/error.h"
#include "edge/form.h"
#include "ipc/access.h"

struct client_auth_context {
	const char *environment;
	const char *const *audiences; /* of an assertion, up to a NULL */
	int64_t now;		      /* Unix seconds */
};

/* @authorization is the field, or NULL.  ERROR_INVALID "invalid_request" for a request that is
 * none, ERROR_UNAUTHORIZED "invalid_client" for a client that cannot be who it says.  Credentials
 * that cannot be read are a stranger's, and for the authority to refuse. */
bool client_auth_read(const char *authorization, const struct form *form,
		      const struct client_auth_context *context, struct client_proof *proof,
		      struct error *error) MUST_CHECK;

#endif
