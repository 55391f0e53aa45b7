/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/claims.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A JSON object that is being written.  Only what needs no escape goes in. */
struct json {
	char text[1024];
	size_t len;
	bool full;
};

static void __attribute__((format(printf, 2, 3))) put(struct json *json, const char *fmt, ...)
{
	size_t room = sizeof(json->text) - json->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(json->text + json->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		json->full = true;
	else
		json->len += (size_t)n;
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
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
		if (texts[i].text != NULL && !is_plain(texts[i].text))
			return error_set(error, ERROR_INTERNAL, "%s: a byte that JSON escapes",
					 texts[i].name);
	return true;
}

/* RFC 9447 section 3, RFC 9448 section 5. */
static void put_atc(struct json *json, const struct token_claims *claims, const char *jti)
{
	put(json, "{");
	if (claims->optional & CLAIM_ISS)
		put(json, "\"iss\":\"%s\",", claims->iss);
	if (claims->optional & CLAIM_IAT)
		put(json, "\"iat\":%" PRId64 ",", claims->iat);
	if (claims->optional & CLAIM_NBF)
		put(json, "\"nbf\":%" PRId64 ",", claims->iat);
	put(json, "\"exp\":%" PRId64 ",\"jti\":\"%s\",", claims->exp, jti);
	put(json, "\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"%s\",\"ca\":%s,",
	    claims->tkvalue, claims->ca ? "true" : "false");
	put(json, "\"fingerprint\":\"%s\"}}", claims->fingerprint);
}

/* ATIS-1000080 (2017) section 6.3.4.1; jti is ours. */
static void put_2017(struct json *json, const struct token_claims *claims, const char *jti)
{
	put(json, "{\"sub\":[\"%s\"],", claims->spc);
	put(json, "\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64 ",", claims->iat,
	    claims->iat, claims->exp);
	put(json, "\"fingerprint\":\"%s\",\"jti\":\"%s\"}", claims->fingerprint, jti);
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
	put(&header, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"%s\"}", claims->x5u);
	if (claims->form == TOKEN_FORM_ATC)
		put_atc(&payload, claims, jti);
	else
		put_2017(&payload, claims, jti);
	if (header.full || payload.full)
		return error_set(error, ERROR_INTERNAL, "claims: longer than any that we make");
	return jws_begin(jws, header.text, payload.text, digest, error);
}
