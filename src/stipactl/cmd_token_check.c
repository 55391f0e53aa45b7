/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token by itself: decode shows what it says, verify judges it as a strict STI-CA would, one
 * named rule after the other.  Neither asks the network nor the database.
 */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "asn1/tnauthlist.h"
#include "base/base64url.h"
#include "command.h"
#include "crypto/x509.h"
#include "jose/jws.h"
#include "output.h"

#define TOKEN_TEXT_MAX 4096
#define WORDS_MAX      80

/* ---- the token ---- */

/* The operand, or for "-" standard input; white space around it is not part of it. */
static bool token_text(const struct ctl *ctl, char text[TOKEN_TEXT_MAX + 2], struct error *error)
{
	const char *given = ctl_value(ctl, "TOKEN");
	size_t len, start = 0;

	if (strcmp(given, "-") == 0)
		len = fread(text, 1, TOKEN_TEXT_MAX + 1, stdin);
	else
		len = (size_t)snprintf(text, TOKEN_TEXT_MAX + 1, "%s", given);
	if (len > TOKEN_TEXT_MAX)
		return error_set(error, ERROR_INVALID, "a token of more than %d characters",
				 TOKEN_TEXT_MAX);
	text[len] = '\0';
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	while (isspace((unsigned char)text[start]))
		start++;
	memmove(text, text + start, len - start + 1);
	return len > start || error_set(error, ERROR_INVALID, "no token");
}

static json_t *load_object(const char *name, const char *text, struct error *error)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(object))
		return object;
	json_decref(object);
	error_set(error, ERROR_INVALID, "the %s is not one JSON object without duplicate members",
		  name);
	return NULL;
}

/* The SPC of either form; the atc form's list in canonical DER. */
static bool spc_of_tkvalue(const char *tkvalue, struct tnauthlist *list, struct error *error)
{
	uint8_t der[TNAUTHLIST_DER_MAX];
	size_t len;

	if (!base64_decode_any(tkvalue, strlen(tkvalue), der, sizeof(der), &len))
		return error_set(error, ERROR_INVALID,
				 "tkvalue is not base64 of a list with one SPC");
	return tnauthlist_decode(der, len, list, error);
}

static bool spc_of_sub(const json_t *sub, struct tnauthlist *list, struct error *error)
{
	const char *spc = json_string_value(json_array_get(sub, 0));

	if (json_array_size(sub) != 1 || spc == NULL || !spc_is_well_formed(spc, strlen(spc)))
		return error_set(error, ERROR_INVALID, "sub is not an array of one SPC");
	snprintf(list->spc, sizeof(list->spc), "%s", spc);
	return true;
}

static bool is_2017(const json_t *payload)
{
	return json_object_get(payload, "atc") == NULL && json_object_get(payload, "sub") != NULL;
}

static bool spc_of(const json_t *payload, struct tnauthlist *list, struct error *error)
{
	const json_t *atc = json_object_get(payload, "atc");
	const char *tkvalue = json_string_value(json_object_get(atc, "tkvalue"));

	if (is_2017(payload))
		return spc_of_sub(json_object_get(payload, "sub"), list, error);
	if (tkvalue == NULL)
		return error_set(error, ERROR_INVALID, "atc.tkvalue is not there");
	return spc_of_tkvalue(tkvalue, list, error);
}

/* ---- decode ---- */

/* "in 23 hours 12 minutes", "3 days 1 hour ago" */
static void words_of(int64_t seconds, char words[WORDS_MAX])
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "day", 86400 }, { "hour", 3600 }, { "minute", 60 }, { "second", 1 } };
	int64_t left = llabs(seconds);
	size_t unit = 0, len = (size_t)snprintf(words, WORDS_MAX, "%s", seconds < 0 ? "" : "in");

	while (unit < 3 && left < units[unit].seconds)
		unit++;
	for (size_t i = unit; i < 4 && i < unit + 2; i++) {
		int64_t n = left / units[i].seconds;

		left %= units[i].seconds;
		if (n > 0 || i == unit)
			len += (size_t)snprintf(words + len, WORDS_MAX - len, "%s%" PRId64 " %s%s",
						len > 0 ? " " : "", n, units[i].name,
						n == 1 ? "" : "s");
	}
	if (seconds < 0)
		snprintf(words + len, WORDS_MAX - len, " ago");
}

