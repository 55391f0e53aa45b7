/* SPDX-License-Identifier: Apache-2.0 */
/* The right to tokens with "ca": true.  See registry/account.h for how these functions are. */
#ifndef REGISTRY_DELEGATION_H
#define REGISTRY_DELEGATION_H

#include "registry/act.h"

struct delegation_grant {
	const char *account, *spc, *sca, *cps_version, *evidence, *until;
	const char *clients; /* by comma; NULL: all of the account */
};

/* One row with the column "id". */
PGresult *delegation_grant(PGconn *pg, const struct act *act, const struct delegation_grant *grant,
			   struct error *error) MUST_CHECK;
PGresult *delegation_withdraw(PGconn *pg, const struct act *act, const char *id,
			      struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *delegation_show(PGconn *pg, const char *id, struct error *error) MUST_CHECK;
/* NULL for all; @past: also what is in force no more. */
PGresult *delegation_list(PGconn *pg, const char *account, bool past,
			  struct error *error) MUST_CHECK;

#endif
