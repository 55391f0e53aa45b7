/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/ledger.h"

static const struct db_query show = {
	"SELECT jti, account, client, spc, ca::bool, form, issued, expires, kid, x5u, tkvalue,"
	" fingerprint, optional_claims, iss, credential, request_id, peer"
	" FROM stipa.token_view WHERE jti = $1::uuid",
	1
};
/* A jti begins with its time, by the clock of a node: that leaves out whole partitions, and the
 * database's own time decides. */
static const struct db_query list = {
	"SELECT jti, issued, expires, account, client, spc, ca::bool, form, kid"
	" FROM stipa.token_view WHERE ($1::text IS NULL OR account = $1)"
	" AND ($2::text IS NULL OR spc = $2)"
	" AND ($3::timestamptz IS NULL OR issued_at >= $3::timestamptz)"
	" AND jti >= (lpad(to_hex(greatest(0, floor(extract(epoch FROM"
	" coalesce($3::timestamptz, 'epoch') - interval '1 min') * 1000))::bigint), 12, '0')"
	" || repeat('0', 20))::uuid"
	" ORDER BY jti DESC LIMIT $4::bigint",
	4
};

PGresult *token_show(PGconn *pg, const char *jti, struct error *error)
{
	return db_query_one(pg, &show, &jti, "token", jti, error);
}

PGresult *token_list(PGconn *pg, const struct ledger_filter *filter, struct error *error)
{
	const char *const values[] = { filter->account, filter->spc, filter->since, filter->limit };

	return db_query(pg, &list, values, error);
}
