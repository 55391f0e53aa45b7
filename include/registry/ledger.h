/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the ledger of tokens and the refusals. */
#ifndef REGISTRY_LEDGER_H
#define REGISTRY_LEDGER_H

#include "db/query.h"

struct ledger_filter {
	const char *account, *spc, *since; /* NULL: any */
	const char *limit;
};

/* One row, or ERROR_NOT_FOUND. */
PGresult *token_show(PGconn *pg, const char *jti, struct error *error) MUST_CHECK;
/* Newest first. */
PGresult *token_list(PGconn *pg, const struct ledger_filter *filter,
		     struct error *error) MUST_CHECK;

struct refusal_filter {
	const char *account, *client, *spc, *since; /* NULL: any */
	const char *limit;
};

/* Newest first.  Of a client that is refused often not each is kept, of strangers none. */
PGresult *refusal_list(PGconn *pg, const struct refusal_filter *filter,
		       struct error *error) MUST_CHECK;
/* How many there were of each client, verdict and defect; strangers too. */
PGresult *refusal_count(PGconn *pg, const char *client, const char *since,
			struct error *error) MUST_CHECK;

#endif
