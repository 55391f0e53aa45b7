/* SPDX-License-Identifier: Apache-2.0 */
/* Those who went to the desk together: one call, one commit. */
#ifndef DB_DESK_BATCH_H
#define DB_DESK_BATCH_H

#include "db/desk.h"
#include "loop/flow.h"

struct db_batch;
STAILQ_HEAD(db_batches, db_batch);

/* A queue and what belongs to it. */
struct db_lane {
	struct db_desk *desk;
	const struct db_lane_kind *kind;
	void *arg;
	unsigned int queue_max, n_waiting;
	struct db_asks waiting;	 /* oldest first */
	struct db_asks refused;	 /* answered with the next turn */
	struct db_batches again; /* halves of a batch that failed */
	char shut[sizeof(((struct error *)0)->detail)];
	struct db_array array[DB_PARAMS_MAX]; /* of the batch that is being sent */
	TAILQ_ENTRY(db_lane) link;
};

struct db_batch {
	struct flow flow;
	struct db_lane *lane;
	struct db_asks asks; /* not answered yet */
	unsigned int n;	     /* of them */
	struct db_pipeline *pipe;
	struct db_call call, commit;
	bool sent, handed_over;
	int64_t sent_ms, sent_us; /* steady; and running */
	STAILQ_ENTRY(db_batch) link;
};

struct db_batch *db_batch_new(struct db_lane *lane);
void db_batch_add(struct db_batch *batch, struct db_ask *ask);
void db_batch_start(struct db_batch *batch, struct db_pipeline *pipe);	  /* frees itself */
void db_batch_abandon(struct db_batch *batch, const struct error *error); /* not started */

/* The desk's: the answer to a batch is here, whatever it is; half a batch goes again. */
void db_desk_leave(struct db_desk *desk, enum db_fate fate, const struct error *error);
void db_desk_again(struct db_batch *half);

#endif
