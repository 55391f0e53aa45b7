/* SPDX-License-Identifier: Apache-2.0 */
/* explain: one id from an error mail, and what happened: who asked for what, which rule decided,
 * and what had been done about account and client before, and since. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "ipc/verdict.h"
#include "registry/ledger.h"
#include "registry/request.h"

/* By the name that the database gives a verdict: the rule, and where to look. */
static const struct {
	const char *verdict, *rule, *see;
} rules[] = {
	{ "issued", "all rules were kept", "" },
	{ "granted", "the client proved who it is", "" },
	{ "stranger", "there is no such credential: it is unknown, wrong or revoked", "" },
	{ "credential_expired", "the client's credential had expired",
	  "stipactl client rotate CLIENT" },
	{ "client_disabled", "the client was disabled", "stipactl client show CLIENT" },
	{ "no_such_account",
	  "the path named no account, alias or SPC that is of the client's account",
	  "stipactl client show CLIENT" },
	{ "account_not_active", "the account was not active", "stipactl account history ACCOUNT" },
	{ "account_lapsed", "the account's verification had lapsed",
	  "stipactl account verify ACCOUNT" },
	{ "malformed", "the body was not as it must be", "" },
	{ "form_not_permitted", "policy did not permit the token form of 2017",
	  "stipactl policy history" },
	{ "spc_ambiguous", "the account holds several SPCs, and the request named none",
	  "stipactl spc list --account ACCOUNT" },
	{ "spc_not_held", "the account did not hold the SPC",
	  "stipactl spc list --spc SPC --past" },
	{ "spc_lapsed", "the verification of the SPC had lapsed", "stipactl spc list --spc SPC" },
	{ "no_delegation",
	  "the request said \"ca\": true, and no delegation was in force for client and SPC",
	  "stipactl delegation list --account ACCOUNT --past" },
	{ "signer_not_active", "the node's key might not sign", "stipactl pki list" },
	{ "clock", "the clocks of node and database differed by more than 2 s", "stipactl doctor" },
	{ "address_not_allowed", "the client may not ask from this address",
	  "stipactl client show CLIENT" },
	{ "fingerprint_not_pinned",
	  "the fingerprint is not one of those that the client has pinned",
	  "stipactl client show CLIENT" },
	{ "invalid_token", "the access token was unknown, expired or revoked", "" },
	{ "insufficient_scope", "the access token was good, and not for this",
	  "stipactl client show CLIENT" },
	{ "rate", "the client asked too often", "stipactl refusal count --client CLIENT" },
	{ "replayed", "the assertion had been used before", "" },
	{ "scope_not_permitted", "the client may not have a scope that it asked for",
	  "stipactl client show CLIENT" },
};

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text != NULL ? text : "";
}

static size_t rule_index(const char *verdict)
{
	size_t i = 0;

	while (i < sizeof(rules) / sizeof(rules[0]) && strcmp(rules[i].verdict, verdict) != 0)
		i++;
	return i;
}

/* ---- sentences ---- */

