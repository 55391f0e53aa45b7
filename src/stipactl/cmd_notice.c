/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts are to be told. */
#include "act.h"
#include "registry/notice.h"

#define LIMIT_DEFAULT "100"

static bool list(struct ctl *ctl, struct error *error)
{
	char since[WHEN_TEXT_MAX];
	PGresult_auto *shown = notice_list(ctl->pg, ctl_value(ctl, "--account"),
					   ctl_time(ctl, "--since", WHEN_BACK, since),
					   ctl_value_or(ctl, "--limit", LIMIT_DEFAULT), error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ "--since", "TIME", 0, check_time_back, "only from then on; 12h means 12 hours ago" },
	{ "--limit", "N", 0, check_number, "at most so many [" LIMIT_DEFAULT "]" },
	{ 0 },
};

const struct command notice_commands[] = {
	{ "notice", "list", NEEDS_DATABASE, list, "list what accounts are to be told, newest first",
	  list_params },
	{ 0 },
};
/* clang-format on */
