/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/request.h"

#include "columns.h"

static const struct db_query rows = {
	"SELECT request_id, kind, to_char(at_time AT TIME ZONE 'UTC',"
	" 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, coalesce(client, '') AS client,"
	" coalesce(account, '') AS account, spc, verdict, defect::int, jti,"
	" coalesce(asked_by, '') AS asked_by, peer"
	" FROM stipa.request_view WHERE request_id = $1 ORDER BY at_time DESC LIMIT 20",
	1
};
static const struct db_query policy = {
	"SELECT " POLICY_COLUMNS
	" FROM stipa.policy_view WHERE version = (SELECT version FROM stipa.policy"
	" WHERE begins_at <= $1::timestamptz ORDER BY begins_at DESC LIMIT 1)",
	1
};
#define SUBJECTS "subject IN ($1, $2, (SELECT account FROM stipa.client_view WHERE client = $2))"
#define ACTS	 "id, stipa.utc(at) AS at, actor, action, subject, reason FROM stipa.audit_event"
static const struct db_query acts_before = {
	"SELECT * FROM (SELECT " ACTS " WHERE " SUBJECTS
	" AND audit_event.at < $3::timestamptz ORDER BY id DESC LIMIT 5) AS last ORDER BY id",
	3
};
static const struct db_query acts_after = { "SELECT " ACTS " WHERE " SUBJECTS
					    " AND audit_event.at >= $3::timestamptz"
					    " ORDER BY id LIMIT 5",
					    3 };

PGresult *request_rows(PGconn *pg, const char *request_id, struct error *error)
{
	return db_query_one(pg, &rows, &request_id, "request", request_id, error);
}

PGresult *request_policy(PGconn *pg, const char *at, struct error *error)
{
	return db_query_one(pg, &policy, &at, "policy at", at, error);
}

PGresult *request_acts(PGconn *pg, const char *account, const char *client, const char *at,
		       bool before, struct error *error)
{
	const char *const values[] = { account, client, at };

	return db_query(pg, before ? &acts_before : &acts_after, values, error);
}
