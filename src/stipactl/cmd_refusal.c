/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that got no token. */
#include "act.h"
#include "registry/ledger.h"

#define LIMIT_DEFAULT "100"

static bool list(struct ctl *ctl, struct error *error)
{
	char since[WHEN_TEXT_MAX];
	const struct refusal_filter filter = {
		.account = ctl_value(ctl, "--account"),
		.client = ctl_value(ctl, "--client"),
		.spc = ctl_value(ctl, "--spc"),
		.since = ctl_time(ctl, "--since", WHEN_BACK, since),
		.limit = ctl_value_or(ctl, "--limit", LIMIT_DEFAULT),
	};
	PGresult_auto *shown = refusal_list(ctl->pg, &filter, error);

	return show_list(ctl, shown, error);
}

static bool count(struct ctl *ctl, struct error *error)
{
	char since[WHEN_TEXT_MAX];
	PGresult_auto *shown = refusal_count(ctl->pg, ctl_value(ctl, "--client"),
					     ctl_time(ctl, "--since", WHEN_BACK, since), error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
#define PARAM_OF_CLIENT { "--client", "CLIENT", 0, check_client, "only of this client" }
#define PARAM_SINCE \
	{ "--since", "TIME", 0, check_time_back, "only from then on; 12h means 12 hours ago" }
static const struct param list_params[] = {
	/* what was asked for: it may be no account's name */
	{ "--account", "NAME", 0, NULL, "only what was asked for this account, alias or SPC" },
	PARAM_OF_CLIENT,
	{ "--spc", "SPC", 0, check_spc, "only for this code" },
	PARAM_SINCE,
	{ "--limit", "N", 0, check_number, "at most so many [" LIMIT_DEFAULT "]" },
	{ 0 },
};
static const struct param count_params[] = { PARAM_OF_CLIENT, PARAM_SINCE, { 0 } };

const struct command refusal_commands[] = {
	{ "refusal", "list", NEEDS_DATABASE, list, "list refused requests, newest first",
	  list_params },
	{ "refusal", "count", NEEDS_DATABASE, count,
	  "count them by client and verdict, strangers too", count_params },
	{ 0 },
};
/* clang-format on */
