/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/audit.h"

#include <stdio.h>

#define COLUMNS                                                                                    \
	"id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, actor,"    \
	" action, subject, reason, evidence::text AS evidence, encode(previous, 'hex') AS"         \
	" previous, encode(hash, 'hex') AS hash"

static const struct db_query page = {
	"SELECT " COLUMNS " FROM stipa.audit_event WHERE id > $1::bigint"
	" AND ($2::timestamptz IS NULL OR at >= $2::timestamptz)"
	" AND ($3::timestamptz IS NULL OR at < $3::timestamptz) ORDER BY id LIMIT $4::int",
	4
};
static const struct db_query tail = { "SELECT * FROM (SELECT " COLUMNS
				      " FROM stipa.audit_event ORDER BY id DESC"
				      " LIMIT $1::bigint) AS last ORDER BY id",
				      1 };
/* @events: all that there are, also one without a number, which no page has. */
static const struct db_query head = {
	"SELECT id, hash, (SELECT count(*) FROM stipa.audit_event) AS events"
	" FROM stipa.audit_head_view",
	0
};
static const struct db_query begin = { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0 };
static const struct db_query end = { "ROLLBACK", 0 };

PGresult *audit_page(PGconn *pg, long long after, const struct audit_filter *filter,
		     struct error *error)
{
	char id[24], limit[24];
	const char *const values[] = { id, filter->since, filter->until, limit };

	snprintf(id, sizeof(id), "%lld", after);
	snprintf(limit, sizeof(limit), "%d", AUDIT_PAGE);
	return db_query(pg, &page, values, error);
}

PGresult *audit_tail(PGconn *pg, const char *n, struct error *error)
{
	return db_query(pg, &tail, &n, error);
}

PGresult *audit_head(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &head, NULL, "head of", "the audit", error);
}

bool audit_snapshot(PGconn *pg, struct error *error)
{
	PGresult_auto *begun = db_query(pg, &begin, NULL, error);

	return begun != NULL;
}

void audit_snapshot_end(PGconn *pg)
{
	struct error error = { 0 }; /* what fails here has failed before, and was told */

	PQclear(db_query(pg, &end, NULL, &error));
}
