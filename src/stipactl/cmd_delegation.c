/* SPDX-License-Identifier: Apache-2.0 */
/* Delegations: the right to tokens with "ca": true. */
#include "act.h"
#include "registry/delegation.h"

static bool grant(struct ctl *ctl, struct error *error)
{
	char until[WHEN_TEXT_MAX];
	struct delegation_grant wish = {
		.account = ctl_value(ctl, "ACCOUNT"),
		.spc = ctl_value(ctl, "SPC"),
		.sca = ctl_value(ctl, "--sca"),
		.cps_version = ctl_value(ctl, "--cps-version"),
		.evidence = ctl_value(ctl, "--evidence"),
		.until = ctl_time(ctl, "--until", WHEN_AHEAD, until),
		.clients = ctl_value(ctl, "--clients"),
	};
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = delegation_grant(ctl->pg, &act, &wish, error);
	PGresult_auto *shown =
		acted != NULL ? delegation_show(ctl->pg, PQgetvalue(acted, 0, 0), error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool withdraw(struct ctl *ctl, struct error *error)
{
	const char *id = ctl_value(ctl, "ID");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = delegation_withdraw(ctl->pg, &act, id, error);
	PGresult_auto *shown = acted != NULL ? delegation_show(ctl->pg, id, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = delegation_list(ctl->pg, ctl_value(ctl, "--account"),
					       ctl_value(ctl, "--past") != NULL, error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
static const struct param grant_params[] = {
	PARAM_ACCOUNT,
	{ "SPC", NULL, PARAM_REQUIRED, check_spc, "the code it is for, which the account holds" },
	{ "--sca", "NAME", PARAM_REQUIRED, check_reason, "the STI-SCA" },
	{ "--cps-version", "TEXT", PARAM_REQUIRED, check_reason, "of its reviewed CPS" },
	{ "--until", "TIME", PARAM_REQUIRED, check_time_ahead, "when it ends by itself" },
	{ "--clients", "A,B", 0, check_clients, "only these of the account's clients [all]" },
	PARAM_EVIDENCE,
	PARAM_REASON,
	{ 0 },
};
static const struct param withdraw_params[] = {
	{ "ID", NULL, PARAM_REQUIRED, check_number, "as 'delegation list' has it" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ "--past", NULL, 0, NULL, "also those that have ended" },
	{ 0 },
};

const struct command delegation_commands[] = {
	{ "delegation", "grant", NEEDS_DATABASE, grant, "let an account ask for \"ca\": true",
	  grant_params },
	{ "delegation", "withdraw", NEEDS_DATABASE, withdraw, "end it", withdraw_params },
	{ "delegation", "list", NEEDS_DATABASE, list, "list the delegations", list_params },
	{ 0 },
};
/* clang-format on */
