/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth.h"

#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base/buckets.h"
#include "crypto/client_secret.h"
#include "oauth_db.h"

#define USERS_MAX 16384 /* whose wrong passwords are counted */

/* ---- steps ---- */

static enum flow_next make_token(struct flow *flow)
{
	struct access *access = access_of(flow);

	if (!client_secret_make(&access->made, SECRET_ACCESS_TOKEN, access->oauth->environment,
				&flow->error))
		return FLOW_FAIL;
	credential_digest_token(access->made.bytes, access->made.len, access->token);
	return FLOW_NEXT;
}

static enum flow_next ask_grant(struct flow *flow)
{
	return access_ask(access_of(flow), LANE_GRANTS);
}

static enum flow_next take_grant(struct flow *flow)
{
	return flow_next_if(oauth_grant_read(access_of(flow), &flow->error));
}

static enum flow_next ask_revocation(struct flow *flow)
{
	return access_ask(access_of(flow), LANE_REVOCATIONS);
}

static enum flow_next take_revocation(struct flow *flow)
{
	return flow_next_if(oauth_revocation_read(access_of(flow), &flow->error));
}

static enum flow_next ask_report(struct flow *flow)
{
	return access_ask(access_of(flow), LANE_REPORTS);
}

static enum flow_next take_report(struct flow *flow)
{
	return flow_next_if(oauth_report_read(access_of(flow), &flow->error));
}

/* Steps that a method does not need go on at once. */
static const struct flow_step grant_steps[] = {
	{ "ask key", access_ask_key }, { "verify assertion", access_verify_assertion },
	{ "make token", make_token },  { "ask grant", ask_grant },
	{ "take grant", take_grant },  { NULL, NULL },
};

static const struct flow_step login_steps[] = {
	{ "admit password", access_admit_password },
	{ "ask hash", access_ask_hash },
	{ "verify password", access_verify_password },
	{ "judge password", access_judge_password },
	{ "make token", make_token },
	{ "ask grant", ask_grant },
	{ "take grant", take_grant },
	{ NULL, NULL },
};

static const struct flow_step revoke_steps[] = {
	{ "ask key", access_ask_key },
	{ "verify assertion", access_verify_assertion },
	{ "ask revocation", ask_revocation },
	{ "take revocation", take_revocation },
	{ NULL, NULL },
};

static const struct flow_step report_steps[] = {
	{ "ask report", ask_report },
	{ "take report", take_report },
	{ NULL, NULL },
};

/* ---- the contract ---- */

static void start(struct access *access, const struct flow_step *steps, const uint8_t peer[16],
		  const char *request_id)
{
	memcpy(access->peer, peer, sizeof(access->peer));
	memcpy(access->request_id, request_id, sizeof(access->request_id));
	flow_start(&access->flow, steps, access_finish);
}

void oauth_shut(struct oauth *oauth, const char *why)
{
	db_lane_shut(oauth->lanes[LANE_GRANTS], why);
}

void oauth_grant_start(struct oauth *oauth, const struct grant_order *order,
		       struct grant_answer *answer, done_fn done, void *arg)
{
	struct access *access;

	*answer = (struct grant_answer){ .failed = 1 };
	access = access_new(oauth, "grant", done, arg);
	if (access == NULL)
		return;
	access->granted = answer;
	access->proof = order->proof;
	access->scopes = order->scopes;
	start(access, grant_steps, order->peer, order->request_id);
}

void oauth_login_start(struct oauth *oauth, const struct login_order *order,
		       struct grant_answer *answer, done_fn done, void *arg)
{
	struct access *access;

	*answer = (struct grant_answer){ .failed = 1 };
	access = access_new(oauth, "login", done, arg);
	if (access == NULL)
		return;
	access->granted = answer;
	access->proof.method = order->method;
	memcpy(access->proof.credential, order->digest, sizeof(order->digest));
	memcpy(access->proof.client, order->user, sizeof(order->user));
	access->given.len = order->password_len;
	memcpy(access->given.bytes, order->password, order->password_len);
	start(access, login_steps, order->peer, order->request_id);
}

void oauth_revoke_start(struct oauth *oauth, const struct revoke_order *order,
			struct access_answer *answer, done_fn done, void *arg)
{
	struct access *access;

	*answer = (struct access_answer){ .failed = 1 };
	access = access_new(oauth, "revoke", done, arg);
	if (access == NULL)
		return;
	access->done_answer = answer;
	access->proof = order->proof;
	memcpy(access->token, order->token, sizeof(order->token));
	start(access, revoke_steps, order->peer, order->request_id);
}

/* The database keeps one kind of digest for a client's secret and for a password. */
static const uint8_t *reported_secret(const struct report_order *order)
{
	static const uint8_t zero[SHA256_LEN];

	return memcmp(order->secret, zero, sizeof(zero)) != 0 ? order->secret : order->password;
}

void oauth_report_start(struct oauth *oauth, const struct report_order *order,
			struct access_answer *answer, done_fn done, void *arg)
{
	struct access *access;

	*answer = (struct access_answer){ .failed = 1 };
	access = access_new(oauth, "report", done, arg);
	if (access == NULL)
		return;
	access->done_answer = answer;
	memcpy(access->secret, reported_secret(order), sizeof(access->secret));
	memcpy(access->token, order->token, sizeof(order->token));
	start(access, report_steps, order->peer, order->request_id);
}

static bool passwords_make(struct oauth *oauth, const struct oauth_options *options,
			   struct error *error)
{
	const struct buckets_rate guesses = {
		.per_min = options->failures_per_user_min,
		.burst = options->failures_per_user_burst,
		.max = USERS_MAX,
	};

	oauth->guesses = buckets_new(&guesses);
	if (oauth->guesses == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory for limits");
	oauth->pool = workpool_new(options->base, 1, PASSWORDS_MAX);
	if (oauth->pool == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no thread to verify passwords");
	workpool_give_way(oauth->pool, options->password_cpu_percent);
	return true;
}

struct oauth *oauth_new(const struct oauth_options *options, struct error *error)
{
	struct oauth *oauth = calloc(1, sizeof(*oauth));

	if (oauth == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for oauth");
		return NULL;
	}
	oauth->log = options->log;
	oauth->meter = options->meter;
	oauth->environment = options->environment;
	TAILQ_INIT(&oauth->verifying);
	if (!passwords_make(oauth, options, error) ||
	    !lanes_make(oauth, options->desk, options->queue_max, error)) {
		oauth_free(oauth);
		return NULL;
	}
	return oauth;
}

void oauth_free(struct oauth *oauth)
{
	struct error error = { 0 };
	struct access *access;

	if (oauth == NULL)
		return;
	workpool_free(oauth->pool); /* what is queued there never comes back */
	error_set(&error, ERROR_UNAVAILABLE, "closing");
	while ((access = TAILQ_FIRST(&oauth->verifying)) != NULL) {
		TAILQ_REMOVE(&oauth->verifying, access, verifying);
		flow_resume(&access->flow, &error);
	}
	buckets_free(oauth->guesses);
	free(oauth);
}
