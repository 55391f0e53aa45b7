/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/client_auth.h"

#include <assert.h>
#include <string.h>

#include "crypto/digest.h"
#include "edge/assertion.h"
#include "edge/authorization.h"

#define CREDENTIALS_MAX 1024 /* each character may be an escape */

/* What an assertion names has room in a proof. */
static_assert(ASSERTION_TEXT_MAX <= CLIENT_ID_MAX, "iss");
static_assert(ASSERTION_TEXT_MAX <= KEY_ID_MAX, "kid");
static_assert(ASSERTION_TEXT_MAX <= ASSERTION_ID_MAX, "jti");

static bool refuse_request(struct error *error, const char *why)
{
	return error_set_code(error, ERROR_INVALID, "invalid_request", "%s", why);
}

static bool refuse_client(struct error *error, const char *why)
{
	return error_set_code(error, ERROR_UNAUTHORIZED, "invalid_client", "%s", why);
}

/* ---- secrets ---- */

static bool take_secret(const char *client, const char *secret, const char *environment,
			struct client_proof *proof, struct error *error)
{
	const char *foreign = secret_foreign(secret, environment);

	if (foreign != NULL)
		return error_set_code(error, ERROR_UNAUTHORIZED, "invalid_client",
				      "this secret is one of %s; this is %s", foreign, environment);
	credential_digest_basic(client, strlen(client), secret, strlen(secret), proof->credential);
	return true;
}

/* RFC 6749 section 2.3.1: each half is form-encoded before they are joined. */
static bool decode_half(const char *half)
{
	char *text = (char *)half; /* of our own buffer */
	size_t len;

	if (!form_decode(text, strlen(text), &len))
		return false;
	text[len] = '\0';
	return true;
}

static bool by_basic(const char *authorization, const struct form *form,
		     const struct client_auth_context *context, struct client_proof *proof,
		     struct error *error)
{
	const char *named = form_value(form, "client_id"), *client, *secret;
	char text[CREDENTIALS_MAX];
	bool good;

	if (authorization_kind_of(authorization) != AUTHORIZATION_BASIC)
		return refuse_client(error, "Authorization: want Basic");
	proof->method = METHOD_SECRET;
	if (!authorization_basic(authorization, text, sizeof(text), &client, &secret))
		return true;
	if (!decode_half(client) || !decode_half(secret))
		good = true; /* nobody's */
	else if (named != NULL && strcmp(named, client) != 0)
		good = refuse_request(error, "client_id: another client than Authorization has");
	else
		good = take_secret(client, secret, context->environment, proof, error);
	explicit_bzero(text, sizeof(text));
	return good;
}

static bool by_post(const struct form *form, const struct client_auth_context *context,
		    struct client_proof *proof, struct error *error)
{
	const char *client = form_value(form, "client_id");

	if (client == NULL)
		return refuse_request(error, "client_id: missing");
	proof->method = METHOD_SECRET;
	return take_secret(client, form_value(form, "client_secret"), context->environment, proof,
			   error);
}

/* ---- assertions ---- */

static void take_assertion(const struct assertion *assertion, struct client_proof *proof)
{
	proof->method = METHOD_ASSERTION;
	proof->exp = assertion->exp;
	memcpy(proof->input_digest, assertion->digest, sizeof(proof->input_digest));
	memcpy(proof->signature, assertion->sig, sizeof(proof->signature));
	strcpy(proof->client, assertion->client);
	strcpy(proof->kid, assertion->kid);
	strcpy(proof->jti, assertion->jti);
}

static bool by_assertion(const struct form *form, const struct client_auth_context *context,
			 struct client_proof *proof, struct error *error)
{
	const char *type = form_value(form, "client_assertion_type");
	const char *text = form_value(form, "client_assertion");
	const char *named = form_value(form, "client_id");
	struct assertion assertion;

	if (type == NULL || text == NULL)
		return refuse_request(error, "want client_assertion with client_assertion_type");
	if (strcmp(type, ASSERTION_TYPE) != 0)
		return refuse_client(error, "client_assertion_type: want " ASSERTION_TYPE);
	if (!assertion_parse(text, context->audiences, context->now, &assertion, error))
		return false;
	/* RFC 7521 section 4.2 */
	if (named != NULL && strcmp(named, assertion.client) != 0)
		return refuse_client(error, "client_id: another client than the assertion's");
	take_assertion(&assertion, proof);
	return true;
}

/* ---- the one that was used ---- */

enum { BY_HEADER = 1, BY_POST = 2, BY_ASSERTION = 4 };

bool client_auth_read(const char *authorization, const struct form *form,
		      const struct client_auth_context *context, struct client_proof *proof,
		      struct error *error)
{
	bool asserts = form_value(form, "client_assertion") != NULL ||
		       form_value(form, "client_assertion_type") != NULL;
	int ways = (authorization != NULL ? BY_HEADER : 0) |
		   (form_value(form, "client_secret") != NULL ? BY_POST : 0) |
		   (asserts ? BY_ASSERTION : 0);

	memset(proof, 0, sizeof(*proof));
	switch (ways) {
	case 0:
		return refuse_client(error, "no client authentication");
	case BY_HEADER:
		return by_basic(authorization, form, context, proof, error);
	case BY_POST:
		return by_post(form, context, proof, error);
	case BY_ASSERTION:
		return by_assertion(form, context, proof, error);
	default:
		return refuse_request(error, "more than one way of client authentication");
	}
}
