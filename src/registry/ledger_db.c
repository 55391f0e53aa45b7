/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/ledger.h"

#include "columns.h"

static const struct db_query show = {
	"SELECT jti, account, client, spc, ca::bool, form, issued, expires, kid, x5u, tkvalue,"
	" fingerprint, " CLAIMS_COLUMN ", iss, credential::bigint, asked_by, request_id, peer"
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

static const struct db_query refusals = {
	"SELECT refused, client, account, spc, verdict, defect::int, request_id, peer"
	" FROM stipa.refusal_view WHERE ($1::text IS NULL OR account = $1)"
	" AND ($2::text IS NULL OR client = $2) AND ($3::text IS NULL OR spc = $3)"
	" AND ($4::timestamptz IS NULL OR refused >= stipa.utc($4::timestamptz))"
	" ORDER BY id DESC LIMIT $5::bigint",
	5
};
static const struct db_query refusals_counted = {
	"SELECT client, verdict, defect::int, sum(refused::bigint)::bigint AS refused,"
	" min(minute) AS first, max(minute) AS last"
	" FROM stipa.refusal_minute_view WHERE ($1::text IS NULL OR client = $1)"
	" AND ($2::timestamptz IS NULL"
	" OR minute >= stipa.utc(date_trunc('minute', $2::timestamptz)))"
	" GROUP BY client, verdict, defect ORDER BY refused DESC, client, verdict, defect",
	2
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

PGresult *refusal_list(PGconn *pg, const struct refusal_filter *filter, struct error *error)
{
	const char *const values[] = { filter->account, filter->client, filter->spc, filter->since,
				       filter->limit };

	return db_query(pg, &refusals, values, error);
}

PGresult *refusal_count(PGconn *pg, const char *client, const char *since, struct error *error)
{
	const char *const values[] = { client, since };

	return db_query(pg, &refusals_counted, values, error);
}
