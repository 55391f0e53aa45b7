/* SPDX-License-Identifier: Apache-2.0 */
#include "token_rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"

/* ---- the rules ---- */

static const char *header_text(const struct token_check *check, const char *name)
{
	return json_string_value(json_object_get(check->header, name));
}

static bool step_parts(struct token_check *check, struct error *error)
{
	return jws_parse(check->text, &check->parts, error);
}

static bool step_header(struct token_check *check, struct error *error)
{
	const char *typ;

	check->header = token_part_load("header", check->parts.header, error);
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

static bool step_alg(struct token_check *check, struct error *error)
{
	return strcmp(header_text(check, "alg"), "ES256") == 0 ||
	       error_set(error, ERROR_INVALID, "alg is not ES256");
}

static bool step_x5u(struct token_check *check, struct error *error)
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
static bool chain_path(const struct token_check *check, char path[PATH_MAX], struct error *error)
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

static bool step_chain(struct token_check *check, struct error *error)
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

static bool step_validity(struct token_check *check, struct error *error)
{
	return x509_chain_verify(check->chain, check->roots, check->ctl->now, error);
}

static bool step_key_usage(struct token_check *check, struct error *error)
{
	return x509_may_sign_tokens(sk_X509_value(check->chain, 0), error);
}

static bool step_signature(struct token_check *check, struct error *error)
{
	EVP_PKEY *certified = X509_get0_pubkey(sk_X509_value(check->chain, 0));
	struct es256_key *key = es256_key_public(certified, error);
	bool ok = key != NULL && es256_verify(key, check->parts.digest, check->parts.sig, error);

	es256_key_free(key);
	return ok;
}

static bool step_payload(struct token_check *check, struct error *error)
{
	check->payload = token_part_load("payload", check->parts.payload, error);
	return check->payload != NULL;
}

/* RFC 7519 section 4.1.4 lets NumericDate have fractions; SPC tokens have none. */
static bool step_times(struct token_check *check, struct error *error)
{
	const json_t *exp = json_object_get(check->payload, "exp");
	const json_t *nbf = json_object_get(check->payload, "nbf");
	char words[TOKEN_WORDS_MAX];

	if (!json_is_integer(exp))
		return error_set(error, ERROR_INVALID, "exp is not an integer");
	token_time_words(json_integer_value(exp) - check->ctl->now, words);
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

static bool step_claims(struct token_check *check, struct error *error)
{
	const json_t *jti = json_object_get(check->payload, "jti");

	if (token_is_2017(check->payload))
		return check_fingerprint(json_object_get(check->payload, "fingerprint"), error);
	if (json_string_length(jti) == 0)
		return error_set(error, ERROR_INVALID, "jti is not there");
	return check_atc(json_object_get(check->payload, "atc"), error);
}

static bool step_spc(struct token_check *check, struct error *error)
{
	return token_spc(check->payload, &check->list, error);
}

/* ---- the table ---- */

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
	bool (*run)(struct token_check *check, struct error *error);
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
static json_t *judge_step(struct token_check *check, size_t i, unsigned int *good,
			  struct error *first)
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

bool token_check_judge(struct token_check *check, json_t *rows, struct error *error)
{
	unsigned int good = 0;

	for (size_t i = 0; i < STEPS; i++)
		json_array_append_new(rows, judge_step(check, i, &good, error));
	return good == BIT(STEPS) - 1;
}

void token_check_clear(struct token_check *check)
{
	json_decref(check->header);
	json_decref(check->payload);
	X509_stack_free(check->chain);
	X509_stack_free(check->roots);
}
