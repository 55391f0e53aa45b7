/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SP accounts in the database.  Each function is one call of the SQL function of the same name,
 * which decides, audits and commits; times are RFC 3339 text.  Those that take rights away return
 * one row with the column "at": from that moment on no token is issued under the old right.
 */
#ifndef REGISTRY_ACCOUNT_H
#define REGISTRY_ACCOUNT_H

#include "registry/act.h"

struct account_application {
	const char *account, *organisation;
	const char *legal_name; /* NULL: the organisation's name */
	const char *verified_until;
};

PGresult *account_add(PGconn *pg, const struct act *act,
		      const struct account_application *application,
		      struct error *error) MUST_CHECK;
PGresult *account_review(PGconn *pg, const struct act *act, const char *account,
			 struct error *error) MUST_CHECK;
PGresult *account_approve(PGconn *pg, const struct act *act, const char *account,
			  const char *evidence, const char *verified_until,
			  struct error *error) MUST_CHECK;
PGresult *account_refuse(PGconn *pg, const struct act *act, const char *account,
			 struct error *error) MUST_CHECK;
PGresult *account_suspend(PGconn *pg, const struct act *act, const char *account,
			  struct error *error) MUST_CHECK;
PGresult *account_reinstate(PGconn *pg, const struct act *act, const char *account,
			    struct error *error) MUST_CHECK;
PGresult *account_revoke(PGconn *pg, const struct act *act, const char *account,
			 struct error *error) MUST_CHECK;
PGresult *account_close(PGconn *pg, const struct act *act, const char *account,
			struct error *error) MUST_CHECK;
/* It may shorten the term, and so take rights away. */
PGresult *account_verify(PGconn *pg, const struct act *act, const char *account,
			 const char *evidence, const char *verified_until,
			 struct error *error) MUST_CHECK;
PGresult *alias_add(PGconn *pg, const struct act *act, const char *account, const char *alias,
		    struct error *error) MUST_CHECK;
PGresult *alias_remove(PGconn *pg, const struct act *act, const char *account, const char *alias,
		       struct error *error) MUST_CHECK;
/* @life: an interval, or NULL for the policy's. */
PGresult *account_token_life(PGconn *pg, const struct act *act, const char *account,
			     const char *life, struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *account_show(PGconn *pg, const char *account, struct error *error) MUST_CHECK;
/* Its states, oldest first, or ERROR_NOT_FOUND. */
PGresult *account_history(PGconn *pg, const char *account, struct error *error) MUST_CHECK;
/* @state: NULL for all. */
PGresult *account_list(PGconn *pg, const char *state, struct error *error) MUST_CHECK;

#endif
