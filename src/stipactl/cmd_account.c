/* SPDX-License-Identifier: Apache-2.0 */
/* SP accounts: applied → in review → active ⇄ suspended → revoked | closed. */
#include <string.h>

#include "act.h"
#include "registry/account.h"

#define VERIFIED_DEFAULT "365d"

typedef PGresult *(*account_step_fn)(PGconn *pg, const struct act *act, const char *account,
				     struct error *error);

/* One step of an account's life, then what it is now. */
static bool step(struct ctl *ctl, account_step_fn account_step, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = account_step(ctl->pg, &act, account, error);
	PGresult_auto *shown = acted != NULL ? account_show(ctl->pg, account, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool review(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_review, error);
}

static bool refuse(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_refuse, error);
}

static bool suspend(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_suspend, error);
}

static bool reinstate(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_reinstate, error);
}

static bool revoke(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_revoke, error);
}

static bool close_account(struct ctl *ctl, struct error *error)
{
	return step(ctl, account_close, error);
}

static bool add(struct ctl *ctl, struct error *error)
{
	char until[WHEN_TEXT_MAX];
	struct account_application application = {
		.account = ctl_value(ctl, "ACCOUNT"),
		.organisation = ctl_value(ctl, "--organisation"),
		.legal_name = ctl_value(ctl, "--legal-name"),
		.verified_until = until,
	};
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = NULL;
	PGresult_auto *shown = NULL;

	if (!when_parse(ctl_value_or(ctl, "--verified-until", VERIFIED_DEFAULT), WHEN_AHEAD,
			ctl->now, until, error))
		return false;
	acted = account_add(ctl->pg, &act, &application, error);
	shown = acted != NULL ? account_show(ctl->pg, application.account, error) : NULL;
	return show_acted(ctl, acted, shown, error);
}

typedef PGresult *(*account_verified_fn)(PGconn *pg, const struct act *act, const char *account,
					 const char *evidence, const char *verified_until,
					 struct error *error);

