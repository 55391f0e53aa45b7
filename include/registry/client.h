/* SPDX-License-Identifier: Apache-2.0 */
/* API clients and their credentials.  See registry/account.h for how these functions are. */
#ifndef REGISTRY_CLIENT_H
#define REGISTRY_CLIENT_H

#include <stdint.h>

#include "crypto/digest.h"
#include "registry/act.h"

PGresult *client_add(PGconn *pg, const struct act *act, const char *account, const char *client,
		     const uint8_t digest[SHA256_LEN], const char *expires,
		     struct error *error) MUST_CHECK;
/* The old credentials end at @keep_old_until, or now when it is NULL. */
PGresult *client_rotate(PGconn *pg, const struct act *act, const char *client,
			const uint8_t digest[SHA256_LEN], const char *expires,
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