/* A NumericDate as "2026-11-22T08:00:00Z, in 23 hours 59 minutes". */
static void put_time(json_t *record, const char *name, const json_t *claim, time_t now)
{
	char text[128], words[WORDS_MAX];
	int64_t value = json_integer_value(claim);
	time_t time = (time_t)value;
	struct tm tm;

	if (!json_is_integer(claim) || value < 0 || value > INT64_C(253402300799))
		return;
	gmtime_r(&time, &tm);
	words_of(value - now, words);
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
	json_object_set_new(record, "form", json_string(is_2017(payload) ? "2017" : "atc"));
	if (spc_of(payload, &list, &error))
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

	if (!token_text(ctl, text, error) || !jws_parse(text, &parts, error))
		return false;
	header = load_object("header", parts.header, error);
	payload = header == NULL ? NULL : load_object("payload", parts.payload, error);
	if (payload == NULL)
		return false;
	record = decoded(ctl, header, payload);
	output_record(ctl, record);
	output_note(ctl,
		    "\nNothing was verified: whoever made this token may have written anything "
		    "into it.  See 'stipactl token verify'.");
	return true;
}

/* ---- verify: the rules ---- */

struct check {
	const struct ctl *ctl;
	char text[TOKEN_TEXT_MAX + 2];
	struct jws_parts parts;
	json_t *header, *payload;
	const char *x5u;
	STACK_OF(X509) * chain, *roots;
	struct tnauthlist list;
};

static const char *header_text(const struct check *check, const char *name)
{
	return json_string_value(json_object_get(check->header, name));
}

static bool step_parts(struct check *check, struct error *error)
{
	return jws_parse(check->text, &check->parts, error);
}

static bool step_header(struct check *check, struct error *error)
{
	const char *typ;

	check->header = load_object("header", check->parts.header, error);
	if (check->header == NULL)
		return false;
	typ = header_text(check, "typ");
	check->x5u = header_text(check, "x5u");
	if (json_object_size(check->header) != 3 || header_text(check, "alg") == NULL ||
	    typ == NULL || check->x5u == NULL)
		return error_set(error, ERROR_INVALID,
				 "the header's members are not alg, typ and x5u, each a string");
	return strcmp(typ, "JWT") == 0 || error_set(error, ERROR_INVALID, "typ is not JWT");
}

static bool step_alg(struct check *check, struct error *error)
{
	return strcmp(header_text(check, "alg"), "ES256") == 0 ||
	       error_set(error, ERROR_INVALID, "alg is not ES256");
}

static bool step_x5u(struct check *check, struct error *error)
{
	if (strncmp(check->x5u, "https://", 8) != 0 || check->x5u[8] == '\0')
		return error_set(error, ERROR_INVALID, "x5u is not an https URL");
	for (const char *c = check->x5u; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || strchr("?#@\\\"<>", *c) != NULL)
			return error_set(error, ERROR_INVALID,
					 "x5u has a query, a fragment, a user or a forbidden byte");
	return true;
}

/* --chain, or in the folder --certs the file that x5u ends with. */
static bool chain_path(const struct check *check, char path[PATH_MAX], struct error *error)
{
	const char *folder = ctl_value(check->ctl, "--certs");
	const char *name = strrchr(check->x5u, '/') + 1;

	if (folder == NULL) {
		snprintf(path, PATH_MAX, "%s", ctl_value(check->ctl, "--chain"));
		return true;
	}
	if (name[0] == '.' || name[0] == '\0')
		return error_set(error, ERROR_INVALID, "x5u does not end with the name of a file");
	return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ||
	       error_set(error, ERROR_INVALID, "%s: too long", folder);
}

static bool step_chain(struct check *check, struct error *error)
{
	char path[PATH_MAX];

	if (!chain_path(check, path, error))
		return false;
	check->chain = x509_chain_read(path, error);
	check->roots = check->chain == NULL
			       ? NULL
			       : x509_chain_read(ctl_value(check->ctl, "--root"), error);
	return check->roots != NULL && x509_chain_verify(check->chain, check->roots, 0, error);
}

