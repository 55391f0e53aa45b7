/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "desk_batch.h"

#define STATEMENTS_MAX 31
#define WAIT_MS	       2000 /* nobody waits longer: what would be decided is lost */
#define ERRAND_MS      2000

/*
 * One thing at a time uses the connection: an errand, or a batch until its commit.  Whoever is done
 * with it calls pump(), and so does, a turn of the loop later, whoever brings work.
 */
struct db_desk {
	struct db_link *link;
	struct db_pipeline *pipe; /* NULL: no connection */
	const struct db_statement *statements[STATEMENTS_MAX + 1];
	int n_statements;
	bool busy;	       /* somebody uses it */
	bool errand_was_last;  /* and nobody has waited since */
	int limit_ms;	       /* his time */
	struct error distrust; /* why it must be broken off; or, NONE, late */
	char why[sizeof(((struct error *)0)->detail)]; /* no connection */

	struct event *pumping;	/* runs pump() */
	struct event *deadline; /* of whoever uses the connection */

	TAILQ_HEAD(, db_lane) lanes; /* the next one first */
	STAILQ_HEAD(, db_errand) errands;

	void (*on_made)(void *arg);
	done_fn on_lost;
	void *watcher;
	void (*on_greeting)(void *arg, const PGresult *rows, struct error *error);
	void *greeter;
};

static void pump_soon(struct db_desk *desk)
{
	event_active(desk->pumping, EV_TIMEOUT, 1);
}

/* ---- the connection ---- */

static void take_connection(struct db_desk *desk, int limit_ms)
{
	const struct timeval limit = { .tv_sec = limit_ms / 1000,
				       .tv_usec = limit_ms % 1000 * 1000 };

	desk->busy = true;
	desk->limit_ms = limit_ms;
	event_add(desk->deadline, &limit);
}

/* Nobody uses it any more, and a turn of the loop later it is broken off. */
static void distrust_connection(struct db_desk *desk, const struct error *why)
{
	desk->busy = true;
	desk->distrust = *why;
	event_active(desk->deadline, EV_TIMEOUT, 1);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct db_desk *desk = arg;
	struct error why = desk->distrust;

	(void)fd;
	(void)what;
	error_set(&why, ERROR_UNAVAILABLE, "database: no answer within %d ms", desk->limit_ms);
	db_link_break(desk->link, &why);
}

static void on_link_ready(void *arg, struct db_pipeline *pipe)
{
	struct db_desk *desk = arg;

	desk->pipe = pipe;
	if (desk->on_made != NULL)
		desk->on_made(desk->watcher);
	pump_soon(desk);
}

static void on_link_lost(void *arg, const struct error *why)
{
	struct db_desk *desk = arg;

	desk->busy = false;
	event_del(desk->deadline);
	desk->pipe = NULL;
	desk->distrust = (struct error){ 0 };
	snprintf(desk->why, sizeof(desk->why), "%s", why->detail);
	if (desk->on_lost != NULL)
		desk->on_lost(desk->watcher, why);
	pump_soon(desk);
}

static void on_link_greeting(void *arg, const PGresult *rows, struct error *error)
{
	struct db_desk *desk = arg;

	desk->on_greeting(desk->greeter, rows, error);
}

/* ---- errands ---- */

static void on_errand_heard(void *arg, const struct error *error)
{
	struct db_errand *errand = arg;
	struct db_desk *desk = errand->desk;

	desk->busy = false;
	event_del(desk->deadline);
	if (errand->heard(errand, error) == DB_CONNECTION_SUSPECT)
		distrust_connection(desk, error);
	pump_soon(desk);
}

static void start_errand(struct db_desk *desk, struct db_errand *errand)
{
	errand->commit = (struct db_call){ .done = on_errand_heard, .arg = errand };
	desk->errand_was_last = true;
	take_connection(desk, ERRAND_MS);
	errand->ask(errand, desk->pipe);
	db_commit(desk->pipe, &errand->commit);
}

static struct db_errand *due_errand(struct db_desk *desk)
{
	int64_t now_ms = clock_steady_ms();
	struct db_errand *errand;

	STAILQ_FOREACH(errand, &desk->errands, link)
	{
		if (errand->is_due(errand, now_ms))
			return errand;
	}
	return NULL;
}

void db_errand_add(struct db_desk *desk, struct db_errand *errand)
{
	errand->desk = desk;
	STAILQ_INSERT_TAIL(&desk->errands, errand, link);
}

