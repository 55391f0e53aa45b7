/* SPDX-License-Identifier: Apache-2.0 */
/* API users: the logins of deployed clients, each of one client.  See registry/account.h for how
 * these functions are. */
#ifndef REGISTRY_API_USER_H
#define REGISTRY_API_USER_H

#include <stdint.h>

#include "crypto/digest.h"
#include "registry/act.h"

/* What is kept of a password. */
struct api_user_password {
	const char *hash; /* of a chosen one, argon2id; NULL: a generated one, with digests */
	uint8_t digest[SHA256_LEN];	   /* with the user */
	uint8_t secret_digest[SHA256_LEN]; /* of the password alone */
};

PGresult *api_user_add(PGconn *pg, const struct act *act, const char *client, const char *user,
		       const struct api_user_password *password, struct error *error) MUST_CHECK;
/* The old password ends now, with the access tokens that came of it. */
PGresult *api_user_rotate(PGconn *pg, const struct act *act, const char *user,
			  const struct api_user_password *password, struct error *error) MUST_CHECK;
PGresult *api_user_disable(PGconn *pg, const struct act *act, const char *user,
			   struct error *error) MUST_CHECK;
PGresult *api_user_enable(PGconn *pg, const struct act *act, const char *user,
			  struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *api_user_show(PGconn *pg, const char *user, struct error *error) MUST_CHECK;
/* NULL for all. */
PGresult *api_user_list(PGconn *pg, const char *account, const char *client,
			struct error *error) MUST_CHECK;

#endif
