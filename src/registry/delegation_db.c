/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/delegation.h"

/* string_to_array(NULL) is NULL: all clients. */
static const struct db_query grant_it = {
	"SELECT stipa.delegation_grant($1, $2, $3, $4, $5, $6, $7, $8::timestamptz,"
	" string_to_array($9, ',')) AS id",
	9
};
static const struct db_query withdraw = {
	"SELECT stipa.delegation_withdraw($1, $2, $3::bigint) AS at", 3
};
/* @clients: to whom it is given, when it is not every client of the account. */
#define COLUMNS                                                                                    \
	"v.id, account, v.spc, state, v.sca, v.cps_version, v.evidence, granted, until,"           \
	" d.every_client, CASE WHEN d.every_client THEN '{}'"                                      \
	" ELSE string_to_array(clients, ',') END AS clients"                                       \
	" FROM stipa.delegation_view AS v JOIN stipa.delegation AS d ON d.id = v.id"
static const struct db_query show = { "SELECT " COLUMNS " WHERE v.id = $1::bigint", 1 };
static const struct db_query list = { "SELECT " COLUMNS " WHERE ($1::text IS NULL OR account = $1)"
				      " AND ($2::bool OR state = 'in force') ORDER BY v.id",
				      2 };

PGresult *delegation_grant(PGconn *pg, const struct act *act, const struct delegation_grant *grant,
			   struct error *error)
{
	const char *const values[] = {
		act->actor,	    act->reason,     grant->account, grant->spc,     grant->sca,
		grant->cps_version, grant->evidence, grant->until,   grant->clients,
	};

	return db_query(pg, &grant_it, values, error);
}

PGresult *delegation_withdraw(PGconn *pg, const struct act *act, const char *id,
			      struct error *error)
{
	const char *const values[] = { act->actor, act->reason, id };

	return db_query(pg, &withdraw, values, error);
}

PGresult *delegation_show(PGconn *pg, const char *id, struct error *error)
{
	return db_query_one(pg, &show, &id, "delegation", id, error);
}

PGresult *delegation_list(PGconn *pg, const char *account, bool past, struct error *error)
{
	const char *const values[] = { account, past ? "true" : "false" };

	return db_query(pg, &list, values, error);
}