static bool step_validity(struct check *check, struct error *error)
{
	return x509_chain_verify(check->chain, check->roots, check->ctl->now, error);
}

static bool step_key_usage(struct check *check, struct error *error)
{
	return x509_may_sign_tokens(sk_X509_value(check->chain, 0), error);
}

static bool step_signature(struct check *check, struct error *error)
{
	EVP_PKEY *certified = X509_get0_pubkey(sk_X509_value(check->chain, 0));
	struct es256_key *key = es256_key_public(certified, error);
	bool ok = key != NULL && es256_verify(key, check->parts.digest, check->parts.sig, error);

	es256_key_free(key);
	return ok;
}

static bool step_payload(struct check *check, struct error *error)
{
	check->payload = load_object("payload", check->parts.payload, error);
	return check->payload != NULL;
}

/* RFC 7519 section 4.1.4 lets NumericDate have fractions; SPC tokens have none. */
static bool step_times(struct check *check, struct error *error)
{
	const json_t *exp = json_object_get(check->payload, "exp");
	const json_t *nbf = json_object_get(check->payload, "nbf");
	char words[WORDS_MAX];

	if (!json_is_integer(exp))
		return error_set(error, ERROR_INVALID, "exp is not an integer");
	words_of(json_integer_value(exp) - check->ctl->now, words);
	if (json_integer_value(exp) <= check->ctl->now)
		return error_set(error, ERROR_INVALID, "expired %s", words);
	if (nbf != NULL && !json_is_integer(nbf))
		return error_set(error, ERROR_INVALID, "nbf is not an integer");
	if (json_integer_value(nbf) > check->ctl->now)
		return error_set(error, ERROR_INVALID, "not valid yet (nbf)");
	return true;
}

/* "SHA256 AA:BB:…" of 32 octets in either case, or a thumbprint of RFC 7638.  Which key it is made
 * of, only the CA can tell. */
