/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one connection at which a process asks, and those who wait for it.
 *
 * Self-clocking group commit, without a timer: when the connection is free, everything that waits
 * in the lane whose turn it is goes as one call, an array for each parameter; what arrives
 * meanwhile is the next batch.  Each kind of question has a lane of its own, with a bounded
 * queue; lanes take turns.  An errand goes before them, but not two as long as a lane waits.
 *
 *	ask → wait → sent with the others → committed → decided
 *	                 └ SQLSTATE 22 or 23: two halves, sent anew
 *
 * Whoever asks is answered exactly once, from the loop, by decided or by failed.  Any answer that
 * leaves open what the server did costs the connection.
 */
#ifndef DB_DESK_H
#define DB_DESK_H

#include <sys/queue.h>

#include "db/link.h"
#include "db/value.h"

struct db_desk;
struct db_lane;

struct db_desk_options {
	struct event_base *base;
	const char *conninfo;		     /* as in db/link.h */
	const char *application_name;	     /* as in db/link.h */
	const struct db_statement *greeting; /* as in db/link.h */
	void (*on_greeting)(void *arg, const PGresult *rows, struct error *error);
	void *arg;
};

/* Connects by itself, again and again, from the loop; lanes and errands are added before it runs.
 * ERROR_INVALID: a conninfo with a host name, or one that libpq does not take. */
struct db_desk *db_desk_new(const struct db_desk_options *options, struct error *error) MUST_CHECK;

/* Be told of each connection made and lost.  One may watch. */
void db_desk_watch(struct db_desk *desk, void (*on_made)(void *arg), done_fn on_lost, void *arg);

/* Answers all who wait, then frees.  Before the owners of the lanes; not from a callback. */
void db_desk_free(struct db_desk *desk);

/* ---- lanes ---- */

/* One who asks.  The first member of what the lane's owner has allocated. */
struct db_ask {
	int64_t arrived_ms;
	struct error refused; /* why it was not even sent */
	STAILQ_ENTRY(db_ask) link;
};

STAILQ_HEAD(db_asks, db_ask);

struct db_lane_kind {
	/* Its first column is n: 1, 2, 3 … in the order of the arrays. */
	const struct db_statement *statement;
	int scalars;		    /* parameters before the arrays */
	const enum db_type *arrays; /* statement->params - scalars of them */
	unsigned int batch_max;
	int answer_ms; /* a later commit is no commit */

	/* Bind the parameters before the arrays.  @clock is this node's, for a timestamptz. */
	void (*bind)(void *arg, struct db_call *call, const uint8_t clock[DB_TIME_LEN]);
	/* Add one value to each array.  An error fails the whole batch. */
	bool (*add)(void *arg, struct db_ask *ask, int64_t unix_us, struct db_array *arrays,
		    struct error *error);

	/* For whoever counts, or NULL: @n went together, and were committed after @us. */
	void (*committed)(void *arg, unsigned int n, int64_t us);
	/* The call is committed, and the next one on its way.  Takes the asks, one for each row,
	 * and the rows (PQclear). */
	void (*decided)(void *arg, struct db_asks *asks, PGresult *rows);
	/* Takes one ask: ERROR_UNAVAILABLE, or ERROR_INTERNAL for one that the server does not
	 * take. */
	void (*failed)(void *arg, struct db_ask *ask, const struct error *error);
};

/* NULL: no memory.  The desk frees it.  @kind is borrowed. */
struct db_lane *db_lane_new(struct db_desk *desk, const struct db_lane_kind *kind,
			    unsigned int queue_max, void *arg);

/* Never answers before it returns. */
void db_ask_start(struct db_lane *lane, struct db_ask *ask);
unsigned int db_lane_waiting(const struct db_lane *lane);

/* As long as it is shut, whoever asks fails at once with @why; NULL opens it. */
void db_lane_shut(struct db_lane *lane, const char *why);

/* ---- errands ---- */

enum db_fate {
	DB_CONNECTION_FREE,    /* the next may go */
	DB_CONNECTION_SUSPECT, /* nobody knows what the server did: break it off */
};

/* What else uses the connection, alone, before the next batch goes. */
struct db_errand {
	bool (*is_due)(const struct db_errand *errand, int64_t now_ms);
	/* db_send() what it needs; the desk commits. */
	void (*ask)(struct db_errand *errand, struct db_pipeline *pipe);
	/* The answer to the commit.  Calls keep their results until it is here. */
	enum db_fate (*heard)(struct db_errand *errand, const struct error *error);

	struct db_desk *desk; /* the rest is the desk's */
	struct db_call commit;
	STAILQ_ENTRY(db_errand) link;
};

void db_errand_add(struct db_desk *desk, struct db_errand *errand);
void db_desk_prepare(struct db_desk *desk, const struct db_statement *statement); /* for errands */
void db_desk_look(struct db_desk *desk); /* an errand may have become due */

#endif
