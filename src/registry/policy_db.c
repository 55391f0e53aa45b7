/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/policy.h"

#include "columns.h"

static const struct db_query set = {
	"SELECT stipa.policy_set($1, $2, $3::interval, $4::int2, $5, $6::bool, $7::timestamptz,"
	" $8::interval)",
	8
};
#define FROM_NOW                                                                                   \
	" FROM stipa.policy_view WHERE begins <= stipa.utc(now())"                                 \
	" ORDER BY begins DESC, version DESC LIMIT 1"
static const struct db_query now = { "SELECT *" FROM_NOW, 0 };
static const struct db_query show = { "SELECT " POLICY_COLUMNS FROM_NOW, 0 };
static const struct db_query list = { "SELECT " POLICY_COLUMNS
				      " FROM stipa.policy_view ORDER BY begins, version",
				      0 };

/* A token signed in the last moment before retire_at must end before the certificate does. */
static const struct db_query outlived = {
	"SELECT kid, stipa.utc(retire_at) AS retired, stipa.utc(remove_at) AS removed"
	" FROM stipa.signer_certificate WHERE purpose = 'token' AND retire_at > now()"
	" AND retire_at + $1::interval > remove_at ORDER BY kid",
	1
};

PGresult *policy_set(PGconn *pg, const struct act *act, const struct policy_values *policy,
		     struct error *error)
{
	const char *const values[] = { act->actor,	   act->reason,
				       policy->token_life, policy->optional_claims,
				       policy->issuer,	   policy->form_2017,
				       policy->begins,	   policy->access_life };

	return db_query(pg, &set, values, error);
}

PGresult *policy_now(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &now, NULL, "policy", "in force", error);
}

PGresult *policy_show(PGconn *pg, struct error *error)
{
	return db_query_one(pg, &show, NULL, "policy", "in force", error);
}

PGresult *policy_list(PGconn *pg, struct error *error)
{
	return db_query(pg, &list, NULL, error);
}

PGresult *policy_outlived(PGconn *pg, const char *token_life, struct error *error)
{
	return db_query(pg, &outlived, &token_life, error);
}
