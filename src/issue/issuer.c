/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/issuer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/uuid.h"
#include "batch.h"
#include "db/chore.h"
#include "mark/keeper.h"
#include "metrics/metrics.h"
#include "probe.h"

#define BATCH_MAX 256
#define COMMIT_MS 2000 /* a later commit is no commit */
#define PROBE_MS  2000

struct issuer {
	struct signer *signer;
	struct mark_keeper *mark;
	const struct log *log;
	issuer_ready_fn on_ready;
	void *arg;

	struct db_desk *desk;
	struct db_lane *lane; /* shut as long as we are not ready */
	struct db_chore extend;

	struct event *probe_timer;
	struct db_errand probing;
	struct probe *probe;
	bool probe_due;
	bool connected;
	unsigned int connection; /* counts them */
	bool signer_shown;	 /* it has signed since we connected */
	char x5u[X5U_MAX + 1];

	struct batch_services services;
	struct batches open; /* being signed */

	bool ready;
	char why[sizeof(((struct error *)0)->detail)]; /* not */
};

/* ---- ready or not ---- */

static bool is_news(const struct issuer *issuer, const char *why)
{
	if (why == NULL || issuer->ready)
		return (why == NULL) != issuer->ready;
	return strcmp(why, issuer->why) != 0;
}

/* @why not; NULL when ready. */
static void set_ready(struct issuer *issuer, const char *why)
{
	if (!is_news(issuer, why))
		return;
	issuer->ready = why == NULL;
	snprintf(issuer->why, sizeof(issuer->why), "%s", why == NULL ? "" : why);
	db_lane_shut(issuer->lane, why == NULL ? NULL : issuer->why);
	if (issuer->ready)
		log_info(issuer->log, "ready to issue", LOG_TEXT("kid", signer_kid(issuer->signer)),
			 LOG_TEXT("x5u", issuer->x5u));
	else
		log_warning(issuer->log, "not ready to issue", LOG_TEXT("reason", issuer->why));
	issuer->on_ready(issuer->arg, issuer->ready ? NULL : issuer->why);
}

/* ---- the connection ---- */

static void on_connected(void *arg)
{
	struct issuer *issuer = arg;

	issuer->connected = true;
	issuer->connection++;
	issuer->signer_shown = false;
	issuer->probe_due = true;
}

static void on_lost(void *arg, const struct error *why)
{
	struct issuer *issuer = arg;

	issuer->connected = false;
	mark_keeper_hurry(issuer->mark); /* the next database is held against it */
	set_ready(issuer, why->detail);
}

/* ---- the probe ---- */

static struct issuer *of_errand(const struct db_errand *errand)
{
	return (struct issuer *)((char *)errand - offsetof(struct issuer, probing));
}

static bool probe_is_due(const struct db_errand *errand, int64_t now_ms)
{
	const struct issuer *issuer = of_errand(errand);

	(void)now_ms;
	return issuer->probe_due && issuer->probe == NULL;
}

/* A token that the mark cannot follow could be forgotten. */
static void check_mark(const struct issuer *issuer, struct error *error)
{
	const char *why = mark_keeper_why_late(issuer->mark);

	if (why != NULL)
		error_set(error, ERROR_UNAVAILABLE, "the mark cannot be written: %.120s", why);
}

static void take_probe(struct issuer *issuer, const struct probe *probe)
{
	const struct issue_state *state = &probe->state;
	struct error error = probe->flow.error;

	if (probe->connection != issuer->connection || !issuer->connected)
		return; /* it speaks of a connection that has gone */
	meter_set(issuer->services.meter, METRIC_LEDGER_BEHIND, state->behind);
	if (error.kind == ERROR_NONE) {
		memcpy(issuer->x5u, state->x5u, sizeof(issuer->x5u));
		issuer->signer_shown = true;
		mark_keeper_note_ledger(issuer->mark, state->ledger);
		check_mark(issuer, &error);
	}
	set_ready(issuer, error.kind == ERROR_NONE ? NULL : error.detail);
}

