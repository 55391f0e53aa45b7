/* SPDX-License-Identifier: Apache-2.0 */
/* One order on its way: how it asks, ends and is logged. */
#include "access.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/verdict.h"

struct access *access_of(struct flow *flow)
{
	return (struct access *)((char *)flow - offsetof(struct access, flow));
}

enum flow_next access_ask(struct access *access, enum lane lane)
{
	db_ask_start(access->oauth->lanes[lane], &access->ask);
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

void access_finish(struct flow *flow)
{
	struct access *access = access_of(flow);
	struct error error = { 0 };

	if (!is_judged(access))
		error = flow->error;
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

/* ---- the beginning ---- */

struct access *access_new(struct oauth *oauth, const char *what, done_fn done, void *arg)
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