static bool is_fingerprint(const char *text)
{
	uint8_t digest[32];
	size_t len;

	if (strncmp(text, "SHA256 ", 7) != 0)
		return base64url_decode(text, strlen(text), digest, sizeof(digest), &len) &&
		       len == sizeof(digest);
	text += 7;
	if (strlen(text) != 95)
		return false;
	for (int i = 0; i < 95; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

static bool check_fingerprint(const json_t *fingerprint, struct error *error)
{
	return (json_is_string(fingerprint) && is_fingerprint(json_string_value(fingerprint))) ||
	       error_set(error, ERROR_INVALID,
			 "fingerprint is neither 'SHA256 AA:BB:...' nor a JWK thumbprint");
}

static bool check_members(const json_t *atc, struct error *error)
{
	static const char *const members[] = { "tktype", "tkvalue", "ca", "fingerprint" };
	size_t known = 0;

	for (size_t i = 0; i < 4; i++)
		known += json_object_get(atc, members[i]) != NULL;
	return known == json_object_size(atc) ||
	       error_set(error, ERROR_INVALID, "atc has a member of no meaning");
}

static bool check_atc(const json_t *atc, struct error *error)
{
	const json_t *ca = json_object_get(atc, "ca");
	const char *tktype = json_string_value(json_object_get(atc, "tktype"));

	if (!json_is_object(atc))
		return error_set(error, ERROR_INVALID, "atc is not an object");
	if (tktype == NULL || strcmp(tktype, "TNAuthList") != 0)
		return error_set(error, ERROR_INVALID, "atc.tktype is not TNAuthList");
	if (!json_is_string(json_object_get(atc, "tkvalue")))
		return error_set(error, ERROR_INVALID, "atc.tkvalue is not a string");
	if (ca != NULL && !json_is_boolean(ca))
		return error_set(error, ERROR_INVALID, "atc.ca is neither true nor false");
	return check_fingerprint(json_object_get(atc, "fingerprint"), error) &&
	       check_members(atc, error);
}

static bool step_claims(struct check *check, struct error *error)
{
	const json_t *jti = json_object_get(check->payload, "jti");

	if (is_2017(check->payload))
		return check_fingerprint(json_object_get(check->payload, "fingerprint"), error);
	if (json_string_length(jti) == 0)
		return error_set(error, ERROR_INVALID, "jti is not there");
	return check_atc(json_object_get(check->payload, "atc"), error);
}

static bool step_spc(struct check *check, struct error *error)
{
	return spc_of(check->payload, &check->list, error);
}

/* ---- verify: the table ---- */

enum {
	PARTS,
	HEADER,
	ALG,
	X5U,
	CHAIN,
	VALIDITY,
	KEY_USAGE,
	SIGNATURE,
	PAYLOAD,
	TIMES,
	CLAIMS,
	SPC,
	STEPS
};

#define BIT(step) (1U << (step))

static const struct step {
	const char *name;
	const char *rule;
	unsigned int after; /* without these it cannot be judged */
	bool (*run)(struct check *check, struct error *error);
} steps[STEPS] = {
	[PARTS] = { "parts", "RFC 7515 7.1: three parts, unpadded base64url, 64 octets", 0,
		    step_parts },
	[HEADER] = { "header", "ATIS-1000080: exactly alg, typ JWT, x5u", BIT(PARTS), step_header },
	[ALG] = { "alg", "RFC 7518 3.4: ES256", BIT(HEADER), step_alg },
	[X5U] = { "x5u", "RFC 7515 4.1.5: https, without query, fragment, user", BIT(HEADER),
		  step_x5u },
	[CHAIN] = { "chain", "RFC 5280 6.1: from x5u to the root", BIT(X5U), step_chain },
	[VALIDITY] = { "validity", "RFC 5280 6.1.3: every certificate valid now", BIT(CHAIN),
		       step_validity },
	[KEY_USAGE] = { "keyUsage", "RFC 5280 4.2.1.3: P-256, no CA, digitalSignature", BIT(CHAIN),
			step_key_usage },
	[SIGNATURE] = { "signature", "RFC 7515 5.2: by the first certificate's key",
			BIT(ALG) | BIT(CHAIN) | BIT(KEY_USAGE), step_signature },
	[PAYLOAD] = { "payload", "RFC 7519 7.2: one JSON object, no member twice", BIT(PARTS),
		      step_payload },
	[TIMES] = { "times", "RFC 9448 6: exp ahead, nbf not", BIT(PAYLOAD), step_times },
	[CLAIMS] = { "claims", "RFC 9447 3: jti, and atc with its members", BIT(PAYLOAD),
		     step_claims },
	[SPC] = { "tkvalue", "RFC 8226 9: canonical DER, one SPC", BIT(PAYLOAD), step_spc },
};

/* The first failure is also the command's. */
static json_t *judge_step(struct check *check, size_t i, unsigned int *good, struct error *first)
{
	const struct step *step = &steps[i];
	struct error error = { 0 };
	const char *result = "ok";

	if ((step->after & ~*good) != 0)
		result = "not judged";
	else if (step->run(check, &error))
		*good |= BIT(i);
	else
		result = "FAIL";
	if (error.kind != ERROR_NONE)
		error_set(first, error.kind, "the token is not good: %s", error.detail);
	return json_pack("{s:s,s:s,s:s,s:s}", "step", step->name, "result", result, "rule",
			 step->rule, "detail", error.detail);
}

static bool judge(struct check *check, json_t *rows, struct error *error)
{
	unsigned int good = 0;

	for (size_t i = 0; i < STEPS; i++)
		json_array_append_new(rows, judge_step(check, i, &good, error));
	return good == BIT(STEPS) - 1;
}

static void check_clear(struct check *check)
{
	json_decref(check->header);
	json_decref(check->payload);
	X509_stack_free(check->chain);
	X509_stack_free(check->roots);
}

static void show(const struct check *check, json_t *rows, bool verified)
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
	struct check check = { .ctl = ctl };
	json_auto_t *rows = json_array();
	bool verified;

	if ((ctl_value(ctl, "--chain") == NULL) == (ctl_value(ctl, "--certs") == NULL))
		return wrong_use(error, "want either --chain FILE or --certs DIR");
	if (!token_text(ctl, check.text, error))
		return false;
	verified = judge(&check, rows, error);
	show(&check, rows, verified);
	check_clear(&check);
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
