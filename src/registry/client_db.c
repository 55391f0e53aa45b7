/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/client.h"

#include <stdio.h>

/* A bytea in text: \x and hexadecimals. */
#define BYTEA_MAX (2 + 2 * SHA256_LEN + 1)

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
static const struct db_query show = { "SELECT * FROM stipa.client_view WHERE client = $1", 1 };
static const struct db_query list = {
	"SELECT * FROM stipa.client_view WHERE $1::text IS NULL OR account = $1"
	" ORDER BY account, client",
	1
};

static void bytea_of(const uint8_t digest[SHA256_LEN], char text[BYTEA_MAX])
{
	text[0] = '\\';
	text[1] = 'x';
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", digest[i]);
}

PGresult *client_add(PGconn *pg, const struct act *act, const char *account, const char *client,
		     const struct client_digests *digests, const char *expires, struct error *error)
{
	char of_client[BYTEA_MAX], of_nobody[BYTEA_MAX];
	const char *const values[] = { act->actor, act->reason, account,  client,
				       of_client,  expires,	of_nobody };

	bytea_of(digests->client, of_client);
	bytea_of(digests->nobody, of_nobody);
	return db_query(pg, &add, values, error);
}

PGresult *client_rotate(PGconn *pg, const struct act *act, const char *client,
			const struct client_digests *digests, const char *expires,
			const char *keep_old_until, struct error *error)
{
	char of_client[BYTEA_MAX], of_nobody[BYTEA_MAX];
	const char *const values[] = { act->actor, act->reason,	   client,   of_client,
				       expires,	   keep_old_until, of_nobody };

	bytea_of(digests->client, of_client);
	bytea_of(digests->nobody, of_nobody);
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

PGresult *client_show(PGconn *pg, const char *client, struct error *error)
{
	return db_query_one(pg, &show, &client, "client", client, error);
}

PGresult *client_list(PGconn *pg, const char *account, struct error *error)
{
	return db_query(pg, &list, &account, error);
}
