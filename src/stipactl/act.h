/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that change the registry have in common. */
#ifndef STIPACTL_ACT_H
#define STIPACTL_ACT_H

#include "checks.h"
#include "command.h"
#include "db/query.h"
#include "output.h"
#include "registry/act.h"
#include "when.h"

/* Rows of a params table. */
#define PARAM_ACCOUNT                                                                              \
	{                                                                                          \
		"ACCOUNT", NULL, PARAM_REQUIRED, check_account, "the account, sp-..."              \
	}
#define PARAM_REASON                                                                               \
	{                                                                                          \
		"--reason", "TEXT", 0, check_reason, "why, for the audit [the command]"            \
	}
#define PARAM_REASON_REQUIRED                                                                      \
	{                                                                                          \
		"--reason", "TEXT", PARAM_REQUIRED, check_reason,                                  \
			"why the right is taken, for the audit"                                    \
	}
#define PARAM_EVIDENCE                                                                             \
	{                                                                                          \
		"--evidence", "TEXT", PARAM_REQUIRED, check_reason, "what shows that it is right"  \
	}

struct act ctl_act(struct ctl *ctl);

/* The time of an option that the checks let through, in @utc; NULL when it was not given. */
const char *ctl_time(const struct ctl *ctl, const char *name, enum when_direction direction,
		     char utc[WHEN_TEXT_MAX]);

/* Show the first row of @shown as a record, and the columns "at" and "id" of @acted with it.
 * Either may be NULL: then the error says why; after an act it says that the act is done. */
bool show_acted(struct ctl *ctl, const PGresult *acted, const PGresult *shown, struct error *error);
bool show_record(struct ctl *ctl, const PGresult *shown, struct error *error);
bool show_list(struct ctl *ctl, const PGresult *shown, struct error *error);
/* The same as show_acted(), with @extra's members last. */
bool show_acted_with(struct ctl *ctl, const PGresult *acted, const PGresult *shown,
		     const json_t *extra, struct error *error);

#endif
