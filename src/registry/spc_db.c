/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/spc.h"

static const struct db_query assign = {
	"SELECT stipa.spc_assign($1, $2, $3, $4, $5, $6::timestamptz, $7)", 7
};
static const struct db_query withdraw = { "SELECT stipa.spc_withdraw($1, $2, $3, $4) AS at", 4 };
static const struct db_query verify = {
	"SELECT stipa.spc_verify($1, $2, $3, $4, $5, $6::timestamptz) AS at", 6
};
static const struct db_query transfer = {
	"SELECT stipa.spc_transfer($1, $2, $3, $4, $5, $6::timestamptz) AS at", 6
};
static const struct db_query list = {
	"SELECT * FROM stipa.spc_view WHERE ($1::text IS NULL OR account = $1)"
	" AND ($2::text IS NULL OR spc = $2)"
	" AND ($3::bool OR state <> 'ended') ORDER BY spc, held_from",
	3
};
static const struct db_query last = { "SELECT * FROM stipa.spc_view WHERE account = $1 AND spc = $2"
				      " ORDER BY held_from DESC LIMIT 1",
				      2 };

PGresult *spc_assign(PGconn *pg, const struct act *act, const struct spc_award *award,
		     struct error *error)
{
	const char *const values[] = { act->actor,     act->reason, award->account,
				       award->spc,     award->kind, award->verified_until,
				       award->evidence };

	return db_query(pg, &assign, values, error);
}

PGresult *spc_withdraw(PGconn *pg, const struct act *act, const char *account, const char *spc,
		       struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account, spc };

	return db_query(pg, &withdraw, values, error);
}

PGresult *spc_verify(PGconn *pg, const struct act *act, const struct spc_award *award,
		     struct error *error)
{
	const char *const values[] = { act->actor, act->reason,	    award->account,
				       award->spc, award->evidence, award->verified_until };

	return db_query(pg, &verify, values, error);
}

PGresult *spc_transfer(PGconn *pg, const struct act *act, const struct spc_award *award,
		       struct error *error)
{
	const char *const values[] = { act->actor,     act->reason,	award->spc,
				       award->account, award->evidence, award->verified_until };

	return db_query(pg, &transfer, values, error);
}

PGresult *spc_list(PGconn *pg, const char *account, const char *spc, bool past, struct error *error)
{
	const char *const values[] = { account, spc, past ? "true" : "false" };

	return db_query(pg, &list, values, error);
}

PGresult *spc_last(PGconn *pg, const char *account, const char *spc, struct error *error)
{
	const char *const values[] = { account, spc };

	return db_query_one(pg, &last, values, "holder of the SPC", spc, error);
}
