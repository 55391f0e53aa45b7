/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST …/account/{id}/token
 *
 * The edge decides nothing: it turns the request into an order, and the
 * authority's answer into a reply.
 */
#include "edge/token_request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/address_limits.h"
#include "edge/services.h"
#include "edge/token_parse.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "loop/flow.h"

struct token_request {
	struct flow flow;
	struct http_request *http;
	struct services *services;
	struct order order;
	struct answer answer;
};

static struct token_request *request_of(struct flow *flow)
{
	return (struct token_request *)((char *)flow - offsetof(struct token_request, flow));
}

static enum flow_next admit(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	return flow_next_if(
		address_limits_admit(req->services->limits, http_peer(req->http), &flow->error));
}

/* An account name that is too long is nobody's, and its refusal is the authority's. */
static void take_account(struct order *order, const char *id)
{
	if (snprintf(order->account, sizeof(order->account), "%s", id) > ACCOUNT_NAME_MAX)
		order->account[0] = '\0';
}

static enum flow_next parse(struct flow *flow)
{
	struct token_request *req = request_of(flow);
	struct order *order = &req->order;
	size_t len;
	const char *body = http_body(req->http, &len);

	order->kind = ORDER_ISSUE;
	take_account(order, http_path_param(req->http, "id"));
	order->defect = token_body_parse(body, len, order);
	return flow_next_if(credential_digest(http_header(req->http, "authorization"),
					      order->credential, &flow->error));
}

static enum flow_next send(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	ipc_order_start(req->services->authority, &req->order, &req->answer, flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next heed(struct flow *flow)
{
	return flow_next_if(verdict_is_issued(&request_of(flow)->answer, &flow->error));
}

static const struct flow_step steps[] = {
	{ "admit", admit }, { "parse", parse }, { "send", send }, { "heed", heed }, { 0 },
};

static void finish(struct flow *flow)
{
	struct token_request *req = request_of(flow);

	if (flow->error.kind == ERROR_NONE)
		http_reply_token(req->http, req->answer.token);
	else
		http_reply_problem(req->http, &flow->error);
	free(req);
}

void token_request_handle(struct http_request *http, struct services *services)
{
	struct token_request *req = calloc(1, sizeof(*req));
	const struct error full = { .kind = ERROR_UNAVAILABLE, .detail = "out of memory" };

	if (req == NULL) {
		http_reply_problem(http, &full);
		return;
	}
	req->http = http;
	req->services = services;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, steps, finish);
}