void db_desk_prepare(struct db_desk *desk, const struct db_statement *statement)
{
	assert(desk->pipe == NULL && desk->n_statements < STATEMENTS_MAX);
	desk->statements[desk->n_statements++] = statement;
}

void db_desk_look(struct db_desk *desk)
{
	pump_soon(desk);
}

/* ---- lanes ---- */

/* Why nothing of this lane can go now; NULL when it can. */
static const char *why_closed(const struct db_lane *lane)
{
	if (lane->shut[0] != '\0')
		return lane->shut;
	return lane->desk->pipe == NULL ? lane->desk->why : NULL;
}

static void refuse(struct db_lane *lane, struct db_ask *ask, const char *why)
{
	error_set(&ask->refused, ERROR_UNAVAILABLE, "%s", why);
	STAILQ_INSERT_TAIL(&lane->refused, ask, link);
}

static struct db_ask *take_waiting(struct db_lane *lane)
{
	struct db_ask *ask = STAILQ_FIRST(&lane->waiting);

	STAILQ_REMOVE_HEAD(&lane->waiting, link);
	lane->n_waiting--;
	return ask;
}

static struct db_batch *take_again(struct db_lane *lane)
{
	struct db_batch *batch = STAILQ_FIRST(&lane->again);

	if (batch != NULL)
		STAILQ_REMOVE_HEAD(&lane->again, link);
	return batch;
}

static void refuse_waiting(struct db_lane *lane, const char *why)
{
	struct error error = { 0 };
	struct db_batch *batch;

	error_set(&error, ERROR_UNAVAILABLE, "%s", why);
	while (lane->n_waiting > 0)
		refuse(lane, take_waiting(lane), why);
	while ((batch = take_again(lane)) != NULL)
		db_batch_abandon(batch, &error);
}

static void answer_refused(struct db_lane *lane)
{
	struct db_ask *ask;

	while ((ask = STAILQ_FIRST(&lane->refused)) != NULL) {
		struct error why = ask->refused;

		STAILQ_REMOVE_HEAD(&lane->refused, link);
		lane->kind->failed(lane->arg, ask, &why);
	}
}

/* Those that have waited too long stay behind. */
static void fill_batch(struct db_lane *lane, struct db_batch *batch)
{
	int64_t oldest_ms = clock_steady_ms() - WAIT_MS;

	while (batch->n < lane->kind->batch_max && lane->n_waiting > 0) {
		struct db_ask *ask = take_waiting(lane);

		if (ask->arrived_ms < oldest_ms)
			refuse(lane, ask, "waited too long");
		else
			db_batch_add(batch, ask);
	}
}

/* NULL: nobody waits. */
static struct db_batch *next_batch(struct db_lane *lane)
{
	struct db_batch *batch = take_again(lane);

	if (batch != NULL || lane->n_waiting == 0)
		return batch;
	batch = db_batch_new(lane);
	if (batch == NULL) {
		refuse_waiting(lane, "no memory for a batch");
		return NULL;
	}
	fill_batch(lane, batch);
	if (batch->n > 0)
		return batch;
	db_batch_abandon(batch, &(struct error){ 0 });
	return NULL;
}

/* The first that has something to send; it is the last next time.  False: nobody waits. */
static bool start_next_batch(struct db_desk *desk)
{
	struct db_lane *lane;

	TAILQ_FOREACH(lane, &desk->lanes, link)
	{
		struct db_batch *batch = why_closed(lane) == NULL ? next_batch(lane) : NULL;

		if (batch == NULL)
			continue;
		TAILQ_REMOVE(&desk->lanes, lane, link);
		TAILQ_INSERT_TAIL(&desk->lanes, lane, link);
		desk->errand_was_last = false;
		take_connection(desk, lane->kind->answer_ms);
		db_batch_start(batch, desk->pipe);
		return true;
	}
	return false;
}

void db_desk_again(struct db_batch *half)
{
	STAILQ_INSERT_TAIL(&half->lane->again, half, link);
	pump_soon(half->lane->desk);
}

/* ---- what happens next ---- */

/* Errands go first, but one that is due again and again keeps nobody from the connection. */
static void use_connection(struct db_desk *desk)
{
	struct db_errand *errand;

	if (desk->busy || desk->pipe == NULL)
		return;
	if (desk->errand_was_last && start_next_batch(desk))
		return;
	errand = due_errand(desk);
	if (errand != NULL)
		start_errand(desk, errand);
	else if (!start_next_batch(desk))
		desk->errand_was_last = false;
}

