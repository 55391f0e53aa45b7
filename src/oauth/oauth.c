/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base/buckets.h"
#include "crypto/client_secret.h"
#include "ipc/verdict.h"
#include "oauth_db.h"

#define BATCH_MAX 256
#define KEYS_MAX  16	/* signatures verified in one turn of the loop */
#define USERS_MAX 16384 /* whose wrong passwords are counted */
#define COMMIT_MS 2000
/* What takes rights away may have to wait until another node's batch has been ended for it. */
#define TAKING_MS 5000

struct access *access_of(struct flow *flow)
{
	return (struct access *)((char *)flow - offsetof(struct access, flow));
}

enum flow_next access_ask(struct access *access, struct db_lane *lane)
{
	db_ask_start(lane, &access->ask);
	return FLOW_WAIT;
}

/* A verdict is no error, but no further step runs. */
enum flow_next access_refuse(struct access *access, enum verdict verdict)
{
	access->verdict = verdict;
	return flow_next_if(
		error_set(&access->flow.error, ERROR_FORBIDDEN, "%s", verdict_code(verdict)));
}

/* ---- the log ---- */

static const char *text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void log_failed(const struct access *access, const struct error *error)
{
	const struct log *log = access->oauth->log;

	if (error->kind == ERROR_INTERNAL)
		log_error(log, "order failed: a defect", LOG_TEXT("kind", access->what),
			  LOG_TEXT("request", access->request_id),
			  LOG_TEXT("reason", error->detail), LOG_TEXT("where", error->where));
	else
		log_warning(log, "order not answered", LOG_TEXT("kind", access->what),
			    LOG_TEXT("request", access->request_id),
			    LOG_TEXT("reason", error->detail));
}

/* A name that is nobody's may be a password in the wrong field. */
static bool user_is_known(const struct access *access)
{
	return access->proof.method == METHOD_PASSWORD
		       ? access->has_hash
		       : access->proof.method == METHOD_LOGIN && access->client[0] != '\0';
}

static void log_verdict(const struct access *access)
{
	static const char *const methods[] = {
		[METHOD_SECRET] = "secret",	 [METHOD_ASSERTION] = "assertion",
		[METHOD_LOGIN] = "login",	 [METHOD_PASSWORD] = "password",
		[METHOD_TOKEN] = "access-token",
	};

	bool good = access->verdict == VERDICT_ISSUED;

	log_info(access->oauth->log, good ? "order done" : "order refused",
		 LOG_TEXT("kind", access->what), LOG_TEXT("request", access->request_id),
		 LOG_TEXT("verdict", good ? NULL : verdict_code(access->verdict)),
		 LOG_TEXT("method", methods[access->proof.method]),
		 LOG_TEXT("user", user_is_known(access) ? access->proof.client : NULL),
		 LOG_TEXT("account", text_or_null(access->account)),
		 LOG_TEXT("client", text_or_null(access->client)),
		 LOG_TEXT("hit", access->hit ? "yes" : NULL));
}

/* ---- the end of each ---- */

/* Whether a verdict has been reached. */
static bool is_judged(const struct access *access)
{
	return access->flow.error.kind == ERROR_NONE || access->verdict != VERDICT_ISSUED;
}

static void fill_granted(const struct access *access)
{
	struct grant_answer *answer = access->granted;

	memset(answer, 0, sizeof(*answer));
	answer->failed = !is_judged(access);
	if (answer->failed)
		return;
	answer->verdict = (uint8_t)access->verdict;
	if (access->verdict != VERDICT_ISSUED)
		return;
	answer->exp = access->exp;
	answer->scopes = (uint8_t)access->scopes_granted;
	memcpy(answer->text, access->made.bytes, access->made.len);
}

static void fill_done(const struct access *access)
{
	*access->done_answer = (struct access_answer){
		.failed = !is_judged(access),
		.verdict = is_judged(access) ? (uint8_t)access->verdict : 0,
	};
}

static void finish(struct flow *flow)
{
	struct access *access = access_of(flow);
	struct error error = is_judged(access) ? (struct error){ 0 } : flow->error;

	access_leave_password(access);
	if (access->granted != NULL)
		fill_granted(access);
	else
		fill_done(access);
	if (is_judged(access))
		log_verdict(access);
	else
		log_failed(access, &error);
	access->done(access->arg, &error);
	explicit_bzero(access, sizeof(*access));
	free(access);
}

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
	return access_ask(access_of(flow), access_of(flow)->oauth->grants);
}

static enum flow_next take_grant(struct flow *flow)
{
	return flow_next_if(oauth_grant_read(access_of(flow), &flow->error));
}

