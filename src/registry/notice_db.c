/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/notice.h"

static const struct db_query list = {
	"SELECT * FROM stipa.notice_view WHERE ($1::text IS NULL OR account = $1)"
	" AND ($2::timestamptz IS NULL OR at >= stipa.utc($2::timestamptz))"
	" ORDER BY id DESC LIMIT $3::bigint",
	3
};

PGresult *notice_list(PGconn *pg, const char *account, const char *since, const char *limit,
		      struct error *error)
{
	const char *const values[] = { account, since, limit };

	return db_query(pg, &list, values, error);
}
