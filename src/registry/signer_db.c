/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/signer.h"

/* Published, and unless told otherwise active, by the clock that judges it. */
static const struct db_query register_it = {
	"SELECT stipa.signer_register($1, $2, $3, 'token', $4::bytea, $5, $6, now(),"
	" coalesce($7::timestamptz, now()), $8::timestamptz, $9::timestamptz)",
	9
};
#define COLUMNS "kid, purpose, state, active, retired, removed, x5u, sha256"
static const struct db_query show = { "SELECT " COLUMNS " FROM stipa.signer_view WHERE kid = $1",
				      1 };
static const struct db_query list = { "SELECT " COLUMNS
				      " FROM stipa.signer_view ORDER BY active, kid",
				      0 };

PGresult *signer_register(PGconn *pg, const struct act *act, const struct signer_register *signer,
			  struct error *error)
{
	const char *const values[] = {
		act->actor,  act->reason,      signer->kid,    signer->certificate, signer->chain,
		signer->x5u, signer->activate, signer->retire, signer->remove,
	};

	return db_query(pg, &register_it, values, error);
}

PGresult *signer_show(PGconn *pg, const char *kid, struct error *error)
{
	return db_query_one(pg, &show, &kid, "signer", kid, error);
}

PGresult *signer_list(PGconn *pg, struct error *error)
{
	return db_query(pg, &list, NULL, error);
}
