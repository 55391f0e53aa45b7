/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/client.h"

#include "bytea.h"

#define DIGEST_MAX BYTEA_TEXT_MAX(SHA256_LEN)
#define SPKI_MAX   BYTEA_TEXT_MAX(CLIENT_KEY_SPKI_LEN)

static const struct db_query add = {
	"SELECT stipa.client_add($1, $2, $3, $4, $5::bytea, $6::timestamptz, $7::bytea)", 7
};
static const struct db_query rotate = {
	"SELECT stipa.client_rotate($1, $2, $3, $4::bytea, $5::timestamptz, $6::timestamptz,"
	" $7::bytea) AS at",
	7
};
static const struct db_query disable = { "SELECT stipa.client_disable($1, $2, $3) AS at", 3 };
static const struct db_query enable = { "SELECT stipa.client_enable($1, $2, $3)", 3 };
static const struct db_query allow = {
	"SELECT stipa.client_allow($1, $2, $3, string_to_array($4, ',')) AS at", 4
};
static const struct db_query pin = {
	"SELECT stipa.client_pin($1, $2, $3, ARRAY(SELECT decode(f, 'hex')"
	" FROM unnest(string_to_array($4, ',')) WITH ORDINALITY AS p (f, n) ORDER BY n)) AS at",
	4
};
static const struct db_query scopes_query = {
	"SELECT stipa.client_scopes($1, $2, $3, $4::int2) AS at", 4
};
static const struct db_query key_add = {
	"SELECT stipa.client_key_add($1, $2, $3, $4, $5::bytea, $6::timestamptz)", 6
};
static const struct db_query key_remove = { "SELECT stipa.client_key_remove($1, $2, $3, $4) AS at",
					    4 };
static const struct db_query key_show = {
	"SELECT * FROM stipa.client_key_view WHERE client = $1 AND kid = $2", 2
};
static const struct db_query key_list = {
	"SELECT * FROM stipa.client_key_view WHERE ($1::text IS NULL OR client = $1)"
	" AND ($2::bool OR state <> 'removed') ORDER BY client, created, kid",
	2
};
/* What a client has several of is an array. */
#define COLUMNS                                                                                    \
	"client, account, state, secrets::int, expires, created, disabled,"                        \
	" string_to_array(scopes, ' ') AS scopes, string_to_array(allowed, ',') AS allowed,"       \
	" string_to_array(pinned, ',') AS pinned, string_to_array(keys, ',') AS keys,"             \
	" string_to_array(users, ',') AS users"
static const struct db_query show = { "SELECT " COLUMNS " FROM stipa.client_view WHERE client = $1",
				      1 };
static const struct db_query list = {
	"SELECT " COLUMNS " FROM stipa.client_view WHERE $1::text IS NULL OR account = $1"
	" ORDER BY account, client",
	1
};

PGresult *client_add(PGconn *pg, const struct act *act, const char *account, const char *client,
		     const struct client_credential *credential, struct error *error)
{
	char digest[DIGEST_MAX], secret[DIGEST_MAX];
	const char *const values[] = { act->actor, act->reason,		account, client,
				       digest,	   credential->expires, secret };

	bytea_text(credential->digest, SHA256_LEN, digest);
	bytea_text(credential->secret_digest, SHA256_LEN, secret);
	return db_query(pg, &add, values, error);
}

PGresult *client_rotate(PGconn *pg, const struct act *act, const char *client,
			const struct client_credential *credential, const char *keep_old_until,
			struct error *error)
{
	char digest[DIGEST_MAX], secret[DIGEST_MAX];
	const char *const values[] = { act->actor,	    act->reason,    client, digest,
				       credential->expires, keep_old_until, secret };

	bytea_text(credential->digest, SHA256_LEN, digest);
	bytea_text(credential->secret_digest, SHA256_LEN, secret);
	return db_query(pg, &rotate, values, error);
}

static PGresult *step(PGconn *pg, const struct db_query *query, const struct act *act,
		      const char *client, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, client };

	return db_query(pg, query, values, error);
}

PGresult *client_disable(PGconn *pg, const struct act *act, const char *client, struct error *error)
{
	return step(pg, &disable, act, client, error);
}

PGresult *client_enable(PGconn *pg, const struct act *act, const char *client, struct error *error)
{
	return step(pg, &enable, act, client, error);
}

static PGresult *set(PGconn *pg, const struct db_query *query, const struct act *act,
		     const char *client, const char *value, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, client, value };

	return db_query(pg, query, values, error);
}

PGresult *client_allow(PGconn *pg, const struct act *act, const char *client, const char *networks,
		       struct error *error)
{
	return set(pg, &allow, act, client, networks, error);
}

PGresult *client_pin(PGconn *pg, const struct act *act, const char *client, const char *hex,
		     struct error *error)
{
	return set(pg, &pin, act, client, hex, error);
}

PGresult *client_scopes(PGconn *pg, const struct act *act, const char *client, const char *scopes,
			struct error *error)
{
	return set(pg, &scopes_query, act, client, scopes, error);
}

PGresult *client_key_add(PGconn *pg, const struct act *act, const char *client,
			 const struct client_key *key, struct error *error)
{
	char spki[SPKI_MAX];
	const char *const values[] = {
		act->actor, act->reason, client, key->kid, spki, key->expires
	};

	bytea_text(key->spki, sizeof(key->spki), spki);
	return db_query(pg, &key_add, values, error);
}

PGresult *client_key_remove(PGconn *pg, const struct act *act, const char *client, const char *kid,
			    struct error *error)
{
	return set(pg, &key_remove, act, client, kid, error);
}

PGresult *client_key_show(PGconn *pg, const char *client, const char *kid, struct error *error)
{
	const char *const values[] = { client, kid };

	return db_query_one(pg, &key_show, values, "key", kid, error);
}

PGresult *client_key_list(PGconn *pg, const char *client, bool past, struct error *error)
{
	const char *const values[] = { client, past ? "true" : "false" };

	return db_query(pg, &key_list, values, error);
}

PGresult *client_show(PGconn *pg, const char *client, struct error *error)
{
	return db_query_one(pg, &show, &client, "client", client, error);
}

PGresult *client_list(PGconn *pg, const char *account, struct error *error)
{
	return db_query(pg, &list, &account, error);
}
