/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/oauth_request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "edge/challenge.h"
#include "edge/client_auth.h"
#include "edge/face.h"
#include "edge/form.h"
#include "edge/guard.h"
#include "edge/oauth_server.h"
#include "edge/scope.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "jose/jws.h"
#include "loop/flow.h"

struct oauth_request {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	struct form form;
	union {
		struct grant_order grant;
		struct revoke_order revoke;
	} order;
	union {
		struct grant_answer granted;
		struct access_answer done;
	} answer;
	char body[]; /* decoded in place; the form's texts are parts of it */
};

static struct oauth_request *request_of(struct flow *flow)
{
	return (struct oauth_request *)((char *)flow - offsetof(struct oauth_request, flow));
}

static int64_t now_s(void)
{
	return clock_unix_us() / 1000000;
}

static bool refuse(struct error *error, const char *code, const char *why)
{
	return error_set_code(error, ERROR_INVALID, code, "%s", why);
}

/* ---- what both begin with ---- */

static enum flow_next admit(struct flow *flow)
{
	struct oauth_request *req = request_of(flow);

	return flow_next_if(guard_admit(req->services, req->http, &flow->error));
}

static enum flow_next read_form(struct flow *flow)
{
	struct oauth_request *req = request_of(flow);
	size_t len;
	const char *body = http_body(req->http, &len);

	if (!media_type_is_form(http_header(req->http, "content-type")))
		return flow_next_if(refuse(&flow->error, "invalid_request",
					   "Content-Type: want application/x-www-form-urlencoded"));
	memcpy(req->body, body, len);
	return flow_next_if(form_parse(req->body, len, &req->form, &flow->error));
}

static bool read_proof(struct oauth_request *req, struct client_proof *proof, struct error *error)
{
	const struct client_auth_context context = {
		.environment = req->services->config->environment,
		.audiences = oauth_server_audiences(req->services->oauth),
		.now = now_s(),
	};

	return client_auth_read(http_header(req->http, "authorization"), &req->form, &context,
				proof, error);
}

static void sign(const struct oauth_request *req, uint8_t peer[16],
		 char request_id[REQUEST_ID_MAX + 1])
{
	memcpy(peer, http_peer(req->http), 16);
	snprintf(request_id, REQUEST_ID_MAX + 1, "%s", http_request_id(req->http));
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
	struct oauth_request *req = request_of(flow);
	struct grant_order *order = &req->order.grant;

	if (!read_proof(req, &order->proof, &flow->error) ||
	    !check_grant_type(&req->form, &flow->error))
		return FLOW_FAIL;
	sign(req, order->peer, order->request_id);
	return flow_next_if(scope_parse(form_value(&req->form, "scope"), &order->scopes) ||
			    refuse(&flow->error, "invalid_scope",
				   "scope: want some of spc-token, spc-token:ca, revoke"));
}

static enum flow_next send_grant(struct flow *flow)
{
	struct oauth_request *req = request_of(flow);

