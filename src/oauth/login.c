/* SPDX-License-Identifier: Apache-2.0 */
/* A password of a user's own: exactly one argon2id verification, whoever the user may be. */
#include <stddef.h>
#include <string.h>

#include "access.h"
#include "base/buckets.h"
#include "base/clock.h"
#include "metrics/metrics.h"
#include "oauth_db.h"

static struct access *of_work(struct work *work)
{
	return (struct access *)((char *)work - offsetof(struct access, work));
}

/* First of all whether there is room, so that a flood does not even get at the table of names: it
 * would drive out those that have been guessed at. */
enum flow_next access_admit_password(struct flow *flow)
{
	struct access *access = access_of(flow);
	struct oauth *oauth = access->oauth;

	if (access->proof.method != METHOD_PASSWORD)
		return FLOW_NEXT;
	if (oauth->admitted >= PASSWORDS_MAX) {
		meter_count(oauth->meter, METRIC_LIMITS_HIT, METRIC_LIMIT_PASSWORD_QUEUE);
		return flow_next_if(error_set(&flow->error, ERROR_UNAVAILABLE,
					      "too many passwords wait to be verified"));
	}
	sha256(access->proof.client, strlen(access->proof.client), access->name);
	if (!buckets_take(oauth->guesses, access->name, clock_steady_ms())) {
		meter_count(oauth->meter, METRIC_LIMITS_HIT, METRIC_LIMIT_USER_FAILURES);
		return access_refuse(access, VERDICT_RATE);
	}
	oauth->admitted++;
	access->admitted = true;
	return FLOW_NEXT;
}

static bool is_a_guess(const struct access *access)
{
	return access->matches ? !access->has_hash : access->verified.kind == ERROR_UNAUTHORIZED;
}

void access_leave_password(struct access *access)
{
	if (access->admitted) {
		access->oauth->admitted--;
		if (!is_a_guess(access))
			buckets_give_back(access->oauth->guesses, access->name);
	}
	access->admitted = false;
	secret_clear(&access->given);
}

enum flow_next access_ask_hash(struct flow *flow)
{
	struct access *access = access_of(flow);

	if (access->proof.method != METHOD_PASSWORD)
		return FLOW_NEXT;
	return access_ask(access, LANE_HASHES);
}

/* On a thread. */
static void perform(struct work *work)
{
	struct access *access = of_work(work);

	const char *hash = access->has_hash ? access->hash : password_hash_of_nobody;

	if (!password_verify(hash, &access->given, &access->verified))
		return; /* why stands in the job */
	access->matches = true;
}

static void apply(struct work *work)
{
	struct access *access = of_work(work);
	const struct error none = { 0 };

	TAILQ_REMOVE(&access->oauth->verifying, access, verifying);
	flow_resume(&access->flow, &none);
}

/* A hash that may not be kept is nobody's, and costs as much. */
static void take_hash(struct access *access)
{
	struct error why = { 0 };

	access->has_hash = oauth_hash_read(access);
	if (!access->has_hash || password_hash_check(access->hash, &why))
		return;
	access->has_hash = false;
	log_error(access->oauth->log, "a user's hash cannot be used: set his password anew",
		  LOG_TEXT("request", access->request_id), LOG_TEXT("user", access->proof.client),
		  LOG_TEXT("reason", why.detail));
}

enum flow_next access_verify_password(struct flow *flow)
{
	struct access *access = access_of(flow);
	struct oauth *oauth = access->oauth;

	if (access->proof.method != METHOD_PASSWORD)
		return FLOW_NEXT;
	take_hash(access);
	access->work = (struct work){ .perform = perform, .apply = apply };
	if (!workpool_submit(oauth->pool, &access->work))
		return flow_next_if(error_set(&flow->error, ERROR_UNAVAILABLE,
					      "too many passwords wait to be verified"));
	TAILQ_INSERT_TAIL(&oauth->verifying, access, verifying);
	return FLOW_WAIT;
}

/* The database is told which hash was verified: the password may have been changed meanwhile. */
enum flow_next access_judge_password(struct flow *flow)
{
	struct access *access = access_of(flow);

	if (access->proof.method != METHOD_PASSWORD)
		return FLOW_NEXT;
	access_leave_password(access);
	if (!access->matches && access->verified.kind != ERROR_UNAUTHORIZED) {
		flow->error = access->verified;
		return FLOW_FAIL;
	}
	if (!access->matches || !access->has_hash)
		return access_refuse(access, VERDICT_STRANGER);
	sha256(access->hash, strlen(access->hash), access->proof.credential);
	return FLOW_NEXT;
}
