/* SPDX-License-Identifier: Apache-2.0 */
#include "access_request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "edge/face.h"
#include "edge/guard.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"

struct access_request *access_request_of(struct flow *flow)
{
	return (struct access_request *)((char *)flow - offsetof(struct access_request, flow));
}

/* ---- steps ---- */

enum flow_next access_admit(struct flow *flow)
{
	const struct access_request *req = access_request_of(flow);

	return flow_next_if(guard_admit(req->services, req->http, &flow->error));
}

void access_sign(const struct access_request *req, uint8_t peer[16],
		 char request_id[REQUEST_ID_MAX + 1])
{
	memcpy(peer, http_peer(req->http), 16);
	snprintf(request_id, REQUEST_ID_MAX + 1, "%s", http_request_id(req->http));
}

enum flow_next access_send_grant(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);

	ipc_grant_start(req->services->authority, &req->order.grant, &req->answer.granted,
			flow_resume, flow);
	return FLOW_WAIT;
}

enum flow_next access_send_login(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);

	ipc_login_start(req->services->authority, &req->order.login, &req->answer.granted,
			flow_resume, flow);
	return FLOW_WAIT;
}

enum flow_next access_send_revoke(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);

	ipc_revoke_start(req->services->authority, &req->order.revoke, &req->answer.done,
			 flow_resume, flow);
	return FLOW_WAIT;
}

/* ---- the end ---- */

void access_reply_json(struct access_request *req, json_t *json)
{
	char *body = json_text(json);
	struct http_reply reply = {
		.status = 200,
		.media_type = "application/json",
		.body = body,
	};

	json_decref(json);
	if (body == NULL) {
		face_reply_no_memory(req->http);
		return;
	}
	reply.len = strlen(body);
	http_reply(req->http, &reply);
	explicit_bzero(body, reply.len);
	free(body);
}

/* RFC 9110 section 15.5.2 wants a challenge in every 401. */
static void reply_error(struct access_request *req)
{
	const struct error *error = &req->flow.error;

	guard_heed(req->services, req->http, error);
	face_reply_error(req->http, error,
			 error->kind == ERROR_UNAUTHORIZED ? req->challenges : NULL, NULL);
}

static void finish(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);

	if (flow->error.kind == ERROR_NONE)
		req->kind->reply(req);
	else
		reply_error(req);
	explicit_bzero(req, sizeof(*req) + req->body_len);
	free(req);
}

void access_request_start(struct http_request *http, const struct services *services,
			  const struct access_kind *kind)
{
	struct access_request *req;
	size_t len;

	http_body(http, &len);
	req = calloc(1, sizeof(*req) + len + 1);
	if (req == NULL) {
		face_reply_no_memory(http);
		return;
	}
	req->http = http;
	req->services = services;
	req->kind = kind;
	req->challenges = kind->challenges;
	req->body_len = len;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, kind->steps, finish);
}
