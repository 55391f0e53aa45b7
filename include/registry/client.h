/* SPDX-License-Identifier: Apache-2.0 */
/* API clients and their credentials.  See registry/account.h for how these functions are. */
#ifndef REGISTRY_CLIENT_H
#define REGISTRY_CLIENT_H

#include <stdint.h>

#include "crypto/digest.h"
#include "registry/act.h"

/* What is kept of a secret: by the one its client is known, by the other it is found when somebody
 * reports it without knowing whose it is. */
struct client_digests {
	uint8_t client[SHA256_LEN]; /* credential_digest_basic() */
	uint8_t nobody[SHA256_LEN]; /* credential_digest_secret() */
};

PGresult *client_add(PGconn *pg, const struct act *act, const char *account, const char *client,
		     const struct client_digests *digests, const char *expires,
		     struct error *error) MUST_CHECK;
/* The old credentials end at @keep_old_until, or now when it is NULL. */
PGresult *client_rotate(PGconn *pg, const struct act *act, const char *client,
			const struct client_digests *digests, const char *expires,
			const char *keep_old_until, struct error *error) MUST_CHECK;
PGresult *client_disable(PGconn *pg, const struct act *act, const char *client,
			 struct error *error) MUST_CHECK;
PGresult *client_enable(PGconn *pg, const struct act *act, const char *client,
			struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *client_show(PGconn *pg, const char *client, struct error *error) MUST_CHECK;
/* @account: NULL for all. */
PGresult *client_list(PGconn *pg, const char *account, struct error *error) MUST_CHECK;

#endif
