/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "batch.h"
#include "db/link.h"
#include "probe.h"

#define ORDER_WAIT_MS 2000 /* the edge waits no longer: what would be issued is lost */
#define PROBE_MS      2000
#define EXTEND_MS     3600000

/*
 * One thing at a time uses the connection: a probe, or a batch until its commit.  Whoever is done
 * with it calls pump(), and so does, a turn of the loop later, whoever brings work.
 */
struct issuer {
	struct signer *signer;
	const struct log *log;
	unsigned int queue_max;
	issuer_ready_fn on_ready;
	void *arg;

	struct db_link *link;
	struct db_pipeline *pipe; /* NULL: no connection */
	unsigned int connection;  /* counts them */
	bool busy;		  /* somebody uses it */
	struct error distrust;	  /* why it must be broken off; or, NONE, late */

	struct event *pumping;	/* runs pump() */
	struct event *deadline; /* of whoever uses the connection */
	struct event *probe_timer;
	struct probe *probe;
	bool probe_due;
	bool signer_shown; /* it has signed since we connected */
	char x5u[X5U_MAX + 1];
	struct db_call extend[2]; /* the ledger, ahead; and its commit */
	int64_t extend_at_ms;	  /* next */

	struct batch_services services;
	struct issue_entries waiting; /* oldest first */
	unsigned int n_waiting;
	struct issue_entries refused; /* answered with the next pump() */
	struct batches again;	      /* halves of a batch that failed */
	struct batches open;	      /* recorded or being signed */

	bool ready;
	char why[sizeof(((struct error *)0)->detail)]; /* not */
	done_fn drained;			       /* NULL: not draining, or told */
	void *drained_arg;
	bool draining;
};

static void pump_soon(struct issuer *issuer)
{
	event_active(issuer->pumping, EV_TIMEOUT, 1);
}

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
	if (issuer->ready)
		log_info(issuer->log, "ready to issue", LOG_TEXT("kid", signer_kid(issuer->signer)),
			 LOG_TEXT("x5u", issuer->x5u));
	else
		log_warning(issuer->log, "not ready to issue", LOG_TEXT("reason", issuer->why));
	issuer->on_ready(issuer->arg, issuer->ready ? NULL : issuer->why);
	pump_soon(issuer);
}

/* ---- the connection ---- */

static void take_connection(struct issuer *issuer)
{
	const struct timeval limit = { .tv_sec = COMMIT_MS / 1000 };

	issuer->busy = true;
	event_add(issuer->deadline, &limit);
}

static void leave_connection(struct issuer *issuer)
{
	issuer->busy = false;
	event_del(issuer->deadline);
}

/* Nobody uses it any more, and a turn of the loop later it is broken off. */
static void distrust_connection(struct issuer *issuer, const struct error *why)
{
	issuer->busy = true;
	issuer->distrust = *why;
	event_active(issuer->deadline, EV_TIMEOUT, 1);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct issuer *issuer = arg;
	struct error why = issuer->distrust;

	(void)fd;
	(void)what;
	error_set(&why, ERROR_UNAVAILABLE, "database: no answer within %d ms", COMMIT_MS);
	db_link_break(issuer->link, &why);
}

static void on_link_ready(void *arg, struct db_pipeline *pipe)
{
	struct issuer *issuer = arg;

	issuer->pipe = pipe;
	issuer->connection++;
	issuer->signer_shown = false;
	issuer->probe_due = true;
	pump_soon(issuer);
}

static void on_link_lost(void *arg, const struct error *why)
{
	struct issuer *issuer = arg;

	leave_connection(issuer);
	issuer->pipe = NULL;
	issuer->distrust = (struct error){ 0 };
	set_ready(issuer, why->detail);
}

static void on_greeting(void *arg, const PGresult *rows, struct error *error)
{
	(void)arg;
	issue_greeting_check(rows, error);
}

/* ---- the probe ---- */

static void on_probe_answered(struct probe *probe)
{
	struct issuer *issuer = probe->arg;

	leave_connection(issuer);
	pump_soon(issuer);
}

static void take_probe(struct issuer *issuer, const struct probe *probe)
{
	const struct error *error = &probe->flow.error;

	if (!probe->heard) {
		distrust_connection(issuer, error);
	} else if (probe->connection != issuer->connection || issuer->pipe == NULL) {
		return; /* it speaks of a connection that has gone */
	} else if (error->kind != ERROR_NONE) {
		set_ready(issuer, error->detail);
	} else {
		memcpy(issuer->x5u, probe->x5u, sizeof(issuer->x5u));
		issuer->signer_shown = true;
		set_ready(issuer, NULL);
	}
}

static void on_probe_ended(struct probe *probe)
{
	struct issuer *issuer = probe->arg;

	if (issuer != NULL) {
		issuer->probe = NULL;
		take_probe(issuer, probe);
		pump_soon(issuer); /* the next may be due */
	}
	probe_free(probe);
}

