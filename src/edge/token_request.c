/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST …/account/{id}/token
 *
 * The edge decides nothing: it turns the request into an order, and the authority's answer into a
 * reply in the words of the request's face.  A request without credentials is no order: there is
 * nobody to judge.
 */
#include "edge/token_request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/json_text.h"
#include "config/config.h"
#include "crypto/client_secret.h"
#include "edge/authorization.h"
#include "edge/challenge.h"
#include "edge/face.h"
#include "edge/guard.h"
#include "edge/services.h"
#include "edge/token_answer.h"
#include "edge/token_parse.h"
#include "http/problem.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "loop/flow.h"

struct token_request {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	const struct face *face;
	const struct http_field *challenges; /* of an error; or NULL */
	struct order order;
	struct answer answer;
};

static struct token_request *request_of(struct flow *flow)
{
	return (struct token_request *)((char *)flow - offsetof(struct token_request, flow));
}

static enum flow_next admit(struct flow *flow)
{
	const struct token_request *req = request_of(flow);

	return flow_next_if(guard_admit(req->services, req->http, &flow->error));
}

static enum flow_next identify(struct flow *flow)
{
	struct token_request *req = request_of(flow);
	const char *environment = req->services->config->environment;
	struct authorization who;

	authorization_read(http_header(req->http, "authorization"), environment, &who);
	if (who.foreign != NULL)
		return flow_next_if(secret_refuse_foreign(who.foreign, environment, &flow->error));
	if (who.kind == AUTHORIZATION_NONE) {
		req->challenges = req->face->challenges;
		return flow_next_if(error_set_code(
			&flow->error, ERROR_UNAUTHORIZED, "no-credentials",
			"Authorization: want Basic with client id and secret, or an access token"));
	}
	req->order.presented = who.kind == AUTHORIZATION_TOKEN ? PRESENTED_TOKEN : PRESENTED_SECRET;
	memcpy(req->order.credential, who.digest, sizeof(req->order.credential));
	return FLOW_NEXT;
}

/* Names, aliases and SPCs are made of these.  Anything else is nobody's, and its refusal is the
 * authority's, so that it looks like any other.  So is a secret that a client has put into the
 * path: refusals are kept with the account that was asked for. */
static void take_account(struct order *order, const char *id)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t len = strlen(id);
	struct client_secret_kind kind;

	if (len <= ACCOUNT_REF_MAX && strspn(id, bytes) == len &&
	    !client_secret_read(id, len, &kind))
		memcpy(order->account, id, len + 1);
}

static enum order_defect take_body(struct order *order, const struct http_request *http)
{
	size_t len;
	const char *body = http_body(http, &len);

	order->form = TOKEN_FORM_ATC;
	if (!media_type_is_json(http_header(http, "content-type")))
		return DEFECT_MEDIA_TYPE;
	return token_body_parse(body, len, order);
}

static enum flow_next parse(struct flow *flow)
{
	struct token_request *req = request_of(flow);
	struct order *order = &req->order;

	order->kind = ORDER_ISSUE;
	memcpy(order->peer, http_peer(req->http), sizeof(order->peer));
	snprintf(order->request_id, sizeof(order->request_id), "%s", http_request_id(req->http));
	take_account(order, http_path_param(req->http, "id"));
	order->defect = (uint8_t)take_body(order, req->http);
	return FLOW_NEXT;
}

static enum flow_next send(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	ipc_order_start(req->services->authority, &req->order, &req->answer, flow_resume, flow);
	return FLOW_WAIT;
}

/* RFC 6750 section 3.1 */
static const struct http_field *challenge_for(const struct token_request *req)
{
	static const struct http_field invalid[] = {
		{ "WWW-Authenticate", CHALLENGE_INVALID_TOKEN },
		{ 0 },
	};
	static const struct http_field scope[] = {
		{ "WWW-Authenticate", CHALLENGE_SCOPE("spc-token") },
		{ 0 },
	};
	static const struct http_field scope_ca[] = {
		{ "WWW-Authenticate", CHALLENGE_SCOPE("spc-token:ca") },
		{ 0 },
	};

	if (req->answer.verdict == VERDICT_INVALID_TOKEN)
		return invalid;
	if (req->answer.verdict == VERDICT_INSUFFICIENT_SCOPE)
		return req->order.ca ? scope_ca : scope;
	return NULL;
}