static bool verified(struct ctl *ctl, account_verified_fn account_verified, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT");
	struct act act = ctl_act(ctl);
	char until[WHEN_TEXT_MAX];
	PGresult_auto *acted =
		account_verified(ctl->pg, &act, account, ctl_value(ctl, "--evidence"),
				 ctl_time(ctl, "--verified-until", WHEN_AHEAD, until), error);
	PGresult_auto *shown = acted != NULL ? account_show(ctl->pg, account, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool approve(struct ctl *ctl, struct error *error)
{
	return verified(ctl, account_approve, error);
}

static bool verify(struct ctl *ctl, struct error *error)
{
	return verified(ctl, account_verify, error);
}

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = account_show(ctl->pg, ctl_value(ctl, "ACCOUNT"), error);

	return show_record(ctl, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = account_list(ctl->pg, ctl_value(ctl, "--state"), error);

	return show_list(ctl, shown, error);
}

static bool history(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = account_history(ctl->pg, ctl_value(ctl, "ACCOUNT"), error);

	return show_list(ctl, shown, error);
}

static bool token_life(struct ctl *ctl, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT"), *life = ctl_value(ctl, "LIFE");
	struct act act = ctl_act(ctl);
	char interval[WHEN_TEXT_MAX];
	PGresult_auto *acted = NULL;
	PGresult_auto *shown = NULL;

	if (strcmp(life, "policy") != 0 && !when_interval(life, interval, error))
		return false;
	acted = account_token_life(ctl->pg, &act, account,
				   strcmp(life, "policy") != 0 ? interval : NULL, error);
	shown = acted != NULL ? account_show(ctl->pg, account, error) : NULL;
	return show_acted(ctl, acted, shown, error);
}

static bool check_life(const char *text, struct error *error)
{
	return strcmp(text, "policy") == 0 || check_distance(text, error);
}

static bool add_alias(struct ctl *ctl, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = alias_add(ctl->pg, &act, account, ctl_value(ctl, "ALIAS"), error);
	PGresult_auto *shown = acted != NULL ? account_show(ctl->pg, account, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool remove_alias(struct ctl *ctl, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = alias_remove(ctl->pg, &act, account, ctl_value(ctl, "ALIAS"), error);
	PGresult_auto *shown = acted != NULL ? account_show(ctl->pg, account, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

/* The states of design and schema, in the order of a life. */
static bool check_state(const char *text, struct error *error)
{
	static const char *const states[] = { "applied",   "in_review", "active", "refused",
					      "suspended", "revoked",	"closed" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(text, states[i]) == 0)
			return true;
	return error_set(error, ERROR_INVALID,
			 "a state is applied, in_review, active, refused, suspended, revoked or "
			 "closed");
}

/* clang-format off */
static const struct param show_params[] = { PARAM_ACCOUNT, { 0 } };
static const struct param give_params[] = { PARAM_ACCOUNT, PARAM_REASON, { 0 } };
static const struct param take_params[] = { PARAM_ACCOUNT, PARAM_REASON_REQUIRED, { 0 } };
static const struct param list_params[] = {
	{ "--state", "STATE", 0, check_state, "only those in this state" },
	{ 0 },
};
static const struct param add_params[] = {
	PARAM_ACCOUNT,
	{ "--organisation", "NAME", PARAM_REQUIRED, check_reason,
	  "who it is; made when there is none of the name" },
	{ "--legal-name", "NAME", 0, check_reason, "of a new organisation [its name]" },
	{ "--verified-until", "TIME", 0, check_time_ahead, "the term [" VERIFIED_DEFAULT "]" },
	PARAM_REASON,
	{ 0 },
};
static const struct param approve_params[] = {
	PARAM_ACCOUNT,
	{ "--verified-until", "TIME", 0, check_time_ahead,
	  "when it is to be verified again [as applied]" },
	PARAM_EVIDENCE,
	PARAM_REASON,
	{ 0 },
};
static const struct param verify_params[] = {
	PARAM_ACCOUNT,
	{ "--verified-until", "TIME", PARAM_REQUIRED, check_time,
	  "the new term; it may be shorter, or over" },
	PARAM_EVIDENCE,
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param life_params[] = {
	PARAM_ACCOUNT,
	{ "LIFE", NULL, PARAM_REQUIRED, check_life, "10m to 398d, or 'policy'" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
#define PARAM_ALIAS { "ALIAS", NULL, PARAM_REQUIRED, check_alias, "its other name" }
static const struct param alias_params[] = { PARAM_ACCOUNT, PARAM_ALIAS, PARAM_REASON, { 0 } };
static const struct param unalias_params[] = {
	PARAM_ACCOUNT, PARAM_ALIAS, PARAM_REASON_REQUIRED, { 0 },
};

const struct command account_commands[] = {
	{ "account", "add", NEEDS_DATABASE, add, "record an application", add_params },
	{ "account", "list", NEEDS_DATABASE, list, "list the accounts", list_params },
	{ "account", "show", NEEDS_DATABASE, show, "show one", show_params },
	{ "account", "history", NEEDS_DATABASE, history, "list its states", show_params },
	{ "account", "review", NEEDS_DATABASE, review, "begin the review of an application",
	  give_params },
	{ "account", "approve", NEEDS_DATABASE, approve, "make it active", approve_params },
	{ "account", "refuse", NEEDS_DATABASE, refuse, "refuse an application", take_params },
	{ "account", "verify", NEEDS_DATABASE, verify, "record a verification and its term",
	  verify_params },
	{ "account", "suspend", NEEDS_DATABASE, suspend, "no token from now on", take_params },
	{ "account", "reinstate", NEEDS_DATABASE, reinstate, "end a suspension", give_params },
	{ "account", "revoke", NEEDS_DATABASE, revoke, "end it for cause, for good", take_params },
	{ "account", "close", NEEDS_DATABASE, close_account, "end it at the holder's wish, for good",
	  take_params },
	{ "account", "token-life", NEEDS_DATABASE, token_life, "write how long its tokens live",
	  life_params },
	{ "account", "alias", NEEDS_DATABASE, add_alias, "give it another name", alias_params },
	{ "account", "unalias", NEEDS_DATABASE, remove_alias, "take another name away",
	  unalias_params },
	{ 0 },
};
/* clang-format on */
