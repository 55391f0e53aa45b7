/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sub-command of stipactl is, and what it may ask of the frame.
 *
 * A cmd_x.c exports one table of rows, and commands.c lists the tables.  The frame reads the
 * command line against the row's parameters, gives usage lines and help from the same rows, opens
 * what the row needs, and turns the outcome into output and exit status: 0 done, 1 failed, 2 wrong
 * use.  So a run function only asks for its values, acts, and hands over rows to show.
 */
#ifndef STIPACTL_COMMAND_H
#define STIPACTL_COMMAND_H

#include <libpq-fe.h>
#include <time.h>

#include "base/error.h"
#include "settings.h"

#define PARAMS_MAX 16

enum param_flags {
	PARAM_REQUIRED = 1,
};

/* A rule for a value.  The frame puts the parameter's name in front of the error's detail. */
typedef bool (*param_check_fn)(const char *text, struct error *error);

struct param {
	const char *name;  /* "ACCOUNT": by position; "--spc", "-n": an option */
	const char *value; /* what an option takes, "SPC"; NULL: a flag.  By position: NULL */
	unsigned int flags;
	param_check_fn check; /* NULL: any text that is not empty */
	const char *help;
};

enum command_needs {
	NEEDS_NOTHING, /* not even a configuration file; ctl_settings() and ctl_connect() do work */
	NEEDS_DATABASE, /* ctl->pg is a connection as stipa_operator */
	NEEDS_OWNER,	/* the same as stipa_owner */
};

struct ctl;

struct command {
	const char *group;
	const char *verb; /* may be of two words, "key add"; "": the group's name is all of it */
	enum command_needs needs;
	bool (*run)(struct ctl *ctl, struct error *error);
	const char *help;
	const struct param *params; /* by position first; up to a NULL name.  NULL: takes none */
};

/* One run of the program. */
struct ctl {
	const struct command *command;
	const char *value[PARAMS_MAX]; /* in the order of params; NULL: not given */
	bool json;
	const char *config_file;
	const char *actor; /* who is recorded as having acted */
	char *actor_made;  /* the same, when it is ours */
	char reason_made[64];
	struct settings settings; /* of stipactl.conf */
	bool has_settings;
	PGconn *pg; /* see command_needs */
	time_t now;
};

/* The value of the parameter of that name: NULL when it was not given, "" for a flag that was. */
const char *ctl_value(const struct ctl *ctl, const char *name);
/* The same, or @otherwise. */
const char *ctl_value_or(const struct ctl *ctl, const char *name, const char *otherwise);
/* --reason, or else the command itself. */
const char *ctl_reason(struct ctl *ctl);

/* Read the configuration file, once.  @ctl->settings is empty before. */
bool ctl_settings(struct ctl *ctl, struct error *error) MUST_CHECK;
/* Connect, once, as the role of NEEDS_DATABASE or NEEDS_OWNER. */
bool ctl_connect(struct ctl *ctl, enum command_needs as, struct error *error) MUST_CHECK;

void ctl_clear(struct ctl *ctl);

/* Report wrong use of the command line and return false: the exit status becomes 2. */
#define WRONG_USE	      "wrong-use"
#define wrong_use(error, ...) error_set_code((error), ERROR_INVALID, WRONG_USE, __VA_ARGS__)

/* The tables, each up to a NULL verb. */
extern const struct command account_commands[];
extern const struct command api_user_commands[];
extern const struct command audit_commands[];
extern const struct command client_commands[];
extern const struct command config_commands[];
extern const struct command db_commands[];
extern const struct command delegation_commands[];
extern const struct command doctor_commands[];
extern const struct command explain_commands[];
extern const struct command mark_commands[];
extern const struct command notice_commands[];
extern const struct command pki_commands[];
extern const struct command policy_commands[];
extern const struct command refusal_commands[];
extern const struct command spc_commands[];
extern const struct command token_commands[];	    /* the ledger */
extern const struct command token_check_commands[]; /* what needs no database */

#endif