/* RFC 9448 section 5.5: an unknown account, and an authorization that does not hold, are 403. */
static void forbid(const struct token_request *req, struct error *error)
{
	if (req->answer.verdict == VERDICT_NO_SUCH_ACCOUNT ||
	    req->answer.verdict == VERDICT_INVALID_TOKEN)
		error->kind = ERROR_FORBIDDEN;
}

static enum flow_next heed(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	if (verdict_is_issued(&req->order, &req->answer, &flow->error))
		return FLOW_NEXT;
	req->challenges = challenge_for(req);
	if (req->face->forbids)
		forbid(req, &flow->error);
	return FLOW_FAIL;
}

static const struct flow_step steps[] = {
	{ "admit", admit }, { "identify", identify }, { "parse", parse },
	{ "send", send },   { "heed", heed },	      { 0 },
};

/* ---- the answer ---- */

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* RFC 3339 */
static void write_time(int64_t unix_s, char text[32])
{
	time_t when = (time_t)unix_s;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static json_t *dry_run_to_json(const struct token_request *req)
{
	const struct order *order = &req->order;
	char message[64], expires[32];

	snprintf(message, sizeof(message), "a token for SPC %s would be issued", req->answer.spc);
	write_time(req->answer.exp, expires);
	return json_pack("{ssssssssssss}", "status", "would-issue", "message", message, "spc",
			 req->answer.spc, "ca", order->ca ? "true" : "false", "expires", expires,
			 "fingerprint_form",
			 text_or_empty(fingerprint_spelling(order->fingerprint)));
}

static char *dry_run_write(const struct token_request *req, size_t *len)
{
	json_auto_t *json = dry_run_to_json(req);
	char *body = json_text(json);

	*len = body == NULL ? 0 : strlen(body);
	return body;
}

static char *answer_write(const struct token_request *req, size_t *len)
{
	if (req->order.dry_run)
		return dry_run_write(req, len);
	return token_answer_write(req->services->token_answer, req->face->deployed, req->answer.spc,
				  req->answer.text, len);
}

static void reply_token(struct token_request *req)
{
	const char *jose = "application/jose+json";
	size_t len;
	char *body = answer_write(req, &len);
	struct http_reply reply = {
		.status = 200,
		.media_type = http_accepts(req->http, jose) ? jose : "application/json",
		.body = body,
		.len = len,
	};

	if (body == NULL) {
		face_reply_no_memory(req->http);
		return;
	}
	http_reply(req->http, &reply);
	free(body);
}

/* A dry run also says how it has read the fingerprint. */
static void reply_error(struct token_request *req)
{
	const char *spelling = fingerprint_spelling(req->order.fingerprint);
	const struct problem_member dry_run[] = {
		{ "dry_run", NULL },
		{ spelling == NULL ? NULL : "fingerprint_form", spelling },
		{ NULL, NULL },
	};

	guard_heed(req->services, req->http, &req->flow.error);
	face_reply_error(req->http, &req->flow.error, req->challenges,
			 req->order.dry_run ? dry_run : NULL);
}

static void finish(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	if (flow->error.kind == ERROR_NONE)
		reply_token(req);
	else
		reply_error(req);
	free(req);
}

static void start(struct http_request *http, const struct services *services, bool dry_run)
{
	struct token_request *req = calloc(1, sizeof(*req));

	if (req == NULL) {
		face_reply_no_memory(http);
		return;
	}
	req->http = http;
	req->services = services;
	req->face = face_of(http_path(http));
	req->order.dry_run = dry_run;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, steps, finish);
}

void token_request_handle(struct http_request *http, void *services)
{
	start(http, services, false);
}

void token_dry_run_handle(struct http_request *http, void *services)
{
	start(http, services, true);
}