static void on_probe_ended(struct probe *probe)
{
	struct issuer *issuer = probe->arg;

	if (issuer != NULL) {
		issuer->probe = NULL;
		take_probe(issuer, probe);
		db_desk_look(issuer->desk); /* the next may be due */
	}
	probe_free(probe);
}

static void probe_send(struct db_errand *errand, struct db_pipeline *pipe)
{
	struct issuer *issuer = of_errand(errand);
	struct probe *probe = calloc(1, sizeof(*probe));

	issuer->probe_due = false;
	if (probe == NULL)
		return; /* at the next beat */
	*probe = (struct probe){
		.signer = issuer->signer,
		.signs = !issuer->signer_shown,
		.ended = on_probe_ended,
		.arg = issuer,
		.connection = issuer->connection,
	};
	issuer->probe = probe;
	probe_ask(probe, pipe, mark_keeper_mark(issuer->mark));
}

/* A question that fails has no answer that could be told. */
static enum db_fate probe_heard(struct db_errand *errand, const struct error *error)
{
	struct issuer *issuer = of_errand(errand);
	struct probe *probe = issuer->probe;

	if (probe == NULL)
		return DB_CONNECTION_FREE;
	if (error->kind == ERROR_NONE) {
		probe_start(probe);
		return DB_CONNECTION_FREE;
	}
	issuer->probe = NULL;
	probe_free(probe);
	return DB_CONNECTION_SUSPECT;
}

static void on_probe_timer(evutil_socket_t fd, short what, void *arg)
{
	struct issuer *issuer = arg;

	(void)fd;
	(void)what;
	issuer->probe_due = true;
	db_desk_look(issuer->desk);
}

/* ---- orders ---- */

static void on_batch_ended(void *arg, struct batch *batch)
{
	struct issuer *issuer = arg;

	TAILQ_REMOVE(&issuer->open, batch, link);
}

static void bind_order(void *arg, struct db_call *call, const uint8_t clock[DB_TIME_LEN])
{
	const struct issuer *issuer = arg;

	issue_tokens_bind(signer_kid(issuer->signer), call, clock);
}

static bool add_order(void *arg, struct db_ask *ask, int64_t unix_us, struct db_array *arrays,
		      struct error *error)
{
	struct issue_entry *entry = (struct issue_entry *)ask;

	(void)arg;
	if (!uuid7_make(entry->jti, unix_us / 1000, error))
		return false;
	issue_tokens_add(&entry->order, entry->jti, arrays);
	return true;
}

static void fail_order(void *arg, struct db_ask *ask, const struct error *error)
{
	const struct issuer *issuer = arg;

	issue_entry_answer((struct issue_entry *)ask, issuer->log, error);
}

static void fail_orders(struct issuer *issuer, struct db_asks *asks, const struct error *error)
{
	struct db_ask *ask;

	while ((ask = STAILQ_FIRST(asks)) != NULL) {
		STAILQ_REMOVE_HEAD(asks, link);
		fail_order(issuer, ask, error);
	}
}

static void on_committed(void *arg, unsigned int n, int64_t us)
{
	const struct issuer *issuer = arg;

	meter_observe(issuer->services.meter, METRIC_BATCH_SIZE, n);
	meter_observe(issuer->services.meter, METRIC_COMMIT_DURATION, us);
}

static void on_decided(void *arg, struct db_asks *asks, PGresult *rows)
{
	struct issuer *issuer = arg;
	struct batch *batch = batch_new(&issuer->services, issuer->x5u, asks, rows);
	struct error error = { 0 };

	if (batch == NULL) {
		error_set(&error, ERROR_UNAVAILABLE, "no memory to sign");
		fail_orders(issuer, asks, &error);
		PQclear(rows);
		return;
	}
	TAILQ_INSERT_TAIL(&issuer->open, batch, link);
	batch_start(batch);
}

