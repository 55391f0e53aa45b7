/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/upkeep.h"

static const struct db_query extend = { "SELECT stipa.token_partitions_extend() AS made", 0 };
static const struct db_query list = {
	"SELECT c.relname::text AS partition, pg_get_expr(c.relpartbound, c.oid) AS bounds"
	" FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
	" WHERE i.inhparent = 'stipa.token'::regclass ORDER BY c.relname",
	0
};

PGresult *partitions_extend(PGconn *pg, struct error *error)
{
	return db_query(pg, &extend, NULL, error);
}

PGresult *partitions_list(PGconn *pg, struct error *error)
{
	return db_query(pg, &list, NULL, error);
}
