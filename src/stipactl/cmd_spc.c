/* SPDX-License-Identifier: Apache-2.0 */
/* Service provider codes: who holds which. */
#include "act.h"
#include "registry/spc.h"

static bool assign(struct ctl *ctl, struct error *error)
{
	char until[WHEN_TEXT_MAX];
	struct spc_award award = {
		.account = ctl_value(ctl, "ACCOUNT"),
		.spc = ctl_value(ctl, "SPC"),
		.kind = ctl_value_or(ctl, "--kind", "OCN"),
		.verified_until = ctl_time(ctl, "--verified-until", WHEN_AHEAD, until),
		.evidence = ctl_value(ctl, "--evidence"),
	};
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = spc_assign(ctl->pg, &act, &award, error);
	PGresult_auto *shown =
		acted != NULL ? spc_last(ctl->pg, award.account, award.spc, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool verify(struct ctl *ctl, struct error *error)
{
	char until[WHEN_TEXT_MAX];
	struct spc_award award = {
		.account = ctl_value(ctl, "ACCOUNT"),
		.spc = ctl_value(ctl, "SPC"),
		.verified_until = ctl_time(ctl, "--verified-until", WHEN_AHEAD, until),
		.evidence = ctl_value(ctl, "--evidence"),
	};
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = spc_verify(ctl->pg, &act, &award, error);
	PGresult_auto *shown =
		acted != NULL ? spc_last(ctl->pg, award.account, award.spc, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool withdraw(struct ctl *ctl, struct error *error)
{
	const char *account = ctl_value(ctl, "ACCOUNT"), *spc = ctl_value(ctl, "SPC");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = spc_withdraw(ctl->pg, &act, account, spc, error);
	PGresult_auto *shown = acted != NULL ? spc_last(ctl->pg, account, spc, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool transfer(struct ctl *ctl, struct error *error)
{
	char until[WHEN_TEXT_MAX];
	struct spc_award award = {
		.account = ctl_value(ctl, "--to"),
		.spc = ctl_value(ctl, "SPC"),
		.verified_until = ctl_time(ctl, "--verified-until", WHEN_AHEAD, until),
		.evidence = ctl_value(ctl, "--evidence"),
	};
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = spc_transfer(ctl->pg, &act, &award, error);
	PGresult_auto *shown =
		acted != NULL ? spc_last(ctl->pg, award.account, award.spc, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown =
		spc_list(ctl->pg, ctl_value(ctl, "--account"), ctl_value(ctl, "--spc"),
			 ctl_value(ctl, "--past") != NULL, error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
#define PARAM_SPC { "SPC", NULL, PARAM_REQUIRED, check_spc, "the code" }
static const struct param assign_params[] = {
	PARAM_ACCOUNT,
	PARAM_SPC,
	{ "--kind", "KIND", 0, NULL, "OCN, RespOrg or national [OCN]" },
	{ "--verified-until", "TIME", 0, check_time_ahead, "[as long as the account is]" },
	{ "--evidence", "TEXT", 0, check_reason, "what shows that the code is theirs" },
	PARAM_REASON,
	{ 0 },
};
static const struct param verify_params[] = {
	PARAM_ACCOUNT,
	PARAM_SPC,
	{ "--verified-until", "TIME", 0, check_time,
	  "the new term; it may be shorter, or over [as long as the account is]" },
	PARAM_EVIDENCE,
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param withdraw_params[] = {
	PARAM_ACCOUNT, PARAM_SPC, PARAM_REASON_REQUIRED, { 0 },
};
static const struct param transfer_params[] = {
	PARAM_SPC,
	{ "--to", "ACCOUNT", PARAM_REQUIRED, check_account, "who holds it from now on" },
	{ "--verified-until", "TIME", 0, check_time_ahead, "[as long as the account is]" },
	PARAM_EVIDENCE,
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ "--spc", "SPC", 0, check_spc, "only this code" },
	{ "--past", NULL, 0, NULL, "also what is held no more" },
	{ 0 },
};

const struct command spc_commands[] = {
	{ "spc", "assign", NEEDS_DATABASE, assign, "give a code to an account", assign_params },
	{ "spc", "verify", NEEDS_DATABASE, verify, "record a verification and its term",
	  verify_params },
	{ "spc", "withdraw", NEEDS_DATABASE, withdraw, "take it away", withdraw_params },
	{ "spc", "transfer", NEEDS_DATABASE, transfer, "move it to another account, in one act",
	  transfer_params },
	{ "spc", "list", NEEDS_DATABASE, list, "list who holds what", list_params },
	{ 0 },
};
/* clang-format on */
