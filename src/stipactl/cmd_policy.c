/* SPDX-License-Identifier: Apache-2.0 */
/* Policy: what holds for everybody.  A new version takes over what it does not name. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "registry/policy.h"

#define CERTIFICATE_LIFE "24h" /* less is asked for by nobody without knowing it */

/* Bits of policy.optional_claims. */
static const struct {
	const char *name;
	int bit;
} claims[] = {
	{ "iss", 1 },
	{ "iat", 2 },
	{ "nbf", 4 },
};

#define CLAIMS (sizeof(claims) / sizeof(claims[0]))

static int claim_bit(const char *name, size_t len)
{
	for (size_t i = 0; i < CLAIMS; i++)
		if (strlen(claims[i].name) == len && memcmp(claims[i].name, name, len) == 0)
			return claims[i].bit;
	return 0;
}

/* "iss,iat" or "none" → the sum of the bits; -1 when it is neither. */
static int claims_parse(const char *text)
{
	int sum = 0;

	if (strcmp(text, "none") == 0)
		return 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		int bit = claim_bit(text, len);

		if (bit == 0 || (sum & bit) != 0)
			return -1;
		sum |= bit;
		if (text[len] == '\0')
			return sum;
		text += len + 1;
	}
}

static bool check_claims(const char *text, struct error *error)
{
	if (claims_parse(text) >= 0)
		return true;
	return error_set(error, ERROR_INVALID, "want 'none' or a list of iss, iat and nbf");
}

static bool check_switch(const char *text, struct error *error)
{
	if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0)
		return true;
	return error_set(error, ERROR_INVALID, "want 'on' or 'off'");
}

static const char *now_value(const PGresult *now, const char *column)
{
	const char *text = PQgetvalue(now, 0, PQfnumber(now, column));

	return text[0] != '\0' ? text : NULL;
}

/* What is wished, or else what counts now. */
static struct policy_values values_of(const struct ctl *ctl, const PGresult *now)
{
	return (struct policy_values){
		.token_life = now_value(now, "token_life"),
		.optional_claims = now_value(now, "optional_claims"),
		.issuer = ctl_value_or(ctl, "--issuer", now_value(now, "issuer")),
		.form_2017 = ctl_value_or(ctl, "--form-2017", now_value(now, "form_2017")),
		.access_life = now_value(now, "access_life"),
	};
}

/* ---- does the token life fit the certificates? ---- */

