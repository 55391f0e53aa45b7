/* SPDX-License-Identifier: Apache-2.0 */
/* API clients, their credentials and keys, and what narrows them.  See registry/account.h for how
 * these functions are. */
#ifndef REGISTRY_CLIENT_H
#define REGISTRY_CLIENT_H

#include <stdint.h>

#include "crypto/digest.h"
#include "registry/act.h"

#define CLIENT_KEY_SPKI_LEN 91 /* of P-256, DER, point not compressed */

/* What is kept of a secret. */
struct client_credential {
	uint8_t digest[SHA256_LEN];	   /* with the client */
	uint8_t secret_digest[SHA256_LEN]; /* of the secret alone: finds it when it is reported */
	const char *expires;
};

PGresult *client_add(PGconn *pg, const struct act *act, const char *account, const char *client,
		     const struct client_credential *credential, struct error *error) MUST_CHECK;
/* The old credentials end at @keep_old_until, or now when it is NULL. */
PGresult *client_rotate(PGconn *pg, const struct act *act, const char *client,
			const struct client_credential *credential, const char *keep_old_until,
			struct error *error) MUST_CHECK;
PGresult *client_disable(PGconn *pg, const struct act *act, const char *client,
			 struct error *error) MUST_CHECK;
PGresult *client_enable(PGconn *pg, const struct act *act, const char *client,
			struct error *error) MUST_CHECK;

/* Where it may ask from: networks by comma; NULL: everywhere. */
PGresult *client_allow(PGconn *pg, const struct act *act, const char *client, const char *networks,
		       struct error *error) MUST_CHECK;
/* For which fingerprints: 32 octets each in hexadecimal, by comma; NULL: any. */
PGresult *client_pin(PGconn *pg, const struct act *act, const char *client, const char *hex,
		     struct error *error) MUST_CHECK;
/* What its access tokens may be for: the sum of the bits of api_client.scopes. */
PGresult *client_scopes(PGconn *pg, const struct act *act, const char *client, const char *scopes,
			struct error *error) MUST_CHECK;

/* A public key for private_key_jwt. */
struct client_key {
	const char *kid, *expires;
	uint8_t spki[CLIENT_KEY_SPKI_LEN];
};

PGresult *client_key_add(PGconn *pg, const struct act *act, const char *client,
			 const struct client_key *key, struct error *error) MUST_CHECK;
PGresult *client_key_remove(PGconn *pg, const struct act *act, const char *client, const char *kid,
			    struct error *error) MUST_CHECK;
/* One row, or ERROR_NOT_FOUND. */
PGresult *client_key_show(PGconn *pg, const char *client, const char *kid,
			  struct error *error) MUST_CHECK;
/* @client: NULL for all; @past: also those removed. */
PGresult *client_key_list(PGconn *pg, const char *client, bool past,
			  struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *client_show(PGconn *pg, const char *client, struct error *error) MUST_CHECK;
/* @account: NULL for all. */
PGresult *client_list(PGconn *pg, const char *account, struct error *error) MUST_CHECK;

#endif