static void start_probe(struct issuer *issuer)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return; /* at the next beat */
	*probe = (struct probe){
		.signer = issuer->signer,
		.signs = !issuer->signer_shown,
		.answered = on_probe_answered,
		.ended = on_probe_ended,
		.arg = issuer,
		.connection = issuer->connection,
	};
	issuer->probe_due = false;
	issuer->probe = probe;
	take_connection(issuer);
	probe_start(probe, issuer->pipe);
}

static void on_probe_timer(evutil_socket_t fd, short what, void *arg)
{
	struct issuer *issuer = arg;

	(void)fd;
	(void)what;
	issuer->probe_due = true;
	pump_soon(issuer);
}

/* ---- the ledger's partitions ahead ---- */

static void log_extended(struct issuer *issuer, const struct error *error)
{
	int64_t made = error->kind == ERROR_NONE ? issue_extend_made(&issuer->extend[0]) : 0;

	if (error->kind != ERROR_NONE)
		log_warning(issuer->log, "the ledger has not been extended",
			    LOG_TEXT("reason", error->detail));
	else if (made > 0)
		log_info(issuer->log, "the ledger has been extended",
			 LOG_NUMBER("partitions", made));
}

/* Whether it could be done or not: what is missing is the probe's to tell. */
static void on_extended(void *arg, const struct error *error)
{
	struct issuer *issuer = arg;

	log_extended(issuer, error);
	PQclear(issuer->extend[0].result);
	issuer->extend[0].result = NULL;
	leave_connection(issuer);
	if (error->kind != ERROR_NONE && issuer->extend[0].sqlstate[0] == '\0')
		distrust_connection(issuer, error);
	else
		pump_soon(issuer);
}

static void start_extending(struct issuer *issuer)
{
	issuer->extend_at_ms = clock_steady_ms() + EXTEND_MS;
	issuer->extend[0] = (struct db_call){ 0 };
	issuer->extend[1] = (struct db_call){ .done = on_extended, .arg = issuer };
	take_connection(issuer);
	issue_extend_ask(&issuer->extend[0], issuer->pipe);
	db_commit(issuer->pipe, &issuer->extend[1]);
}

/* ---- orders and batches ---- */

static void refuse(struct issuer *issuer, struct issue_entry *entry, const char *why)
{
	error_set(&entry->refused, ERROR_UNAVAILABLE, "%s", why);
	STAILQ_INSERT_TAIL(&issuer->refused, entry, link);
}

static struct issue_entry *take_waiting(struct issuer *issuer)
{
	struct issue_entry *entry = STAILQ_FIRST(&issuer->waiting);

	STAILQ_REMOVE_HEAD(&issuer->waiting, link);
	issuer->n_waiting--;
	return entry;
}

static void refuse_waiting(struct issuer *issuer, const char *why)
{
	struct error error = { 0 };
	struct batch *batch;

	error_set(&error, ERROR_UNAVAILABLE, "%s", why);
	while (issuer->n_waiting > 0)
		refuse(issuer, take_waiting(issuer), why);
	while ((batch = TAILQ_FIRST(&issuer->again)) != NULL) {
		TAILQ_REMOVE(&issuer->again, batch, link);
		batch_abandon(batch, &error);
	}
}

static void answer_refused(struct issuer *issuer)
{
	struct issue_entry *entry;

	while ((entry = STAILQ_FIRST(&issuer->refused)) != NULL) {
		struct error why = entry->refused;

		STAILQ_REMOVE_HEAD(&issuer->refused, link);
		issue_entry_answer(entry, issuer->log, &why);
	}
}

/* Those that have waited too long stay behind. */
static void fill_batch(struct issuer *issuer, struct batch *batch)
{
	int64_t oldest_ms = clock_steady_ms() - ORDER_WAIT_MS;

	while (batch->n < BATCH_MAX && issuer->n_waiting > 0) {
		struct issue_entry *entry = take_waiting(issuer);

		if (entry->arrived_ms < oldest_ms)
			refuse(issuer, entry, "waited too long");
		else
			batch_add(batch, entry);
	}
}

static void start_batch(struct issuer *issuer, struct batch *batch)
{
	TAILQ_INSERT_TAIL(&issuer->open, batch, link);
	take_connection(issuer);
	batch_start(batch, issuer->pipe, issuer->x5u);
}

static void start_next_batch(struct issuer *issuer)
{
	struct batch *batch = TAILQ_FIRST(&issuer->again);

	if (batch != NULL) {
		TAILQ_REMOVE(&issuer->again, batch, link);
		start_batch(issuer, batch);
		return;
	}
	if (issuer->n_waiting == 0)
		return;
	batch = batch_new(&issuer->services);
	if (batch == NULL) {
		refuse_waiting(issuer, "no memory for a batch");
		return;
	}
	fill_batch(issuer, batch);
	if (batch->n > 0)
		start_batch(issuer, batch);
	else
		batch_abandon(batch, &(struct error){ 0 });
}

static void on_recorded(void *arg, enum connection_fate fate, const struct error *error);

static void on_again(void *arg, struct batch *half)
{
	struct issuer *issuer = arg;

	TAILQ_INSERT_TAIL(&issuer->again, half, link);
	pump_soon(issuer);
}

