/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/api_user.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/config.h"
#include "crypto/client_secret.h"
#include "crypto/digest.h"
#include "edge/authorization.h"
#include "edge/challenge.h"
#include "edge/face.h"
#include "edge/guard.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "ipc/verdict.h"
#include "json_body.h"
#include "loop/flow.h"

struct api_user {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	const struct http_field *challenges; /* of a 401 */
	union {
		struct login_order login;
		struct revoke_order revoke;
	} order;
	union {
		struct grant_answer granted;
		struct access_answer done;
	} answer;
};

static struct api_user *user_of(struct flow *flow)
{
	return (struct api_user *)((char *)flow - offsetof(struct api_user, flow));
}

static enum flow_next admit(struct flow *flow)
{
	const struct api_user *req = user_of(flow);

	return flow_next_if(guard_admit(req->services, req->http, &flow->error));
}

static void sign(const struct api_user *req, uint8_t peer[16], char request_id[REQUEST_ID_MAX + 1])
{
	memcpy(peer, http_peer(req->http), 16);
	snprintf(request_id, REQUEST_ID_MAX + 1, "%s", http_request_id(req->http));
}

/* ---- login ---- */

/* A name that no user can have is nobody's, and so is a secret in its place: names are logged. */
static void take_user(const char *user, char name[USER_NAME_MAX + 1])
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@+";
	size_t len = strlen(user);
	struct client_secret_kind kind;

	if (len <= USER_NAME_MAX && strspn(user, bytes) == len &&
	    !client_secret_read(user, len, &kind))
		memcpy(name, user, len + 1);
}

bool login_order_fill(const char *user, const char *password, struct login_order *order)
{
	size_t len = strlen(password);
	struct client_secret_kind kind;

	take_user(user, order->user);
	if (client_secret_read(password, len, &kind) && kind.form == SECRET_PASSWORD) {
		order->method = METHOD_LOGIN;
		credential_digest_login(order->user, strlen(order->user), password, len,
					order->digest);
		return true;
	}
	if (len > PASSWORD_MAX)
		return false;
	order->method = METHOD_PASSWORD;
	order->password_len = (uint8_t)len;
	memcpy(order->password, password, len);
	return true;
}

static bool take_login(const json_t *body, const char *environment, struct login_order *order,
		       struct error *error)
{
	static const struct json_text user_id = { "userId", "user-id-missing", "user-id-type" };
	static const struct json_text secret = { "password", "password-missing", "password-type" };
	const char *user = json_body_text(body, &user_id, error);
	const char *password = user == NULL ? NULL : json_body_text(body, &secret, error);
	const char *foreign = password == NULL ? NULL : secret_foreign(password, environment);

	if (password == NULL)
		return false;
	if (foreign != NULL)
		return secret_refuse_foreign(foreign, environment, error);
	return login_order_fill(user, password, order) ||
	       error_set_code(error, ERROR_INVALID, "password-length",
			      "password: want at most %d bytes", PASSWORD_MAX);
}

static enum flow_next read_login(struct flow *flow)
{
	struct api_user *req = user_of(flow);
	struct login_order *order = &req->order.login;
	json_auto_t *body = json_body_read(req->http, &flow->error);
	bool good;

	if (body == NULL)
		return FLOW_FAIL;
	good = take_login(body, req->services->config->environment, order, &flow->error);
	json_text_wipe(body, "password");
	sign(req, order->peer, order->request_id);
	return flow_next_if(good);
}

static enum flow_next send_login(struct flow *flow)
{
	struct api_user *req = user_of(flow);

