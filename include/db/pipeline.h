/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PostgreSQL connection in pipeline mode, driven by the event loop.
 *
 * Calls are answered in the order in which they were sent.  All calls up to
 * the next db_commit() are one transaction: either every one of them is done,
 * or none is and the commit carries the first error.  What must be durable
 * waits for the commit's done: a statement's own may run before.
 *
 * Every call is answered exactly once, from the loop, never from inside
 * db_send() or db_commit().  When the connection is lost, or a call cannot be
 * sent, all queued calls fail with ERROR_UNAVAILABLE, in order; then @lost
 * runs, once.  A failed commit may have happened all the same.
 */
#ifndef DB_PIPELINE_H
#define DB_PIPELINE_H

#include <sys/queue.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "base/done.h"

#define DB_PARAMS_MAX 16

enum db_format { DB_TEXT = 0, DB_BINARY = 1 };

struct db_statement {
	const char *name; /* name of the prepared statement */
	const char *sql;
	int params;
	enum db_format result;
};

/* Owned by the caller until done.  The values are copied by db_send(). */
struct db_call {
	const struct db_statement *statement; /* NULL: this is a commit */
	const char *value[DB_PARAMS_MAX];
	int length[DB_PARAMS_MAX]; /* of the binary ones */
	int format[DB_PARAMS_MAX]; /* enum db_format, as libpq wants it */
	done_fn done;
	void *arg;

	PGresult *result; /* rows, owned by the call; NULL when it failed */
	struct error error;
	char sqlstate[6]; /* of the server's error, or empty */
	STAILQ_ENTRY(db_call) link;
};

struct db_pipeline;

/* Take over a connection that has been opened; closing it stays with the owner. */
struct db_pipeline *db_pipeline_new(struct event_base *base, PGconn *pg, done_fn lost, void *arg);

/* Fail what is still queued, then free.  Allowed from @lost, not from a done. */
void db_pipeline_free(struct db_pipeline *pipe);

/* Make the call's statement known to the server, by its name; before the first db_send() of it. */
void db_prepare(struct db_pipeline *pipe, struct db_call *call);

void db_send(struct db_pipeline *pipe, struct db_call *call);
void db_commit(struct db_pipeline *pipe, struct db_call *commit);

#endif
