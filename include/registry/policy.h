/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for everybody: one row for each version.  See registry/account.h. */
#ifndef REGISTRY_POLICY_H
#define REGISTRY_POLICY_H

#include "registry/act.h"

struct policy_values {
	const char *token_life;	     /* an interval */
	const char *optional_claims; /* the sum of CLAIM_* of issue/claims.h */
	const char *issuer;	     /* NULL: none */
	const char *form_2017;	     /* on or off */
	const char *access_life;     /* of access tokens, an interval */
	const char *begins;	     /* NULL: now */
};

PGresult *policy_set(PGconn *pg, const struct act *act, const struct policy_values *policy,
		     struct error *error) MUST_CHECK;
/* The version that counts now, one row: as policy_set() takes it, and as people read it. */
PGresult *policy_now(PGconn *pg, struct error *error) MUST_CHECK;
PGresult *policy_show(PGconn *pg, struct error *error) MUST_CHECK;
PGresult *policy_list(PGconn *pg, struct error *error) MUST_CHECK;

/* kid, retired, removed of the signers whose certificate may end before a token of this life. */
PGresult *policy_outlived(PGconn *pg, const char *token_life, struct error *error) MUST_CHECK;

#endif
