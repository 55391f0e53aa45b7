/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/account.h"

static const struct db_query add = {
	"SELECT stipa.account_add($1, $2, $3, $4, $5, $6::timestamptz)", 6
};
static const struct db_query review = { "SELECT stipa.account_review($1, $2, $3)", 3 };
static const struct db_query approve = {
	"SELECT stipa.account_approve($1, $2, $3, $4, $5::timestamptz)", 5
};
static const struct db_query refuse = { "SELECT stipa.account_refuse($1, $2, $3)", 3 };
static const struct db_query suspend = { "SELECT stipa.account_suspend($1, $2, $3) AS at", 3 };
static const struct db_query reinstate = { "SELECT stipa.account_reinstate($1, $2, $3)", 3 };
static const struct db_query revoke = { "SELECT stipa.account_revoke($1, $2, $3) AS at", 3 };
static const struct db_query close_down = { "SELECT stipa.account_close($1, $2, $3) AS at", 3 };
static const struct db_query verify = {
	"SELECT stipa.account_verify($1, $2, $3, $4, $5::timestamptz) AS at", 5
};
static const struct db_query add_alias = { "SELECT stipa.alias_add($1, $2, $3, $4)", 4 };
static const struct db_query remove_alias = { "SELECT stipa.alias_remove($1, $2, $3, $4) AS at",
					      4 };
static const struct db_query set_life = {
	"SELECT stipa.account_token_life($1, $2, $3, $4::interval) AS at", 4
};
static const struct db_query history = {
	"SELECT state, since, actor, reason, evidence FROM stipa.account_state_view"
	" WHERE account = $1 ORDER BY id",
	1
};
/* What an account has several of is an array. */
#define COLUMNS                                                                                    \
	"account, state, organisation, legal_name, since, actor, reason, verified_until,"          \
	" token_life, string_to_array(spcs, ',') AS spcs, string_to_array(aliases, ',') AS"        \
	" aliases, string_to_array(clients, ',') AS clients"
static const struct db_query show = { "SELECT " COLUMNS
				      ", (SELECT count(*)::int FROM stipa.notice_view AS n"
				      " WHERE n.account = v.account) AS notices"
				      " FROM stipa.account_view AS v WHERE account = $1",
				      1 };
static const struct db_query list = { "SELECT " COLUMNS " FROM stipa.account_view"
				      " WHERE $1::text IS NULL OR state = $1 ORDER BY account",
				      1 };

PGresult *account_add(PGconn *pg, const struct act *act,
		      const struct account_application *application, struct error *error)
{
	const char *const values[] = { act->actor,
				       act->reason,
				       application->account,
				       application->organisation,
				       application->legal_name,
				       application->verified_until };

	return db_query(pg, &add, values, error);
}

/* What needs no more than the account's name. */
static PGresult *step(PGconn *pg, const struct db_query *query, const struct act *act,
		      const char *account, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account };

	return db_query(pg, query, values, error);
}

PGresult *account_review(PGconn *pg, const struct act *act, const char *account,
			 struct error *error)
{
	return step(pg, &review, act, account, error);
}

PGresult *account_refuse(PGconn *pg, const struct act *act, const char *account,
			 struct error *error)
{
	return step(pg, &refuse, act, account, error);
}

PGresult *account_suspend(PGconn *pg, const struct act *act, const char *account,
			  struct error *error)
{
	return step(pg, &suspend, act, account, error);
}

PGresult *account_reinstate(PGconn *pg, const struct act *act, const char *account,
			    struct error *error)
{
	return step(pg, &reinstate, act, account, error);
}

PGresult *account_revoke(PGconn *pg, const struct act *act, const char *account,
			 struct error *error)
{
	return step(pg, &revoke, act, account, error);
}

PGresult *account_close(PGconn *pg, const struct act *act, const char *account, struct error *error)
{
	return step(pg, &close_down, act, account, error);
}

static PGresult *verified(PGconn *pg, const struct db_query *query, const struct act *act,
			  const char *account, const char *evidence, const char *verified_until,
			  struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account, evidence, verified_until };

	return db_query(pg, query, values, error);
}

PGresult *account_approve(PGconn *pg, const struct act *act, const char *account,
			  const char *evidence, const char *verified_until, struct error *error)
{
	return verified(pg, &approve, act, account, evidence, verified_until, error);
}

PGresult *account_verify(PGconn *pg, const struct act *act, const char *account,
			 const char *evidence, const char *verified_until, struct error *error)
{
	return verified(pg, &verify, act, account, evidence, verified_until, error);
}

PGresult *alias_add(PGconn *pg, const struct act *act, const char *account, const char *alias,
		    struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account, alias };

	return db_query(pg, &add_alias, values, error);
}

PGresult *alias_remove(PGconn *pg, const struct act *act, const char *account, const char *alias,
		       struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account, alias };

	return db_query(pg, &remove_alias, values, error);
}

PGresult *account_token_life(PGconn *pg, const struct act *act, const char *account,
			     const char *life, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, account, life };

	return db_query(pg, &set_life, values, error);
}

PGresult *account_show(PGconn *pg, const char *account, struct error *error)
{
	return db_query_one(pg, &show, &account, "account", account, error);
}

PGresult *account_list(PGconn *pg, const char *state, struct error *error)
{
	return db_query(pg, &list, &state, error);
}

PGresult *account_history(PGconn *pg, const char *account, struct error *error)
{
	return db_query_one(pg, &history, &account, "account", account, error);
}