	ipc_grant_start(req->services->authority, &req->order.grant, &req->answer.granted,
			flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next heed_grant(struct flow *flow)
{
	const struct oauth_request *req = request_of(flow);

	return flow_next_if(
		verdict_in_oauth(req->answer.granted.verdict, req->order.grant.peer, &flow->error));
}

static const struct flow_step grant_steps[] = {
	{ "admit", admit },	      { "read form", read_form }, { "read grant", read_grant },
	{ "send grant", send_grant }, { "heed", heed_grant },	  { 0 },
};

/* RFC 6749 section 5.1; every answer to a POST is no-store and no-cache. */
static char *granted_to_json(const struct grant_answer *answer)
{
	int64_t left = answer->exp - now_s();
	char scope[SCOPE_TEXT_MAX + 1];
	json_auto_t *json = NULL;

	scope_write(answer->scopes, scope);
	json = json_pack("{s:s,s:s,s:I,s:s}", "access_token", answer->text, "token_type", "Bearer",
			 "expires_in", (json_int_t)(left > 0 ? left : 1), "scope", scope);
	return json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
}

static void reply_granted(struct oauth_request *req)
{
	char *body = granted_to_json(&req->answer.granted);
	struct http_reply reply = {
		.status = 200,
		.media_type = "application/json",
		.body = body,
	};

	if (body == NULL) {
		face_reply_no_memory(req->http);
		return;
	}
	reply.len = strlen(body);
	http_reply(req->http, &reply);
	explicit_bzero(body, reply.len);
	free(body);
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
	struct oauth_request *req = request_of(flow);
	struct revoke_order *order = &req->order.revoke;
	const char *token = form_value(&req->form, "token");

	if (!read_proof(req, &order->proof, &flow->error))
		return FLOW_FAIL;
	if (token == NULL)
		return flow_next_if(refuse(&flow->error, "invalid_request", "token: missing"));
	if (is_jws(token))
		return flow_next_if(refuse(&flow->error, "unsupported_token_type",
					   "token: only access tokens are revoked here"));
	sign(req, order->peer, order->request_id);
	credential_digest_token(token, strlen(token), order->token);
	return FLOW_NEXT;
}

static enum flow_next send_revoke(struct flow *flow)
{
	struct oauth_request *req = request_of(flow);

	ipc_revoke_start(req->services->authority, &req->order.revoke, &req->answer.done,
			 flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next heed_revoke(struct flow *flow)
{
	const struct oauth_request *req = request_of(flow);

	return flow_next_if(
		verdict_in_oauth(req->answer.done.verdict, req->order.revoke.peer, &flow->error));
}

static const struct flow_step revoke_steps[] = {
	{ "admit", admit },
	{ "read form", read_form },
	{ "read revoke", read_revoke },
	{ "send revoke", send_revoke },
	{ "heed", heed_revoke },
	{ 0 },
};

/* ---- the end ---- */

/* RFC 6749 section 5.2; RFC 9110 section 15.5.2 wants a challenge in every 401. */
static void reply_error(struct oauth_request *req)
{
	static const struct http_field basic[] = { { "WWW-Authenticate", CHALLENGE_BASIC }, { 0 } };
	const struct error *error = &req->flow.error;

	guard_heed(req->services, req->http, error);
	face_reply_error(req->http, error, error->kind == ERROR_UNAUTHORIZED ? basic : NULL, NULL);
}

static void free_request(struct oauth_request *req, size_t body_len)
{
	explicit_bzero(req, sizeof(*req) + body_len);
	free(req);
}

static void finish(struct flow *flow, void (*reply)(struct oauth_request *req))
{
	struct oauth_request *req = request_of(flow);
	size_t len;

	http_body(req->http, &len);
	if (flow->error.kind == ERROR_NONE)
		reply(req);
	else
		reply_error(req);
	free_request(req, len);
}

static void finish_grant(struct flow *flow)
{
	finish(flow, reply_granted);
}

/* RFC 7009 section 2.2: the body of a 200 means nothing. */
static void reply_revoked(struct oauth_request *req)
{
	http_reply(req->http, &(struct http_reply){ .status = 200 });
}

static void finish_revoke(struct flow *flow)
{
	finish(flow, reply_revoked);
}

static void start(struct http_request *http, const struct services *services,
		  const struct flow_step *steps, void (*finish_fn)(struct flow *flow))
{
	struct oauth_request *req;
	size_t len;

	http_body(http, &len);
	req = calloc(1, sizeof(*req) + len + 1);
	if (req == NULL) {
		face_reply_no_memory(http);
		return;
	}
	req->http = http;
	req->services = services;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, steps, finish_fn);
}

void oauth_token_handle(struct http_request *http, void *services)
{
	start(http, services, grant_steps, finish_grant);
}

void oauth_revoke_handle(struct http_request *http, void *services)
{
	start(http, services, revoke_steps, finish_revoke);
}
