/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/oauth_request.h"

#include <string.h>

#include <jansson.h>

#include "access_request.h"
#include "base/clock.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "edge/challenge.h"
#include "edge/client_auth.h"
#include "edge/form.h"
#include "edge/oauth_server.h"
#include "edge/scope.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/verdict.h"
#include "jose/jws.h"

/* RFC 6749 section 5.2: the challenge of every 401. */
static const struct http_field basic[] = { { "WWW-Authenticate", CHALLENGE_BASIC }, { 0 } };

static int64_t now_s(void)
{
	return clock_unix_us() / 1000000;
}

static bool refuse(struct error *error, const char *code, const char *why)
{
	return error_set_code(error, ERROR_INVALID, code, "%s", why);
}

/* ---- what both begin with ---- */

static enum flow_next read_form(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);
	size_t len;
	const char *body = http_body(req->http, &len);

	if (!media_type_is_form(http_header(req->http, "content-type")))
		return flow_next_if(refuse(&flow->error, "invalid_request",
					   "Content-Type: want application/x-www-form-urlencoded"));
	memcpy(req->body, body, len);
	return flow_next_if(form_parse(req->body, len, &req->form, &flow->error));
}

static bool read_proof(struct access_request *req, struct client_proof *proof, struct error *error)
{
	const struct client_auth_context context = {
		.environment = req->services->config->environment,
		.audiences = oauth_server_audiences(req->services->oauth),
		.now = now_s(),
	};

	return client_auth_read(http_header(req->http, "authorization"), &req->form, &context,
				proof, error);
}

/* The words of RFC 6749 section 5.2 for what has words of its own elsewhere. */
static bool verdict_in_oauth(unsigned int verdict, const uint8_t peer[16], struct error *error)
{
	struct error why = { 0 };

	if (verdict_is_good(verdict, peer, &why))
		return true;
	switch (verdict) {
	case VERDICT_STRANGER:
	case VERDICT_CREDENTIAL_EXPIRED:
	case VERDICT_CLIENT_DISABLED:
	case VERDICT_REPLAYED:
		return error_set_code(error, ERROR_UNAUTHORIZED, "invalid_client",
				      "client authentication failed");
	case VERDICT_SCOPE_NOT_PERMITTED:
		return refuse(error, "invalid_scope", why.detail);
	case VERDICT_ADDRESS_NOT_ALLOWED:
		return error_set_code(error, why.kind, "unauthorized_client", "%s", why.detail);
	default:
		*error = why;
		return false;
	}
}

/* ---- POST /oauth2/token ---- */

static bool check_grant_type(const struct form *form, struct error *error)
{
	const char *type = form_value(form, "grant_type");

	if (type == NULL)
		return refuse(error, "invalid_request", "grant_type: missing");
	return strcmp(type, "client_credentials") == 0 ||
	       refuse(error, "unsupported_grant_type", "grant_type: want client_credentials");
}

static enum flow_next read_grant(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);
	struct grant_order *order = &req->order.grant;

	if (!read_proof(req, &order->proof, &flow->error) ||
	    !check_grant_type(&req->form, &flow->error))
		return FLOW_FAIL;
	access_sign(req, order->peer, order->request_id);
	return flow_next_if(scope_parse(form_value(&req->form, "scope"), &order->scopes) ||
			    refuse(&flow->error, "invalid_scope",
				   "scope: want some of spc-token, spc-token:ca, revoke"));
}

static enum flow_next heed_grant(struct flow *flow)
{
	const struct access_request *req = access_request_of(flow);

	return flow_next_if(
		verdict_in_oauth(req->answer.granted.verdict, req->order.grant.peer, &flow->error));
}

static const struct flow_step grant_steps[] = {
	{ "admit", access_admit },    { "read form", read_form },
	{ "read grant", read_grant }, { "send grant", access_send_grant },
	{ "heed", heed_grant },	      { 0 },
};

/* RFC 6749 section 5.1; every answer to a POST is no-store and no-cache. */
static json_t *granted_to_json(const struct grant_answer *answer)
{
	int64_t left = answer->exp - now_s();
	char scope[SCOPE_TEXT_MAX + 1];

	scope_write(answer->scopes, scope);
	return json_pack("{s:s,s:s,s:I,s:s}", "access_token", answer->text, "token_type", "Bearer",
			 "expires_in", (json_int_t)(left > 0 ? left : 1), "scope", scope);
}

static void reply_granted(struct access_request *req)
{
	access_reply_json(req, granted_to_json(&req->answer.granted));
}

void oauth_token_handle(struct http_request *http, void *services)
{
	static const struct access_kind grant = { grant_steps, reply_granted, basic };

	access_request_start(http, services, &grant);
}

/* ---- POST /oauth2/revoke ---- */

/* An SPC token is a compact JWS, an access token of ours is not. */
static bool is_jws(const char *token)
{
	struct jws_parts parts;
	struct error error = { 0 };

	return jws_parse(token, &parts, &error);
}

/* RFC 7009 section 2.1: a wrong hint changes nothing. */
static enum flow_next read_revoke(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);
	struct revoke_order *order = &req->order.revoke;
	const char *token = form_value(&req->form, "token");

	if (!read_proof(req, &order->proof, &flow->error))
		return FLOW_FAIL;
	if (token == NULL)
		return flow_next_if(refuse(&flow->error, "invalid_request", "token: missing"));
	if (is_jws(token))
		return flow_next_if(refuse(&flow->error, "unsupported_token_type",
					   "token: only access tokens are revoked here"));
	access_sign(req, order->peer, order->request_id);
	credential_digest_token(token, strlen(token), order->token);
	return FLOW_NEXT;
}

static enum flow_next heed_revoke(struct flow *flow)
{
	const struct access_request *req = access_request_of(flow);

	return flow_next_if(
		verdict_in_oauth(req->answer.done.verdict, req->order.revoke.peer, &flow->error));
}

static const struct flow_step revoke_steps[] = {
	{ "admit", access_admit },	{ "read form", read_form },
	{ "read revoke", read_revoke }, { "send revoke", access_send_revoke },
	{ "heed", heed_revoke },	{ 0 },
};

/* RFC 7009 section 2.2: the body of a 200 means nothing. */
static void reply_revoked(struct access_request *req)
{
	http_reply(req->http, &(struct http_reply){ .status = 200 });
}

void oauth_revoke_handle(struct http_request *http, void *services)
{
	static const struct access_kind revoke = { revoke_steps, reply_revoked, basic };

	access_request_start(http, services, &revoke);
}