	ipc_login_start(req->services->authority, &req->order.login, &req->answer.granted,
			flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next heed_login(struct flow *flow)
{
	const struct api_user *req = user_of(flow);

	return flow_next_if(
		verdict_is_good(req->answer.granted.verdict, req->order.login.peer, &flow->error));
}

static const struct flow_step login_steps[] = {
	{ "admit", admit },
	{ "read login", read_login },
	{ "send login", send_login },
	{ "heed login", heed_login },
	{ 0 },
};

/* ---- logout ---- */

static enum flow_next read_logout(struct flow *flow)
{
	static const struct http_field bearer[] = { { "WWW-Authenticate", CHALLENGE_BEARER },
						    { 0 } };
	struct api_user *req = user_of(flow);
	struct revoke_order *order = &req->order.revoke;
	const char *environment = req->services->config->environment;
	struct authorization who;

	authorization_read(http_header(req->http, "authorization"), environment, &who);
	if (who.foreign != NULL)
		return flow_next_if(secret_refuse_foreign(who.foreign, environment, &flow->error));
	if (who.kind != AUTHORIZATION_TOKEN) {
		req->challenges = bearer;
		return flow_next_if(error_set_code(&flow->error, ERROR_UNAUTHORIZED,
						   "no-credentials",
						   "Authorization: want the access token"));
	}
	order->proof.method = METHOD_TOKEN;
	memcpy(order->token, who.digest, sizeof(order->token));
	sign(req, order->peer, order->request_id);
	return FLOW_NEXT;
}

static enum flow_next send_logout(struct flow *flow)
{
	struct api_user *req = user_of(flow);

	ipc_revoke_start(req->services->authority, &req->order.revoke, &req->answer.done,
			 flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next heed_logout(struct flow *flow)
{
	static const struct http_field invalid[] = {
		{ "WWW-Authenticate", CHALLENGE_INVALID_TOKEN },
		{ 0 },
	};
	struct api_user *req = user_of(flow);

	req->challenges = invalid;
	return flow_next_if(
		verdict_is_good(req->answer.done.verdict, req->order.revoke.peer, &flow->error));
}

static const struct flow_step logout_steps[] = {
	{ "admit", admit },
	{ "read logout", read_logout },
	{ "send logout", send_logout },
	{ "heed logout", heed_logout },
	{ 0 },
};

/* ---- the end ---- */

static void reply_json(struct http_request *http, json_t *json /* takes it */)
{
	char *body = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	struct http_reply reply = {
		.status = 200,
		.media_type = "application/json",
		.body = body,
	};

	json_decref(json);
	if (body == NULL) {
		face_reply_no_memory(http);
		return;
	}
	reply.len = strlen(body);
	http_reply(http, &reply);
	explicit_bzero(body, reply.len);
	free(body);
}

/* There is no refresh token (RFC 6749 section 4.4.3); clients expect the member. */
static void reply_logged_in(struct api_user *req)
{
	reply_json(req->http,
		   json_pack("{ssssssss}", "status", "success", "message", "logged in",
			     "accessToken", req->answer.granted.text, "refreshToken", ""));
}

static void reply_logged_out(struct api_user *req)
{
	reply_json(req->http, json_pack("{ssss}", "status", "success", "message", "logged out"));
}

static void finish(struct flow *flow, void (*reply)(struct api_user *req))
{
	struct api_user *req = user_of(flow);
	const struct error *error = &flow->error;

	if (error->kind == ERROR_NONE) {
		reply(req);
	} else {
		guard_heed(req->services, req->http, error);
		face_reply_error(req->http, error,
				 error->kind == ERROR_UNAUTHORIZED ? req->challenges : NULL, NULL);
	}
	explicit_bzero(req, sizeof(*req));
	free(req);
}

static void finish_login(struct flow *flow)
{
	finish(flow, reply_logged_in);
}

static void finish_logout(struct flow *flow)
{
	finish(flow, reply_logged_out);
}

static void start(struct http_request *http, const struct services *services,
		  const struct flow_step *steps, void (*finish_fn)(struct flow *flow))
{
	struct api_user *req = calloc(1, sizeof(*req));

	if (req == NULL) {
		face_reply_no_memory(http);
		return;
	}
	req->http = http;
	req->services = services;
	http_on_close(http, flow_cancel, &req->flow);
	flow_start(&req->flow, steps, finish_fn);
}

void login_handle(struct http_request *http, void *services)
{
	start(http, services, login_steps, finish_login);
}

void logout_handle(struct http_request *http, void *services)
{
	start(http, services, logout_steps, finish_logout);
}
