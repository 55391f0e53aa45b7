/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/api_user.h"

#include <string.h>

#include <jansson.h>

#include "access_request.h"
#include "config/config.h"
#include "crypto/client_secret.h"
#include "crypto/digest.h"
#include "edge/authorization.h"
#include "edge/challenge.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/verdict.h"
#include "json_body.h"

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
	struct access_request *req = access_request_of(flow);
	struct login_order *order = &req->order.login;
	json_auto_t *body = json_body_read(req->http, &flow->error);
	bool good;

	if (body == NULL)
		return FLOW_FAIL;
	good = take_login(body, req->services->config->environment, order, &flow->error);
	json_text_wipe(body, "password");
	access_sign(req, order->peer, order->request_id);
	return flow_next_if(good);
}

static enum flow_next heed_login(struct flow *flow)
{
	const struct access_request *req = access_request_of(flow);

	return flow_next_if(
		verdict_is_good(req->answer.granted.verdict, req->order.login.peer, &flow->error));
}

/* There is no refresh token (RFC 6749 section 4.4.3); clients expect the member. */
static void reply_logged_in(struct access_request *req)
{
	access_reply_json(req,
			  json_pack("{ssssssss}", "status", "success", "message", "logged in",
				    "accessToken", req->answer.granted.text, "refreshToken", ""));
}

static const struct flow_step login_steps[] = {
	{ "admit", access_admit },
	{ "read login", read_login },
	{ "send login", access_send_login },
	{ "heed login", heed_login },
	{ 0 },
};

void login_handle(struct http_request *http, void *services)
{
	static const struct access_kind login = { login_steps, reply_logged_in, NULL };

	access_request_start(http, services, &login);
}

/* ---- logout ---- */

static enum flow_next read_logout(struct flow *flow)
{
	struct access_request *req = access_request_of(flow);
	struct revoke_order *order = &req->order.revoke;
	const char *environment = req->services->config->environment;
	struct authorization who;

	authorization_read(http_header(req->http, "authorization"), environment, &who);
	if (who.foreign != NULL)
		return flow_next_if(secret_refuse_foreign(who.foreign, environment, &flow->error));
	if (who.kind != AUTHORIZATION_TOKEN)
		return flow_next_if(error_set_code(&flow->error, ERROR_UNAUTHORIZED,
						   "no-credentials",
						   "Authorization: want the access token"));
	order->proof.method = METHOD_TOKEN;
	memcpy(order->token, who.digest, sizeof(order->token));
	access_sign(req, order->peer, order->request_id);
	return FLOW_NEXT;
}

static enum flow_next heed_logout(struct flow *flow)
{
	static const struct http_field invalid[] = {
		{ "WWW-Authenticate", CHALLENGE_INVALID_TOKEN },
		{ 0 },
	};
	struct access_request *req = access_request_of(flow);

	req->challenges = invalid;
	return flow_next_if(
		verdict_is_good(req->answer.done.verdict, req->order.revoke.peer, &flow->error));
}

static void reply_logged_out(struct access_request *req)
{
	access_reply_json(req, json_pack("{ssss}", "status", "success", "message", "logged out"));
}

static const struct flow_step logout_steps[] = {
	{ "admit", access_admit },
	{ "read logout", read_logout },
	{ "send logout", access_send_revoke },
	{ "heed logout", heed_logout },
	{ 0 },
};

void logout_handle(struct http_request *http, void *services)
{
	static const struct http_field bearer[] = {
		{ "WWW-Authenticate", CHALLENGE_BEARER },
		{ 0 },
	};
	static const struct access_kind logout = { logout_steps, reply_logged_out, bearer };

	access_request_start(http, services, &logout);
}