static const struct db_lane_kind lane_kind = {
	.statement = &issue_tokens,
	.scalars = ISSUE_SCALARS,
	.arrays = issue_arrays,
	.batch_max = BATCH_MAX,
	.answer_ms = COMMIT_MS,
	.bind = bind_order,
	.add = add_order,
	.committed = on_committed,
	.decided = on_decided,
	.failed = fail_order,
};

static_assert(BATCH_MAX <= SIGNER_BATCH_MAX, "a batch is one job of the signer");

/* ---- the contract ---- */

void issuer_order_start(struct issuer *issuer, const struct order *order, struct answer *answer,
			done_fn done, void *arg)
{
	struct issue_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		memset(answer, 0, sizeof(*answer));
		answer->failed = 1;
		done(arg, &(struct error){ .kind = ERROR_UNAVAILABLE, .detail = "no memory" });
		return;
	}
	entry->order = *order;
	entry->answer = answer;
	entry->done = done;
	entry->arg = arg;
	db_ask_start(issuer->lane, &entry->ask);
}

static void init(struct issuer *issuer, const struct issuer_options *options)
{
	issuer->signer = options->signer;
	issuer->mark = options->mark;
	issuer->log = options->log;
	issuer->desk = options->desk;
	issuer->on_ready = options->on_ready;
	issuer->arg = options->arg;
	issuer->services = (struct batch_services){
		.signer = options->signer,
		.mark = options->mark,
		.log = options->log,
		.meter = options->meter,
		.ended = on_batch_ended,
		.arg = issuer,
	};
	issuer->extend = (struct db_chore){
		.statement = &issue_extend_ledger,
		.done = "the ledger has been extended",
		.failed = "the ledger has not been extended",
		.counts = "partitions",
		.log = options->log,
	};
	issuer->probing = (struct db_errand){ .is_due = probe_is_due,
					      .ask = probe_send,
					      .heard = probe_heard };
	TAILQ_INIT(&issuer->open);
	snprintf(issuer->why, sizeof(issuer->why), "starting");
}

static bool parts_make(struct issuer *issuer, const struct issuer_options *options,
		       struct error *error)
{
	const struct timeval beat = { .tv_sec = PROBE_MS / 1000 };

	issuer->probe_timer = event_new(options->base, -1, EV_PERSIST, on_probe_timer, issuer);
	issuer->lane = db_lane_new(options->desk, &lane_kind, options->queue_max, issuer);
	if (issuer->probe_timer == NULL || issuer->lane == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory for the issuer");
	event_add(issuer->probe_timer, &beat);
	return true;
}

static void join_desk(struct issuer *issuer)
{
	db_lane_shut(issuer->lane, issuer->why);
	db_desk_watch(issuer->desk, on_connected, on_lost, issuer);
	for (int i = 0; issue_question_statements[i] != NULL; i++)
		db_desk_prepare(issuer->desk, issue_question_statements[i]);
	db_chore_add(issuer->desk, &issuer->extend);
	db_errand_add(issuer->desk, &issuer->probing);
}

struct issuer *issuer_new(const struct issuer_options *options, struct error *error)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));

	if (issuer == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the issuer");
		return NULL;
	}
	init(issuer, options);
	if (!parts_make(issuer, options, error)) {
		issuer_free(issuer);
		return NULL;
	}
	join_desk(issuer);
	return issuer;
}

/* What is being signed is not waited for. */
static void abandon_open(struct issuer *issuer)
{
	struct error error = { 0 };
	struct batch *batch;

	error_set(&error, ERROR_UNAVAILABLE, "closing");
	while ((batch = TAILQ_FIRST(&issuer->open)) != NULL) {
		TAILQ_REMOVE(&issuer->open, batch, link);
		batch_abandon(batch, &error);
	}
	if (issuer->probe != NULL)
		issuer->probe->arg = NULL;
}

void issuer_free(struct issuer *issuer)
{
	if (issuer == NULL)
		return;
	abandon_open(issuer);
	if (issuer->probe_timer != NULL)
		event_free(issuer->probe_timer);
	free(issuer);
}
