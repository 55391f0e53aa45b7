/* SPDX-License-Identifier: Apache-2.0 */
/* A token by itself: decode shows what it says, verify judges it.  Neither asks the network nor the
 * database. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"
#include "token_rules.h"

/* ---- decode ---- */

/* A NumericDate as "2026-11-22T08:00:00Z, in 23 hours 59 minutes". */
static void put_time(json_t *record, const char *name, const json_t *claim, time_t now)
{
	char text[128], words[TOKEN_WORDS_MAX];
	int64_t value = json_integer_value(claim);
	time_t time = (time_t)value;
	struct tm tm;

	if (!json_is_integer(claim) || value < 0 || value > INT64_C(253402300799))
		return;
	gmtime_r(&time, &tm);
	token_time_words(value - now, words);
	strftime(text, 40, "%Y-%m-%dT%H:%M:%SZ, ", &tm);
	strcat(text, words);
	json_object_set_new(record, name, json_string(text));
}

/* People see one line of ASCII, whatever was sent; scripts the object. */
static void put_object(const struct ctl *ctl, json_t *record, const char *name, json_t *object)
{
	char *text;

	if (ctl->json) {
		json_object_set(record, name, object);
		return;
	}
	text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_object_set_new(record, name, json_string(text == NULL ? "-" : text));
	free(text);
}

static json_t *decoded(const struct ctl *ctl, json_t *header, json_t *payload)
{
	struct tnauthlist list = { 0 };
	struct error error = { 0 };
	json_t *record = json_object();

	put_object(ctl, record, "header", header);
	put_object(ctl, record, "payload", payload);
	json_object_set_new(record, "form", json_string(token_is_2017(payload) ? "2017" : "atc"));
	if (token_spc(payload, &list, &error))
		json_object_set_new(record, "spc", json_string(list.spc));
	else
		json_object_set_new(record, "spc_error", json_string(error.detail));
	put_time(record, "issued", json_object_get(payload, "iat"), ctl->now);
	put_time(record, "not_before", json_object_get(payload, "nbf"), ctl->now);
	put_time(record, "expires", json_object_get(payload, "exp"), ctl->now);
	json_object_set_new(record, "verified", json_false());
	return record;
}

static bool token_decode(struct ctl *ctl, struct error *error)
{
	char text[TOKEN_TEXT_MAX + 2];
	struct jws_parts parts;
	json_auto_t *header = NULL, *payload = NULL, *record = NULL;

	if (!token_text_read(ctl, text, error) || !jws_parse(text, &parts, error))
		return false;
	header = token_part_load("header", parts.header, error);
	payload = header == NULL ? NULL : token_part_load("payload", parts.payload, error);
	if (payload == NULL)
		return false;
	record = decoded(ctl, header, payload);
	output_record(ctl, record);
	output_note(ctl,
		    "\nNothing was verified: whoever made this token may have written anything "
		    "into it.  See 'stipactl token verify'.");
	return true;
}

/* ---- verify ---- */

static void show(const struct token_check *check, json_t *rows, bool verified)
{
	json_auto_t *record = json_pack("{s:b,s:s,s:O}", "verified", verified, "spc",
					verified ? check->list.spc : "", "steps", rows);

	if (check->ctl->json)
		output_record(check->ctl, record);
	else
		output_list(check->ctl, rows);
	if (verified)
		output_note(check->ctl,
			    "\nThe token is good.  Whether %s may still use it, only its "
			    "authority knows.",
			    check->list.spc);
}

static bool token_verify(struct ctl *ctl, struct error *error)
{
	struct token_check check = { .ctl = ctl };
	json_auto_t *rows = json_array();
	bool verified;

	if ((ctl_value(ctl, "--chain") == NULL) == (ctl_value(ctl, "--certs") == NULL))
		return wrong_use(error, "want either --chain FILE or --certs DIR");
	if (!token_text_read(ctl, check.text, error))
		return false;
	verified = token_check_judge(&check, rows, error);
	show(&check, rows, verified);
	token_check_clear(&check);
	return verified;
}

/* ---- the commands ---- */

static const struct param decode_params[] = {
	{ "TOKEN", NULL, PARAM_REQUIRED, NULL, "the token; - reads standard input" },
	{ 0 },
};

static const struct param verify_params[] = {
	{ "TOKEN", NULL, PARAM_REQUIRED, NULL, "the token; - reads standard input" },
	{ "--root", "FILE", PARAM_REQUIRED, NULL, "the PA root that you trust, PEM" },
	{ "--chain", "FILE", 0, NULL,
	  "what x5u serves; to save it: curl --proto =https -fsSo FILE \"$X5U\"" },
	{ "--certs", "DIR", 0, NULL, "the folder of 'pki init' with <kid>.pem, instead" },
	{ 0 },
};

const struct command token_check_commands[] = {
	{ "token", "decode", NEEDS_NOTHING, token_decode,
	  "show what a token says, without verifying it", decode_params },
	{ "token", "verify", NEEDS_NOTHING, token_verify,
	  "judge a token as a strict STI-CA would; asks no network", verify_params },
	{ 0 },
};
