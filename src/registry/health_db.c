/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/health.h"

static const struct db_query settings = {
	"SELECT current_setting('server_version') AS version,"
	" current_setting('server_version_num')::int AS number, session_user::text AS user,"
	" current_setting('synchronous_commit') AS synchronous_commit,"
	" current_setting('default_transaction_isolation') AS isolation,"
	" current_setting('fsync') AS fsync,"
	" current_setting('full_page_writes') AS full_page_writes,"
	" CASE WHEN pg_is_in_recovery() THEN 'on'"
	" ELSE current_setting('default_transaction_read_only') END AS read_only,"
	" current_setting('max_connections')::int"
	" - (SELECT count(*) FROM pg_stat_activity)::int AS connections",
	0
};
static const struct db_query schema = { "SELECT stipa.schema_version() AS schema", 0 };
static const struct db_query clock_query = {
	"SELECT extract(epoch FROM clock_timestamp())::text AS seconds", 0
};
static const struct db_query issuing = { "SELECT stipa.issuing_state($1, $2::timestamptz) AS why",
					 2 };
static const struct db_query partitions = {
	"SELECT coalesce(min(month), 4) AS months FROM generate_series(0, 3) AS month"
	" WHERE NOT EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
	" WHERE i.inhparent = 'stipa.token'::regclass AND c.relname ="
	" to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + month * interval '1 month',"
	" '\"token_\"YYYY_MM'))",
	0
};
static const struct db_query signer = {
	"SELECT x5u, encode(sha256, 'hex') AS sha256, state FROM stipa.node_signer($1)", 1
};

PGresult *health_settings(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &settings, NULL, "settings", "", error);
}

PGresult *health_schema(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &schema, NULL, "schema", "", error);
}

PGresult *health_clock(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &clock_query, NULL, "clock", "", error);
}

PGresult *health_issuing(PGconn *pg, const char *kid, const char *clock, struct error *error)
{
	const char *const values[] = { kid, clock };

	return db_query_one(pg, &issuing, values, "state of", kid, error);
}

PGresult *health_partitions(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &partitions, NULL, "partitions", "", error);
}

PGresult *health_signer(PGconn *pg, const char *kid, struct error *error)
{
	return db_query_one(pg, &signer, &kid, "token signer", kid, error);
}
