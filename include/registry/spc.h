/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds which service provider code.  See registry/account.h for how these functions are. */
#ifndef REGISTRY_SPC_H
#define REGISTRY_SPC_H

#include "registry/act.h"

struct spc_award {
	const char *account, *spc, *kind;
	const char *verified_until; /* NULL: as long as the account is */
	const char *evidence;
};

PGresult *spc_assign(PGconn *pg, const struct act *act, const struct spc_award *award,
		     struct error *error) MUST_CHECK;
PGresult *spc_withdraw(PGconn *pg, const struct act *act, const char *account, const char *spc,
		       struct error *error) MUST_CHECK;
/* Its term is the award's from now on: longer, shorter or over; the kind stays. */
PGresult *spc_verify(PGconn *pg, const struct act *act, const struct spc_award *award,
		     struct error *error) MUST_CHECK;
/* To the award's account; the kind stays. */
PGresult *spc_transfer(PGconn *pg, const struct act *act, const struct spc_award *award,
		       struct error *error) MUST_CHECK;

/* How an account holds, or last held, a code. */
PGresult *spc_last(PGconn *pg, const char *account, const char *spc,
		   struct error *error) MUST_CHECK;

/* NULL for all; @past: also what is held no more. */
PGresult *spc_list(PGconn *pg, const char *account, const char *spc, bool past,
		   struct error *error) MUST_CHECK;

#endif
