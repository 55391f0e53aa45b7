/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST …/account/{id}/token
 *
 * The edge decides nothing: it turns the request into an order, and the authority's answer into a
 * reply.  A request without credentials is no order: there is nobody to judge.
 */
#include "edge/token_request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/config.h"
#include "edge/services.h"
#include "edge/token_parse.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "loop/flow.h"

struct token_request {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	const char *challenge; /* of a 401 */
	struct order order;
	struct answer answer;
};

static struct token_request *request_of(struct flow *flow)
{
	return (struct token_request *)((char *)flow - offsetof(struct token_request, flow));
}

/* What is told when there are no credentials to judge.  RFC 7617 section 2; RFC 6750 section 3. */
static const struct {
	const char *challenge, *code, *detail;
} refusals[] = {
	[AUTHORIZATION_NONE] = { "Basic realm=\"sti-pa\", charset=\"UTF-8\"", "no-credentials",
				 "Authorization: want Basic with client id and secret" },
	[AUTHORIZATION_TOKEN] = { "Bearer realm=\"sti-pa\", error=\"invalid_token\"",
				  "invalid-token",
				  "Authorization: this access token is not in force" },
};

static enum flow_next identify(struct flow *flow)
{
	struct token_request *req = request_of(flow);
	enum authorization kind = authorization_digest(http_header(req->http, "authorization"),
						       req->order.credential);

	if (kind == AUTHORIZATION_BASIC)
		return FLOW_NEXT;
	req->challenge = refusals[kind].challenge;
	return flow_next_if(error_set_code(&flow->error, ERROR_UNAUTHORIZED, refusals[kind].code,
					   "%s", refusals[kind].detail));
}

/* Names, aliases and SPCs are made of these.  Anything else is nobody's, and its refusal is the
 * authority's, so that it looks like any other. */
static void take_account(struct order *order, const char *id)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t len = strlen(id);

	if (len <= ACCOUNT_REF_MAX && strspn(id, bytes) == len)
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

static enum flow_next heed(struct flow *flow)
{
	const struct token_request *req = request_of(flow);

	return flow_next_if(verdict_is_issued(&req->order, &req->answer, &flow->error));
}

static const struct flow_step steps[] = {
	{ "identify", identify }, { "parse", parse }, { "send", send }, { "heed", heed }, { 0 },
};

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* Strings only: deployed clients read the answer into a map of strings.  RFC 9448 section 5.5 wants
 * token; the rest is ATIS-1000080. */
static char *answer_to_json(const struct answer *answer, const struct config *config)
{
	char message[64];
	json_auto_t *json;

	snprintf(message, sizeof(message), "SPC token for SPC %s created", answer->spc);
	json = json_pack("{ssssssssss}", "status", "success", "message", message, "token",
			 answer->text, "crl", text_or_empty(config->crl_url), "iss",
			 text_or_empty(config->crl_issuer));
	return json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
}

static void reply_token(struct token_request *req)
{
	const char *jose = "application/jose+json";
	char *body = answer_to_json(&req->answer, req->services->config);
	const struct error full = { .kind = ERROR_UNAVAILABLE, .detail = "out of memory" };
	struct http_reply reply = {
		.status = 200,
		.media_type = http_accepts(req->http, jose) ? jose : "application/json",
		.body = body,
	};

	if (body == NULL) {
		http_reply_problem(req->http, &full, NULL);
		return;
	}
	reply.len = strlen(body);
	http_reply(req->http, &reply);
	free(body);
}

static void finish(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	if (flow->error.kind == ERROR_NONE)
		reply_token(req);
	else
		http_reply_problem(req->http, &flow->error, req->challenge);
	free(req);
}

void token_request_handle(struct http_request *http, void *services)
{
	struct token_request *req = calloc(1, sizeof(*req));
	const struct error full = { .kind = ERROR_UNAVAILABLE, .detail = "out of memory" };

	if (req == NULL) {
		http_reply_problem(http, &full, NULL);
		return;
	}
	req->http = http;
	req->services = services;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, steps, finish);
}