static void on_pumping(evutil_socket_t fd, short what, void *arg)
{
	struct db_desk *desk = arg;
	struct db_lane *lane;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(lane, &desk->lanes, link)
	{
		if (why_closed(lane) != NULL)
			refuse_waiting(lane, why_closed(lane));
	}
	use_connection(desk);
	TAILQ_FOREACH(lane, &desk->lanes, link)
	answer_refused(lane);
}

void db_desk_leave(struct db_desk *desk, enum db_fate fate, const struct error *error)
{
	desk->busy = false;
	event_del(desk->deadline);
	if (fate == DB_CONNECTION_SUSPECT)
		distrust_connection(desk, error);
	else if (error->kind == ERROR_NONE)
		use_connection(desk); /* before anything is made of the answer */
	else
		pump_soon(desk);
}

/* ---- the contract ---- */

void db_ask_start(struct db_lane *lane, struct db_ask *ask)
{
	ask->arrived_ms = clock_steady_ms();
	if (lane->n_waiting >= lane->queue_max) {
		refuse(lane, ask, "the queue is full");
	} else {
		STAILQ_INSERT_TAIL(&lane->waiting, ask, link);
		lane->n_waiting++;
	}
	pump_soon(lane->desk);
}

unsigned int db_lane_waiting(const struct db_lane *lane)
{
	return lane->n_waiting;
}

void db_lane_shut(struct db_lane *lane, const char *why)
{
	snprintf(lane->shut, sizeof(lane->shut), "%s", why == NULL ? "" : why);
	pump_soon(lane->desk);
}

struct db_lane *db_lane_new(struct db_desk *desk, const struct db_lane_kind *kind,
			    unsigned int queue_max, void *arg)
{
	struct db_lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		return NULL;
	lane->desk = desk;
	lane->kind = kind;
	lane->queue_max = queue_max;
	lane->arg = arg;
	STAILQ_INIT(&lane->waiting);
	STAILQ_INIT(&lane->refused);
	STAILQ_INIT(&lane->again);
	TAILQ_INSERT_TAIL(&desk->lanes, lane, link);
	db_desk_prepare(desk, kind->statement);
	return lane;
}

void db_desk_watch(struct db_desk *desk, void (*on_made)(void *arg), done_fn on_lost, void *arg)
{
	desk->on_made = on_made;
	desk->on_lost = on_lost;
	desk->watcher = arg;
}

static bool events_make(struct db_desk *desk, struct event_base *base, struct error *error)
{
	desk->pumping = event_new(base, -1, 0, on_pumping, desk);
	desk->deadline = evtimer_new(base, on_deadline, desk);
	return (desk->pumping != NULL && desk->deadline != NULL) ||
	       error_set(error, ERROR_UNAVAILABLE, "no memory for the desk");
}

static bool link_make(struct db_desk *desk, const struct db_desk_options *options,
		      struct error *error)
{
	const struct db_link_options link = {
		.base = options->base,
		.conninfo = options->conninfo,
		.application_name = options->application_name,
		.greeting = options->greeting,
		.on_greeting = on_link_greeting,
		.statements = desk->statements,
		.on_ready = on_link_ready,
		.on_lost = on_link_lost,
		.arg = desk,
	};

	desk->link = db_link_new(&link, error);
	return desk->link != NULL;
}

struct db_desk *db_desk_new(const struct db_desk_options *options, struct error *error)
{
	struct db_desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the desk");
		return NULL;
	}
	TAILQ_INIT(&desk->lanes);
	STAILQ_INIT(&desk->errands);
	desk->on_greeting = options->on_greeting;
	desk->greeter = options->arg;
	snprintf(desk->why, sizeof(desk->why), "starting");
	if (!events_make(desk, options->base, error) || !link_make(desk, options, error)) {
		db_desk_free(desk);
		return NULL;
	}
	return desk;
}

static void lane_free(struct db_lane *lane)
{
	refuse_waiting(lane, "closing");
	answer_refused(lane);
	for (int i = 0; i < DB_PARAMS_MAX; i++)
		db_array_clear(&lane->array[i]);
	free(lane);
}

static void event_freep(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void db_desk_free(struct db_desk *desk)
{
	struct db_lane *lane;

	if (desk == NULL)
		return;
	desk->pipe = NULL;
	db_link_free(desk->link); /* fails what waits for its commit */
	while ((lane = TAILQ_FIRST(&desk->lanes)) != NULL) {
		TAILQ_REMOVE(&desk->lanes, lane, link);
		lane_free(lane);
	}
	event_freep(desk->pumping);
	event_freep(desk->deadline);
	free(desk);
}