static void say(json_t *sentences, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(json_t *sentences, const char *fmt, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	json_array_append_new(sentences, json_stringn_nocheck(sentence, strlen(sentence)));
}

static void say_who(const json_t *row, json_t *sentences)
{
	const char *client = text_of(row, "client"), *spc = text_of(row, "spc");
	bool for_access = strcmp(text_of(row, "kind"), "access token") == 0 ||
			  strcmp(text_of(row, "asked_by"), "login or grant") == 0;

	say(sentences, "At %s %s%s, from %s, asked for %s%s%s%s%s.", text_of(row, "at"),
	    client[0] != '\0' ? "the client " : "a stranger", client, text_of(row, "peer"),
	    for_access ? "an access token" : "a token",
	    text_of(row, "account")[0] != '\0' ? " for the account " : "", text_of(row, "account"),
	    spc[0] != '\0' ? " and the SPC " : "", spc);
}

static void say_refused(const json_t *row, json_t *sentences)
{
	size_t i = rule_index(text_of(row, "verdict"));
	long long defect = json_integer_value(json_object_get(row, "defect"));

	say(sentences, "It was refused: %s (%s%s%s).",
	    i < sizeof(rules) / sizeof(rules[0]) ? rules[i].rule : "by a rule unknown here",
	    text_of(row, "verdict"), defect != 0 ? ", " : "",
	    defect != 0 ? defect_code((unsigned int)defect) : "");
	if (i < sizeof(rules) / sizeof(rules[0]) && rules[i].see[0] != '\0')
		say(sentences, "See '%s'.", rules[i].see);
}

static void say_issued(const json_t *row, const json_t *token, json_t *sentences)
{
	if (token == NULL) {
		say(sentences, "It got one, by its %s.", text_of(row, "asked_by"));
		return;
	}
	say(sentences, "It got the token %s, by %s: until %s, signed with the key %s, \"ca\": %s.",
	    text_of(row, "jti"), text_of(row, "asked_by"), text_of(token, "expires"),
	    text_of(token, "kid"), json_is_true(json_object_get(token, "ca")) ? "true" : "false");
}

static void say_acts(const json_t *acts, const char *when, json_t *sentences)
{
	size_t i;
	const json_t *act;

	json_array_foreach((json_t *)acts, i, act)
		say(sentences, "%s: event %lld, %s, %s: %s %s (%s).", when,
		    (long long)json_integer_value(json_object_get(act, "id")), text_of(act, "at"),
		    text_of(act, "actor"), text_of(act, "action"), text_of(act, "subject"),
		    text_of(act, "reason"));
}

/* ---- one row of request_view ---- */

static json_t *acts_of(struct ctl *ctl, const json_t *row, bool before, struct error *error)
{
	PGresult_auto *acts = request_acts(ctl->pg, text_of(row, "account"), text_of(row, "client"),
					   text_of(row, "at"), before, error);

	return acts != NULL ? rows_from_result(acts) : NULL;
}

/* The ledger's row of a token; JSON null for what is none. */
static json_t *token_of(struct ctl *ctl, const json_t *row, struct error *error)
{
	PGresult_auto *shown = NULL;
	json_auto_t *rows = NULL;

	if (strcmp(text_of(row, "kind"), "token") != 0)
		return json_null();
	shown = token_show(ctl->pg, text_of(row, "jti"), error);
	rows = shown != NULL ? rows_from_result(shown) : NULL;
	return rows != NULL ? json_incref(json_array_get(rows, 0)) : NULL;
}

static json_t *policy_of(struct ctl *ctl, const json_t *row, struct error *error)
{
	PGresult_auto *shown = request_policy(ctl->pg, text_of(row, "at"), error);
	json_auto_t *rows = shown != NULL ? rows_from_result(shown) : NULL;

	return rows != NULL ? json_incref(json_array_get(rows, 0)) : NULL;
}

static json_t *sentences_of(const json_t *row, const json_t *token, const json_t *policy,
			    const json_t *before, const json_t *after)
{
	json_t *sentences = json_array();

	say_who(row, sentences);
	if (strcmp(text_of(row, "kind"), "refusal") == 0)
		say_refused(row, sentences);
	else
		say_issued(row, json_is_object(token) ? token : NULL, sentences);
	say(sentences, "Version %lld of the policy counted: token life %s.",
	    (long long)json_integer_value(json_object_get(policy, "version")),
	    text_of(policy, "token_life"));
	say_acts(before, "Before", sentences);
	say_acts(after, "Since", sentences);
	return sentences;
}

static json_t *explain_row(struct ctl *ctl, json_t *row, struct error *error)
{
	json_auto_t *token = token_of(ctl, row, error);
	json_auto_t *policy = token != NULL ? policy_of(ctl, row, error) : NULL;
	json_auto_t *before = policy != NULL ? acts_of(ctl, row, true, error) : NULL;
	json_auto_t *after = before != NULL ? acts_of(ctl, row, false, error) : NULL;
	json_t *explained;
	size_t i = rule_index(text_of(row, "verdict"));
	long long defect = json_integer_value(json_object_get(row, "defect"));

	if (after == NULL)
		return NULL;
	explained = json_copy(row);
	json_object_set_new(explained, "defect",
			    json_string(defect != 0 ? defect_code((unsigned int)defect) : ""));
	json_object_set_new(explained, "rule",
			    json_string(i < sizeof(rules) / sizeof(rules[0]) ? rules[i].rule : ""));
	json_object_set(explained, "token", token);
	json_object_set(explained, "policy", policy);
	json_object_set(explained, "before", before);
	json_object_set(explained, "since", after);
	json_object_set_new(explained, "sentences",
			    sentences_of(row, token, policy, before, after));
	return explained;
}

/* ---- the command ---- */

static void print_sentences(struct ctl *ctl, const json_t *explained)
{
	size_t i;
	const json_t *sentence;

	json_array_foreach(json_object_get(explained, "sentences"), i, sentence)
		output_note(ctl, "%s", json_string_value(sentence));
}

/* Nobody's requests, and those that an edge refuses by itself, are only counted. */
static bool is_not_kept(const char *id, struct error *error)
{
	*error = (struct error){ 0 };
	return error_set_code(
		error, ERROR_NOT_FOUND, "not-found",
		"no token, access token or refusal has the request id %.64s; requests "
		"without good credentials, and malformed ones, are in stipad's log only",
		id);
}

static bool explain(struct ctl *ctl, struct error *error)
{
	const char *id = ctl_value(ctl, "REQUEST-ID");
	PGresult_auto *found = request_rows(ctl->pg, id, error);
	json_auto_t *rows = found != NULL ? rows_from_result(found) : NULL;
	json_auto_t *all = json_array();
	size_t i;
	json_t *row;

	if (rows == NULL)
		return error->kind == ERROR_NOT_FOUND ? is_not_kept(id, error) : false;
	json_array_foreach(rows, i, row)
	{
		json_t *explained = explain_row(ctl, row, error);

		if (explained == NULL)
			return false;
		json_array_append_new(all, explained);
	}
	if (ctl->json)
		output_list(ctl, all);
	json_array_foreach(all, i, row)
	{
		if (i > 0)
			output_note(ctl, "%s", "");
		print_sentences(ctl, row);
	}
	return true;
}

/* What stipad takes and makes: http/request.c. */
static bool check_request_id(const char *text, struct error *error)
{
	size_t len = strlen(text);

	return (len <= REQUEST_ID_MAX &&
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789._-") == len) ||
	       error_set(error, ERROR_INVALID,
			 "want what X-Request-Id said: 1 to %d of A-Z, a-z, 0-9 and '._-'",
			 REQUEST_ID_MAX);
}

/* clang-format off */
static const struct param params[] = {
	{ "REQUEST-ID", NULL, PARAM_REQUIRED, check_request_id, "the answer's X-Request-Id" },
	{ 0 },
};

const struct command explain_commands[] = {
	{ "explain", "", NEEDS_DATABASE, explain, "say what became of a request, and why", params },
	{ 0 },
};
/* clang-format on */
