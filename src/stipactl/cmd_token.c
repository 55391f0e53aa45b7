/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger, as it is asked.  What needs no database is in cmd_token_check.c. */
#include "act.h"
#include "registry/ledger.h"

#define LIMIT_DEFAULT "100"

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = token_show(ctl->pg, ctl_value(ctl, "JTI"), error);

	return show_record(ctl, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	char since[WHEN_TEXT_MAX];
	struct ledger_filter filter = {
		.account = ctl_value(ctl, "--account"),
		.spc = ctl_value(ctl, "--spc"),
		.since = ctl_time(ctl, "--since", WHEN_BACK, since),
		.limit = ctl_value_or(ctl, "--limit", LIMIT_DEFAULT),
	};
	PGresult_auto *shown = token_list(ctl->pg, &filter, error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
static const struct param show_params[] = {
	{ "JTI", NULL, PARAM_REQUIRED, check_uuid, "the token's jti" },
	{ 0 },
};
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ "--spc", "SPC", 0, check_spc, "only for this code" },
	{ "--since", "TIME", 0, check_time_back, "only from then on; 12h means 12 hours ago" },
	{ "--limit", "N", 0, check_number, "at most so many [" LIMIT_DEFAULT "]" },
	{ 0 },
};

const struct command token_commands[] = {
	{ "token", "list", NEEDS_DATABASE, list, "list the ledger, newest first", list_params },
	{ "token", "show", NEEDS_DATABASE, show, "show one row of the ledger", show_params },
	{ 0 },
};
/* clang-format on */
