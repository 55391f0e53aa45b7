/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/mark.h"

static const struct db_query state = {
	"SELECT ledger, CASE WHEN known THEN 'yes' ELSE 'no' END AS known"
	" FROM stipa.mark_state($1::uuid, $2::uuid)",
	2
};
static const struct db_query newest = {
	"SELECT coalesce(t.jti::text, '') AS newest, coalesce(stipa.utc(t.issued_at), '')"
	" AS newest_at FROM (SELECT 1) AS one LEFT JOIN"
	" (SELECT jti, issued_at FROM stipa.token ORDER BY jti DESC LIMIT 1) AS t ON true",
	0
};
static const struct db_query accept_it = {
	"SELECT stipa.utc(at) AS at, coalesce(newest::text, '') AS newest,"
	" coalesce(stipa.utc(newest_at), '') AS newest_at FROM stipa.mark_accept($1, $2, $3::uuid)",
	3
};

PGresult *mark_state(PGconn *pg, const char *jti, const char *ledger, struct error *error)
{
	const char *const values[] = { jti, ledger };

	return db_query_one(pg, &state, values, "state of the", "mark", error);
}

PGresult *mark_newest(PGconn *pg, struct error *error)
{
	return db_query(pg, &newest, NULL, error);
}

PGresult *mark_accept(PGconn *pg, const struct act *act, const char *jti, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, jti };

	return db_query(pg, &accept_it, values, error);
}