static void on_ended(void *arg, struct batch *batch)
{
	struct issuer *issuer = arg;

	TAILQ_REMOVE(&issuer->open, batch, link);
	pump_soon(issuer);
}

/* ---- what happens next ---- */

static bool is_empty(const struct issuer *issuer)
{
	return issuer->n_waiting == 0 && TAILQ_EMPTY(&issuer->again) && TAILQ_EMPTY(&issuer->open);
}

static void tell_drained(struct issuer *issuer)
{
	const struct error none = { 0 };
	done_fn drained = issuer->drained;

	if (drained == NULL || !is_empty(issuer))
		return;
	issuer->drained = NULL;
	drained(issuer->drained_arg, &none); /* may not free us: it runs within pump() */
}

static void use_connection(struct issuer *issuer)
{
	if (issuer->busy || issuer->pipe == NULL)
		return;
	if (clock_steady_ms() >= issuer->extend_at_ms)
		start_extending(issuer);
	else if (issuer->probe_due && issuer->probe == NULL)
		start_probe(issuer);
	else if (issuer->ready)
		start_next_batch(issuer);
}

static void pump(struct issuer *issuer)
{
	if (!issuer->ready)
		refuse_waiting(issuer, issuer->why);
	use_connection(issuer);
	answer_refused(issuer);
	tell_drained(issuer);
}

static void on_pumping(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

static void on_recorded(void *arg, enum connection_fate fate, const struct error *error)
{
	struct issuer *issuer = arg;

	leave_connection(issuer);
	if (fate == CONNECTION_SUSPECT)
		distrust_connection(issuer, error);
	else if (error->kind == ERROR_NONE)
		use_connection(issuer); /* before the signatures */
	else
		pump_soon(issuer);
}

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
	entry->arrived_ms = clock_steady_ms();
	if (issuer->draining) {
		refuse(issuer, entry, "draining");
	} else if (issuer->n_waiting >= issuer->queue_max) {
		refuse(issuer, entry, "the queue is full");
	} else {
		STAILQ_INSERT_TAIL(&issuer->waiting, entry, link);
		issuer->n_waiting++;
	}
	pump_soon(issuer);
}

void issuer_drain(struct issuer *issuer, done_fn done, void *arg)
{
	issuer->draining = true;
	issuer->drained = done;
	issuer->drained_arg = arg;
	pump_soon(issuer);
}

static bool events_make(struct issuer *issuer, struct event_base *base, struct error *error)
{
	const struct timeval beat = { .tv_sec = PROBE_MS / 1000 };

	issuer->pumping = event_new(base, -1, 0, on_pumping, issuer);
	issuer->deadline = evtimer_new(base, on_deadline, issuer);
	issuer->probe_timer = event_new(base, -1, EV_PERSIST, on_probe_timer, issuer);
	if (issuer->pumping == NULL || issuer->deadline == NULL || issuer->probe_timer == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory for the issuer");
	event_add(issuer->probe_timer, &beat);
	return true;
}

static bool link_make(struct issuer *issuer, const struct issuer_options *options,
		      struct error *error)
{
	const struct db_link_options link = {
		.base = options->base,
		.conninfo = options->database,
		.application_name = "stipad authority",
		.greeting = &issue_greeting,
		.on_greeting = on_greeting,
		.statements = issue_statements,
		.on_ready = on_link_ready,
		.on_lost = on_link_lost,
		.arg = issuer,
	};

	issuer->link = db_link_new(&link, error);
	return issuer->link != NULL;
}

static void init(struct issuer *issuer, const struct issuer_options *options)
{
	issuer->signer = options->signer;
	issuer->log = options->log;
	issuer->queue_max = options->queue_max;
	issuer->on_ready = options->on_ready;
	issuer->arg = options->arg;
	issuer->services = (struct batch_services){
		.signer = options->signer,
		.log = options->log,
		.recorded = on_recorded,
		.again = on_again,
		.ended = on_ended,
		.arg = issuer,
	};
	STAILQ_INIT(&issuer->waiting);
	STAILQ_INIT(&issuer->refused);
	TAILQ_INIT(&issuer->again);
	TAILQ_INIT(&issuer->open);
	snprintf(issuer->why, sizeof(issuer->why), "starting");
}

struct issuer *issuer_new(const struct issuer_options *options, struct error *error)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));

	if (issuer == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the issuer");
		return NULL;
	}
	init(issuer, options);
	if (!events_make(issuer, options->base, error) || !link_make(issuer, options, error)) {
		issuer_free(issuer);
		return NULL;
	}
	return issuer;
}

static void event_freep(struct event *event)
{
	if (event != NULL)
		event_free(event);
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
	issuer->pipe = NULL;
	db_link_free(issuer->link); /* fails what waits for its commit */
	abandon_open(issuer);
	refuse_waiting(issuer, "closing");
	answer_refused(issuer);
	event_freep(issuer->pumping);
	event_freep(issuer->deadline);
	event_freep(issuer->probe_timer);
	free(issuer);
}
