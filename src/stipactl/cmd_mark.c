/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of a node: what it knows to be committed, and what to do when the database does not. */
#include <string.h>

#include "act.h"
#include "mark_text.h"
#include "node_config.h"
#include "registry/mark.h"

static bool read_node(struct ctl *ctl, struct mark_text *text, struct error *error)
{
	struct config *config =
		node_config_load(ctl_value_or(ctl, "FILE", NODE_CONFIG_FILE), NULL, error);
	bool read = config != NULL && mark_text_read(config->state, text, error);

	config_free(config);
	return read;
}

static const char *column(const PGresult *row, const char *name)
{
	return PQgetvalue(row, 0, PQfnumber(row, name));
}

static bool show(struct ctl *ctl, struct error *error)
{
	struct mark_text text;
	PGresult_auto *state = NULL;
	PGresult_auto *newest = NULL;
	json_auto_t *record = NULL;

	if (!read_node(ctl, &text, error))
		return false;
	state = mark_state(ctl->pg, mark_text_or_null(text.jti), mark_text_or_null(text.ledger),
			   error);
	newest = state == NULL ? NULL : mark_newest(ctl->pg, error);
	if (newest == NULL)
		return false;
	record = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "jti", text.jti, "made", text.at,
			   "ledger", text.ledger, "known", column(state, "known"),
			   "database_ledger", column(state, "ledger"), "newest",
			   column(newest, "newest"), "newest_at", column(newest, "newest_at"));
	output_record(ctl, record);
	if (strcmp(column(state, "known"), "no") == 0)
		output_note(ctl,
			    "The database lacks this token: the node does not issue.  Find the "
			    "right copy, or decide to go on: stipactl mark accept --reason ...");
	return true;
}

/* What nobody can look up any more must be said now. */
static void warn_of_the_unknown(struct ctl *ctl, const PGresult *accepted)
{
	const char *since = column(accepted, "newest_at");

	output_note(ctl,
		    "Tokens issued after %s are unknown to this database, until the node stopped; "
		    "they stay good until they expire.  Suspensions and withdrawals since then are "
		    "undone too: make them again.  The node issues within seconds.",
		    since[0] == '\0' ? "the beginning" : since);
}

static bool accept_it(struct ctl *ctl, struct error *error)
{
	const struct act act = ctl_act(ctl);
	const char *jti = ctl_value(ctl, "--jti");
	struct mark_text text;
	PGresult_auto *accepted = NULL;
	json_auto_t *record = NULL;

	if (jti == NULL) {
		if (!read_node(ctl, &text, error))
			return error_context(error, "without --jti");
		if (text.jti[0] == '\0')
			return error_set_code(error, ERROR_CONFLICT, "wrong-state",
					      "this node has issued nothing: its mark is empty");
		jti = text.jti;
	}
	accepted = mark_accept(ctl->pg, &act, jti, error);
	if (accepted == NULL)
		return false;
	record = json_pack("{s:s,s:s,s:s,s:s}", "jti", jti, "at", column(accepted, "at"), "newest",
			   column(accepted, "newest"), "newest_at", column(accepted, "newest_at"));
	output_record(ctl, record);
	warn_of_the_unknown(ctl, accepted);
	return true;
}

/* clang-format off */
static const struct param show_params[] = {
	{ "FILE", NULL, 0, NULL, "the node's configuration [" NODE_CONFIG_FILE "]" },
	{ 0 },
};

static const struct param accept_params[] = {
	{ "FILE", NULL, 0, NULL, "the node's configuration [" NODE_CONFIG_FILE "]" },
	{ "--jti", "JTI", 0, check_uuid, "the token that is missing [the node's mark]" },
	{ "--reason", "TEXT", PARAM_REQUIRED, check_reason, "who decided it and why, for the audit" },
	{ 0 },
};

const struct command mark_commands[] = {
	{ "mark", "show", NEEDS_DATABASE, show,
	  "show a node's mark, and whether the database knows of it", show_params },
	{ "mark", "accept", NEEDS_DATABASE, accept_it,
	  "let a node go on with a database that lacks its mark", accept_params },
	{ 0 },
};
/* clang-format on */
