/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/secret_report.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/config.h"
#include "crypto/client_secret.h"
#include "edge/face.h"
#include "edge/guard.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "json_body.h"
#include "loop/flow.h"

struct secret_report {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	bool may_be_ours;
	struct report_order order;
	struct access_answer answer;
};

static struct secret_report *report_of(struct flow *flow)
{
	return (struct secret_report *)((char *)flow - offsetof(struct secret_report, flow));
}

bool report_order_fill(const char *secret, const char *environment, struct report_order *order)
{
	size_t len = strlen(secret);
	struct client_secret_kind kind;

	if (!client_secret_read(secret, len, &kind) || strcmp(kind.environment, environment) != 0)
		return false;
	switch (kind.form) {
	case SECRET_OF_CLIENT:
		credential_digest_secret(secret, len, order->secret);
		break;
	case SECRET_ACCESS_TOKEN:
		credential_digest_token(secret, len, order->token);
		break;
	case SECRET_PASSWORD:
		credential_digest_secret(secret, len, order->password);
		break;
	}
	return true;
}

static enum flow_next admit(struct flow *flow)
{
	const struct secret_report *report = report_of(flow);

	return flow_next_if(guard_admit(report->services, report->http, &flow->error));
}

static enum flow_next read_report(struct flow *flow)
{
	static const struct json_text member = { "secret", "secret-missing", "secret-type" };
	struct secret_report *report = report_of(flow);
	struct report_order *order = &report->order;
	json_auto_t *body = json_body_read(report->http, &flow->error);
	const char *secret = body == NULL ? NULL : json_body_text(body, &member, &flow->error);

	if (secret == NULL)
		return FLOW_FAIL;
	report->may_be_ours =
		report_order_fill(secret, report->services->config->environment, order);
	json_text_wipe(body, member.name);
	memcpy(order->peer, http_peer(report->http), sizeof(order->peer));
	snprintf(order->request_id, sizeof(order->request_id), "%s", http_request_id(report->http));
	return FLOW_NEXT;
}

static enum flow_next send_report(struct flow *flow)
{
	struct secret_report *report = report_of(flow);

	if (!report->may_be_ours)
		return FLOW_NEXT;
	ipc_report_start(report->services->authority, &report->order, &report->answer, flow_resume,
			 flow);
	return FLOW_WAIT;
}

static const struct flow_step steps[] = {
	{ "admit", admit },
	{ "read report", read_report },
	{ "send report", send_report },
	{ 0 },
};

static void finish(struct flow *flow)
{
	static const char thanks[] =
		"{\"status\":\"success\",\"message\":\"thank you; a secret that is in "
		"force is now disabled and its owner told\"}";
	static const struct http_reply accepted = {
		.status = 202,
		.media_type = "application/json",
		.body = thanks,
		.len = sizeof(thanks) - 1,
	};
	struct secret_report *report = report_of(flow);

	if (flow->error.kind == ERROR_NONE)
		http_reply(report->http, &accepted);
	else
		face_reply_error(report->http, &flow->error, NULL, NULL);
	free(report);
}

void secret_report_handle(struct http_request *http, void *services)
{
	struct secret_report *report = calloc(1, sizeof(*report));

	if (report == NULL) {
		face_reply_no_memory(http);
		return;
	}
	report->http = http;
	report->services = services;
	http_on_close(http, flow_cancel, &report->flow);
	flow_start(&report->flow, steps, finish);
}
