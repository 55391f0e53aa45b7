/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/claims.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* A JSON object that is being written.  Only what needs no escape goes in. */
struct json {
	char text[1024];
	size_t len;
	bool full;
};

static void put_text(struct json *json, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(json->text) - json->len) {
		json->full = true;
		return;
	}
	memcpy(json->text + json->len, text, len + 1);
	json->len += len;
}

/* Texts up to a NULL, one after the other. */
static void __attribute__((sentinel)) put(struct json *json, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, json);
	while ((text = va_arg(ap, const char *)) != NULL)
		put_text(json, text);
	va_end(ap);
}

static void put_time(struct json *json, const char *name, int64_t unix_s)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, unix_s);
	put(json, "\"", name, "\":", number, ",", NULL);
}

static bool texts_are_plain(const struct token_claims *claims, struct error *error)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "spc", claims->spc },
		{ "tkvalue", claims->tkvalue },
		{ "fingerprint", claims->fingerprint },
		{ "iss", claims->iss },
		{ "x5u", claims->x5u },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].text != NULL && !bytes_are_plain(texts[i].text, strlen(texts[i].text)))
			return error_set(error, ERROR_INTERNAL, "%s: a byte that JSON escapes",
					 texts[i].name);
	return true;
}

/* RFC 9447 section 3, RFC 9448 section 5. */
static void put_atc(struct json *json, const struct token_claims *claims, const char *jti)
{
	put(json, "{", NULL);
	if (claims->optional & CLAIM_ISS)
		put(json, "\"iss\":\"", claims->iss, "\",", NULL);
	if (claims->optional & CLAIM_IAT)
		put_time(json, "iat", claims->iat);
	if (claims->optional & CLAIM_NBF)
		put_time(json, "nbf", claims->iat);
	put_time(json, "exp", claims->exp);
	put(json, "\"jti\":\"", jti, "\",\"atc\":{\"tktype\":\"TNAuthList\",", NULL);
	put(json, "\"tkvalue\":\"", claims->tkvalue, "\",", NULL);
	put(json, "\"ca\":", claims->ca ? "true" : "false", ",", NULL);
	put(json, "\"fingerprint\":\"", claims->fingerprint, "\"}}", NULL);
}

/* ATIS-1000080 (2017) section 6.3.4.1; jti is ours. */
static void put_2017(struct json *json, const struct token_claims *claims, const char *jti)
{
	put(json, "{\"sub\":[\"", claims->spc, "\"],", NULL);
	put_time(json, "iat", claims->iat);
	put_time(json, "nbf", claims->iat);
	put_time(json, "exp", claims->exp);
	put(json, "\"fingerprint\":\"", claims->fingerprint, "\",\"jti\":\"", jti, "\"}", NULL);
}

static bool is_complete(const struct token_claims *claims)
{
	bool by_form =
		claims->form == TOKEN_FORM_ATC ? claims->tkvalue != NULL : claims->spc != NULL;
	bool has_iss = !(claims->optional & CLAIM_ISS) || claims->iss != NULL;

	return by_form && has_iss && claims->fingerprint != NULL && claims->x5u != NULL;
}

bool token_claims_encode(const struct token_claims *claims, struct jws *jws, uint8_t digest[32],
			 struct error *error)
{
	struct json header = { .len = 0 }, payload = { .len = 0 };
	char jti[UUID_TEXT_LEN + 1];

	if (!is_complete(claims))
		return error_set(error, ERROR_INTERNAL,
				 "claims: one that the form needs is missing");
	if (!texts_are_plain(claims, error))
		return false;
	uuid_to_text(claims->jti, jti);
	put(&header, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"", claims->x5u, "\"}", NULL);
	if (claims->form == TOKEN_FORM_ATC)
		put_atc(&payload, claims, jti);
	else
		put_2017(&payload, claims, jti);
	if (header.full || payload.full)
		return error_set(error, ERROR_INTERNAL, "claims: longer than any that we make");
	return jws_begin(jws, header.text, payload.text, digest, error);
}