static void warn(json_t *warnings, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(json_t *warnings, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(warnings, json_string(text));
}

/* Tokens must end before the certificate that they are judged by. */
static bool warn_of_signers(struct ctl *ctl, const char *token_life, json_t *warnings,
			    struct error *error)
{
	PGresult_auto *outlived = policy_outlived(ctl->pg, token_life, error);

	for (int i = 0; outlived != NULL && i < PQntuples(outlived); i++)
		warn(warnings,
		     "the last tokens of %s (it signs until %s) would outlive its certificate "
		     "(until %s): register the next signer earlier, or shorten the life",
		     PQgetvalue(outlived, i, 0), PQgetvalue(outlived, i, 1),
		     PQgetvalue(outlived, i, 2));
	return outlived != NULL;
}

/* Some STI-CAs let no certificate live longer than the token that it was asked for with. */
static void warn_of_certificates(const struct ctl *ctl, json_t *warnings)
{
	const char *life = ctl_value(ctl, "--token-life");
	const char *wanted = ctl_value_or(ctl, "--certificate-life", CERTIFICATE_LIFE);
	struct error error = { 0 };
	long token_s = 0, certificate_s = 0;

	if (life == NULL || !when_parse_distance(life, &token_s, &error) ||
	    !when_parse_distance(wanted, &certificate_s, &error) || token_s >= certificate_s)
		return;
	warn(warnings,
	     "an STI-CA that caps a certificate's life at its token's exp issues none longer than "
	     "%s, and %s is wanted",
	     life, wanted);
}

static void warn_of_2017(const struct ctl *ctl, json_t *warnings)
{
	const char *environment = ctl->settings.environment;
	const char *form = ctl_value(ctl, "--form-2017");

	if (form != NULL && strcmp(form, "on") == 0 && environment != NULL &&
	    strcmp(environment, "production") == 0)
		warn(warnings, "no STI-CA is known to take tokens of the 2017 form");
}

/* The versions, the last one with what is to be thought of. */
static bool show_set(struct ctl *ctl, const PGresult *shown, const char *token_life,
		     struct error *error)
{
	json_auto_t *rows = rows_from_result(shown);
	json_auto_t *warnings = json_array();
	const json_t *warning;
	size_t i;

	if (!warn_of_signers(ctl, token_life, warnings, error))
		return error_context(error, "it is done, but not compared with the signers");
	warn_of_certificates(ctl, warnings);
	warn_of_2017(ctl, warnings);
	if (ctl->json)
		json_object_set(json_array_get(rows, json_array_size(rows) - 1), "warnings",
				warnings);
	output_list(ctl, rows);
	json_array_foreach(warnings, i, warning)
		output_note(ctl, "%swarning: %s", i == 0 ? "\n" : "", json_string_value(warning));
	return true;
}

/* ---- the commands ---- */

/* A version that changes nothing would only look like a decision. */
static bool changes_something(const struct ctl *ctl, struct error *error)
{
	static const char *const values[] = { "--token-life", "--access-life", "--claims",
					      "--issuer", "--form-2017" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (ctl_value(ctl, values[i]) != NULL)
			return true;
	return error_set_code(error, ERROR_INVALID, "bad-value",
			      "nothing to change: want at least one of --token-life, "
			      "--access-life, --claims, --issuer and --form-2017");
}

static bool set(struct ctl *ctl, struct error *error)
{
	char life[WHEN_TEXT_MAX], access_life[WHEN_TEXT_MAX], begins[WHEN_TEXT_MAX], sum[12];
	const char *wish = ctl_value(ctl, "--token-life");
	struct act act = ctl_act(ctl);
	PGresult_auto *before = changes_something(ctl, error) ? policy_now(ctl->pg, error) : NULL;
	PGresult_auto *acted = NULL;
	PGresult_auto *shown = NULL;
	struct policy_values values;

	if (before == NULL)
		return false;
	values = values_of(ctl, before);
	values.begins = ctl_time(ctl, "--from", WHEN_AHEAD, begins);
	if (wish != NULL && !when_interval(wish, life, error))
		return false;
	if (wish != NULL)
		values.token_life = life;
	wish = ctl_value(ctl, "--access-life");
	if (wish != NULL && !when_interval(wish, access_life, error))
		return false;
	if (wish != NULL)
		values.access_life = access_life;
	wish = ctl_value(ctl, "--claims");
	if (wish != NULL) {
		snprintf(sum, sizeof(sum), "%d", claims_parse(wish));
		values.optional_claims = sum;
	}
	acted = policy_set(ctl->pg, &act, &values, error);
	shown = acted != NULL ? policy_list(ctl->pg, error) : NULL;
	return shown != NULL && show_set(ctl, shown, values.token_life, error);
}

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = policy_show(ctl->pg, error);

	return show_record(ctl, shown, error);
}

static bool history(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = policy_list(ctl->pg, error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
static const struct param set_params[] = {
	{ "--token-life", "LIFE", 0, check_distance, "10m to 398d" },
	{ "--certificate-life", "LIFE", 0, check_distance,
	  "how long STI certificates are to live, to be warned [" CERTIFICATE_LIFE "]" },
	{ "--access-life", "LIFE", 0, check_distance, "of access tokens: 1m to 1h" },
	{ "--claims", "LIST", 0, check_claims, "optional claims: none, or of iss,iat,nbf" },
	{ "--issuer", "TEXT", 0, check_reason, "the claim iss" },
	{ "--form-2017", "on|off", 0, check_switch, "tokens of the 2017 form" },
	{ "--from", "TIME", 0, check_time_ahead, "when it begins [now]" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};

const struct command policy_commands[] = {
	{ "policy", "set", NEEDS_DATABASE, set, "write a new version; the rest stays", set_params },
	{ "policy", "show", NEEDS_DATABASE, show, "show what counts now", NULL },
	{ "policy", "history", NEEDS_DATABASE, history, "list all versions", NULL },
	{ "policy", "list", NEEDS_DATABASE, history, "the same as policy history", NULL },
	{ 0 },
};
/* clang-format on */