static enum flow_next ask_revocation(struct flow *flow)
{
	return access_ask(access_of(flow), access_of(flow)->oauth->revocations);
}

static enum flow_next take_revocation(struct flow *flow)
{
	return flow_next_if(oauth_revocation_read(access_of(flow), &flow->error));
}

static enum flow_next ask_report(struct flow *flow)
{
	return access_ask(access_of(flow), access_of(flow)->oauth->reports);
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

/* ---- lanes ---- */

static void resume(struct access *access, const struct error *error)
{
	flow_resume(&access->flow, error);
}

static void on_failed(void *arg, struct db_ask *ask, const struct error *error)
{
	(void)arg;
	resume((struct access *)ask, error);
}

/* Each goes on with its row; where it waits again, the row is not needed any more. */
static void on_decided(void *arg, struct db_asks *asks, PGresult *rows)
{
	const struct error none = { 0 };
	struct db_ask *ask;

	(void)arg;
	for (int row = 0; (ask = STAILQ_FIRST(asks)) != NULL; row++) {
		struct access *access = (struct access *)ask;

		STAILQ_REMOVE_HEAD(asks, link);
		access->rows = rows;
		access->row = row;
		resume(access, &none);
	}
	PQclear(rows);
}

static void bind_clock(void *arg, struct db_call *call, const uint8_t clock[DB_TIME_LEN])
{
	(void)arg;
	db_bind_bytes(call, 0, clock, DB_TIME_LEN);
}

#define LANE_ADD(name)                                                                             \
	static bool add_to_##name(void *arg, struct db_ask *ask, int64_t unix_us,                  \
				  struct db_array *arrays, struct error *error)                    \
	{                                                                                          \
		(void)arg;                                                                         \
		(void)unix_us;                                                                     \
		(void)error;                                                                       \
		oauth_##name##_add((struct access *)ask, arrays);                                  \
		return true;                                                                       \
	}

LANE_ADD(keys)
LANE_ADD(hashes)
LANE_ADD(grants)
LANE_ADD(revocations)
LANE_ADD(reports)

#define LANE(name, scalars_, max, ms)                                                              \
	{                                                                                          \
		.statement = &oauth_##name, .scalars = (scalars_),                                 \
		.arrays = oauth_##name##_arrays, .batch_max = (max), .answer_ms = (ms),            \
		.bind = bind_clock, .add = add_to_##name, .decided = on_decided,                   \
		.failed = on_failed,                                                               \
	}

static const struct {
	size_t lane; /* where it stands in struct oauth */
	struct db_lane_kind kind;
} lanes[] = {
	{ offsetof(struct oauth, keys), LANE(keys, 0, KEYS_MAX, COMMIT_MS) },
	{ offsetof(struct oauth, hashes), LANE(hashes, 0, BATCH_MAX, COMMIT_MS) },
	{ offsetof(struct oauth, grants),
	  LANE(grants, OAUTH_GRANTS_SCALARS, BATCH_MAX, COMMIT_MS) },
	{ offsetof(struct oauth, revocations), LANE(revocations, 0, BATCH_MAX, TAKING_MS) },
	{ offsetof(struct oauth, reports), LANE(reports, 0, BATCH_MAX, TAKING_MS) },
};

/* ---- the contract ---- */

static struct access *access_new(struct oauth *oauth, const char *what, done_fn done, void *arg)
{
	struct access *access = calloc(1, sizeof(*access));

	if (access == NULL) {
		done(arg, &(struct error){ .kind = ERROR_UNAVAILABLE, .detail = "no memory" });
		return NULL;
	}
	access->oauth = oauth;
	access->what = what;
	access->done = done;
	access->arg = arg;
	return access;
}

static void start(struct access *access, const struct flow_step *steps, const uint8_t peer[16],
		  const char *request_id)
{
	memcpy(access->peer, peer, sizeof(access->peer));
	memcpy(access->request_id, request_id, sizeof(access->request_id));
	flow_start(&access->flow, steps, finish);
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

static bool lanes_make(struct oauth *oauth, const struct oauth_options *options,
		       struct error *error)
{
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
		struct db_lane *lane =
			db_lane_new(options->desk, &lanes[i].kind, options->queue_max, oauth);

		if (lane == NULL)
			return error_set(error, ERROR_UNAVAILABLE, "no memory for a lane");
		/* analyzer: the table says where the pointer stands */
		memcpy((char *)oauth + lanes[i].lane, &lane, sizeof(lane));
	}
	return true;
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
	if (!passwords_make(oauth, options, error) || !lanes_make(oauth, options, error)) {
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
		resume(access, &error);
	}
	buckets_free(oauth->guesses);
	free(oauth);
}
