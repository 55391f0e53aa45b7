/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/assertion.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "jose/jws.h"

static_assert(sizeof(((struct assertion *)0)->sig) == ES256_SIG_LEN, "a signature has room");

#define SECONDS_MAX 1e12 /* a double holds each second up to there */
#define CLIENT_BYTES                                                                               \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-" /* of a client id */

static bool refuse(struct error *error, const char *why)
{
	return error_set_code(error, ERROR_UNAUTHORIZED, "invalid_client", "client_assertion: %s",
			      why);
}

/* ---- members ---- */

/* 1 to 64 characters of printable ASCII; "" when it is anything else. */
static void copy_text(const json_t *value, char text[ASSERTION_TEXT_MAX + 1])
{
	const char *from = json_string_value(value);
	size_t len = from == NULL ? 0 : json_string_length(value);

	text[0] = '\0';
	if (len > ASSERTION_TEXT_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if (from[i] < ' ' || from[i] > '~')
			return;
	if (len > 0)
		memcpy(text, from, len + 1);
}

/* RFC 7519 section 2: NumericDate may have a fraction. */
static bool number_is(const json_t *value, int64_t *number)
{
	double real = json_number_value(value);

	if (!json_is_number(value) || !(real >= 0 && real <= SECONDS_MAX))
		return false;
	*number = (int64_t)real;
	return true;
}

static bool text_is_one_of(const json_t *value, const char *const *texts)
{
	for (; json_is_string(value) && *texts != NULL; texts++)
		if (strcmp(json_string_value(value), *texts) == 0)
			return true;
	return false;
}

/* ---- the header: RFC 7515 section 4.1 ---- */

static bool take_header(json_t *header, struct assertion *assertion, struct error *error)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const json_t *typ = json_object_get(header, "typ");
	const json_t *kid = json_object_get(header, "kid");
	const char *type = json_string_value(typ);

	if (!json_is_object(header))
		return refuse(error, "its header is not a JSON object");
	if (alg == NULL || strcmp(alg, "ES256") != 0)
		return refuse(error, "alg: want ES256");
	if (typ != NULL && (type == NULL || (strcasecmp(type, "JWT") != 0 &&
					     strcasecmp(type, "client-authentication+jwt") != 0)))
		return refuse(error, "typ: want JWT");
	if (json_object_get(header, "crit") != NULL)
		return refuse(error, "crit: no extension is understood");
	copy_text(kid, assertion->kid);
	return kid == NULL || assertion->kid[0] != '\0' ||
	       refuse(error, "kid: want the name of the key, 1 to 64 characters");
}

/* ---- the claims: RFC 7523 section 3 ---- */

/* Items 1 and 2. */
static bool take_names(json_t *claims, struct assertion *assertion, struct error *error)
{
	const json_t *iss = json_object_get(claims, "iss");
	const json_t *sub = json_object_get(claims, "sub");

	copy_text(iss, assertion->client);
	if (assertion->client[0] == '\0' || !json_equal(iss, sub) ||
	    assertion->client[strspn(assertion->client, CLIENT_BYTES)] != '\0')
		return refuse(error, "iss and sub: want the client id, in both");
	return true;
}

/* Item 3. */
static bool take_audience(json_t *claims, const char *const *audiences, struct error *error)
{
	json_t *aud = json_object_get(claims, "aud"), *one;
	size_t i;

	if (text_is_one_of(aud, audiences))
		return true;
	json_array_foreach(aud, i, one) if (text_is_one_of(one, audiences)) return true;
	return refuse(error, "aud: want the issuer or the URL of the token endpoint");
}

/* Items 4 to 6. */
static bool take_times(json_t *claims, int64_t now, struct assertion *assertion,
		       struct error *error)
{
	const json_t *nbf = json_object_get(claims, "nbf"), *iat = json_object_get(claims, "iat");
	int64_t from;

	if (!number_is(json_object_get(claims, "exp"), &assertion->exp))
		return refuse(error, "exp: want a number of seconds");
	if (assertion->exp <= now)
		return refuse(error, "exp: it has expired");
	if (assertion->exp > now + ASSERTION_AHEAD_S)
		return refuse(error, "exp: want at most an hour ahead");
	if (nbf != NULL && (!number_is(nbf, &from) || from > now + ASSERTION_SKEW_S))
		return refuse(error, "nbf: it is not yet in force");
	if (iat != NULL && (!number_is(iat, &from) || from > now + ASSERTION_SKEW_S))
		return refuse(error, "iat: it was made in the future");
	return true;
}

static bool take_claims(json_t *claims, const char *const *audiences, int64_t now,
			struct assertion *assertion, struct error *error)
{
	if (!json_is_object(claims))
		return refuse(error, "its claims are not a JSON object");
	if (!take_names(claims, assertion, error) || !take_audience(claims, audiences, error) ||
	    !take_times(claims, now, assertion, error))
		return false;
	copy_text(json_object_get(claims, "jti"), assertion->jti);
	return assertion->jti[0] != '\0' ||
	       refuse(error, "jti: want 1 to 64 characters, once used");
}

static bool take_parts(const struct jws_parts *parts, const char *const *audiences, int64_t now,
		       struct assertion *assertion, struct error *error)
{
	json_auto_t *header = json_loads(parts->header, JSON_REJECT_DUPLICATES, NULL);
	json_auto_t *claims = json_loads(parts->payload, JSON_REJECT_DUPLICATES, NULL);

	memcpy(assertion->digest, parts->digest, sizeof(assertion->digest));
	memcpy(assertion->sig, parts->sig, sizeof(assertion->sig));
	return take_header(header, assertion, error) &&
	       take_claims(claims, audiences, now, assertion, error);
}

bool assertion_parse(const char *text, const char *const *audiences, int64_t now,
		     struct assertion *assertion, struct error *error)
{
	struct jws_parts parts;
	struct error why = { 0 };

	memset(assertion, 0, sizeof(*assertion));
	if (!jws_parse(text, &parts, &why))
		return refuse(error, "not a compact JWS with a signature of 64 octets");
	if (take_parts(&parts, audiences, now, assertion, error))
		return true;
	memset(assertion, 0, sizeof(*assertion));
	return false;
}
