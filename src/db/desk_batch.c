/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static struct db_batch *of(struct flow *flow)
{
	return (struct db_batch *)flow;
}

static struct db_ask *take_first(struct db_batch *batch)
{
	struct db_ask *ask = STAILQ_FIRST(&batch->asks);

	STAILQ_REMOVE_HEAD(&batch->asks, link);
	batch->n--;
	return ask;
}

static void fail_all(struct db_batch *batch, const struct error *error)
{
	while (batch->n > 0)
		batch->lane->kind->failed(batch->lane->arg, take_first(batch), error);
}

/* ---- the call ---- */

static bool add_all(struct db_batch *batch, int64_t unix_us, struct error *error)
{
	struct db_lane *lane = batch->lane;
	struct db_ask *ask;

	STAILQ_FOREACH(ask, &batch->asks, link)
	{
		if (!lane->kind->add(lane->arg, ask, unix_us, lane->array, error))
			return false;
	}
	return true;
}

static bool bind_all(struct db_batch *batch, struct error *error)
{
	struct db_lane *lane = batch->lane;
	const struct db_lane_kind *kind = lane->kind;
	int arrays = kind->statement->params - kind->scalars;

	for (int i = 0; i < arrays; i++)
		if (!db_array_bind(&lane->array[i], &batch->call, kind->scalars + i, error))
			return false;
	return true;
}

static bool send_call(struct db_batch *batch, struct error *error)
{
	struct db_lane *lane = batch->lane;
	const struct db_lane_kind *kind = lane->kind;
	int64_t now_us = clock_unix_us();
	uint8_t clock[DB_TIME_LEN];

	for (int i = 0; i < kind->statement->params - kind->scalars; i++)
		db_array_begin(&lane->array[i], kind->arrays[i], (int)batch->n);
	if (!add_all(batch, now_us, error) || !bind_all(batch, error))
		return false;
	batch->sent_us = clock_running_us();
	db_time_encode(now_us, clock);
	if (kind->scalars > 0)
		kind->bind(lane->arg, &batch->call, clock);
	db_send(batch->pipe, &batch->call);
	return true;
}

static enum flow_next record(struct flow *flow)
{
	struct db_batch *batch = of(flow);

	batch->call.statement = batch->lane->kind->statement;
	batch->commit.done = flow_resume;
	batch->commit.arg = flow;
	batch->sent_ms = clock_steady_ms();
	if (!send_call(batch, &flow->error))
		return FLOW_FAIL;
	batch->sent = true;
	db_commit(batch->pipe, &batch->commit);
	return FLOW_WAIT;
}

/* The timer for a late commit may come after the commit itself, when the whole process stood
 * still: the clock decides. */
static enum flow_next check_commit(struct flow *flow)
{
	struct db_batch *batch = of(flow);
	int64_t took_ms = clock_steady_ms() - batch->sent_ms;

	return flow_next_if(took_ms <= batch->lane->kind->answer_ms ||
			    error_set(&flow->error, ERROR_UNAVAILABLE,
				      "the commit came after %d ms", (int)took_ms));
}

static enum flow_next check_rows(struct flow *flow)
{
	struct db_batch *batch = of(flow);
	const PGresult *rows = batch->call.result;
	const char *name = batch->call.statement->name;
	int64_t n;

	if (PQntuples(rows) != (int)batch->n)
		return flow_next_if(error_set(&flow->error, ERROR_INTERNAL, "%s: %d rows for %u",
					      name, PQntuples(rows), batch->n));
	for (int i = 0; i < (int)batch->n; i++) {
		if (!db_int(rows, i, 0, &n, &flow->error))
			return FLOW_FAIL;
		if (n != i + 1)
			return flow_next_if(error_set(&flow->error, ERROR_INTERNAL,
						      "%s: row %d is of %d", name, i + 1, (int)n));
	}
	return FLOW_NEXT;
}

/* The next batch leaves before anything is made of this one. */
static enum flow_next hand_over(struct flow *flow)
{
	struct db_batch *batch = of(flow);
	struct db_lane *lane = batch->lane;
	struct db_asks asks = STAILQ_HEAD_INITIALIZER(asks);
	PGresult *rows = batch->call.result;

	batch->handed_over = true;
	if (lane->kind->committed != NULL)
		lane->kind->committed(lane->arg, batch->n, clock_running_us() - batch->sent_us);
	db_desk_leave(lane->desk, DB_CONNECTION_FREE, &flow->error);
	STAILQ_CONCAT(&asks, &batch->asks);
	batch->n = 0;
	batch->call.result = NULL;
	lane->kind->decided(lane->arg, &asks, rows);
	return FLOW_NEXT;
}

static const struct flow_step steps[] = {
	{ "record", record },
	{ "check commit", check_commit },
	{ "check rows", check_rows },
	{ "hand over", hand_over },
	{ NULL, NULL },
};

/* ---- its end ---- */

/* What the server said against the whole: the statement's own word, or the commit's. */
static const char *sqlstate_of(const struct db_batch *batch)
{
	return batch->call.sqlstate[0] != '\0' ? batch->call.sqlstate : batch->commit.sqlstate;
}

/* Data that PostgreSQL does not take, or a constraint: the fault of one. */
static bool is_fault_of_one(const char *sqlstate)
{
	return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0;
}

static void halve(struct db_batch *batch)
{
	unsigned int half = batch->n / 2;

	for (int i = 0; i < 2; i++) {
		struct db_batch *part = db_batch_new(batch->lane);

		if (part == NULL) {
			fail_all(batch, &batch->flow.error);
			return;
		}
		while (batch->n > (i == 0 ? half : 0))
			db_batch_add(part, take_first(batch));
		db_desk_again(part);
	}
}

static void give_up(struct db_batch *batch)
{
	const char *sqlstate = sqlstate_of(batch);
	struct error error = batch->flow.error;

	if (is_fault_of_one(sqlstate) && batch->n > 1) {
		halve(batch);
		return;
	}
	if (is_fault_of_one(sqlstate))
		error.kind = ERROR_INTERNAL;
	fail_all(batch, &error);
}

/* The server has said what it undid, or nothing was sent; or else nobody knows. */
static enum db_fate fate_of(const struct db_batch *batch)
{
	return batch->sent && sqlstate_of(batch)[0] == '\0' ? DB_CONNECTION_SUSPECT
							    : DB_CONNECTION_FREE;
}

static void batch_free(struct db_batch *batch)
{
	PQclear(batch->call.result);
	free(batch);
}

static void finish(struct flow *flow)
{
	struct db_batch *batch = of(flow);

	if (!batch->handed_over) {
		db_desk_leave(batch->lane->desk, fate_of(batch), &flow->error);
		give_up(batch);
	}
	batch_free(batch);
}

struct db_batch *db_batch_new(struct db_lane *lane)
{
	struct db_batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	STAILQ_INIT(&batch->asks);
	batch->lane = lane;
	return batch;
}

void db_batch_add(struct db_batch *batch, struct db_ask *ask)
{
	STAILQ_INSERT_TAIL(&batch->asks, ask, link);
	batch->n++;
}

void db_batch_start(struct db_batch *batch, struct db_pipeline *pipe)
{
	batch->pipe = pipe;
	flow_start(&batch->flow, steps, finish);
}

void db_batch_abandon(struct db_batch *batch, const struct error *error)
{
	fail_all(batch, error);
	batch_free(batch);
}
