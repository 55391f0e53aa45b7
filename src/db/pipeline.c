/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

STAILQ_HEAD(db_calls, db_call);

struct db_pipeline {
	PGconn *pg; /* the owner's */
	struct event *readable;
	struct event *writable;
	struct event *failing;	  /* runs on_failing() in the next turn of the loop */
	struct db_calls sent;	  /* oldest first; libpq answers in this order */
	struct error transaction; /* first error since the last commit */
	struct error broken;	  /* once set, the connection is used no more */
	done_fn lost;		  /* NULL once it has run */
	void *lost_arg;
};

static bool is_broken(const struct db_pipeline *pipe)
{
	return pipe->broken.kind != ERROR_NONE;
}

/* Use the connection no more.  The queued calls fail in the next turn of the loop, because
 * a done never runs inside db_send(). */
static void break_off(struct db_pipeline *pipe, const char *why)
{
	error_set(&pipe->broken, ERROR_UNAVAILABLE, "database: %.*s", (int)strcspn(why, "\n"), why);
	event_del(pipe->readable);
	event_del(pipe->writable);
	event_active(pipe->failing, EV_TIMEOUT, 1);
}

static void break_off_if(struct db_pipeline *pipe, bool failed)
{
	if (failed)
		break_off(pipe, PQerrorMessage(pipe->pg));
}

static void flush(struct db_pipeline *pipe)
{
	int left = PQflush(pipe->pg);

	break_off_if(pipe, left < 0);
	if (left > 0)
		event_add(pipe->writable, NULL);
}

static bool send_statement(struct db_pipeline *pipe, const struct db_call *call)
{
	const struct db_statement *st = call->statement;

	return PQsendQueryPrepared(pipe->pg, st->name, st->params, call->value, call->length,
				   call->format, st->result);
}

static bool send_preparation(struct db_pipeline *pipe, const struct db_statement *st)
{
	return PQsendPrepare(pipe->pg, st->name, st->sql, 0, NULL);
}

void db_prepare(struct db_pipeline *pipe, struct db_call *call)
{
	STAILQ_INSERT_TAIL(&pipe->sent, call, link);
	break_off_if(pipe, is_broken(pipe) || !send_preparation(pipe, call->statement));
}

void db_send(struct db_pipeline *pipe, struct db_call *call)
{
	STAILQ_INSERT_TAIL(&pipe->sent, call, link);
	break_off_if(pipe, is_broken(pipe) || !send_statement(pipe, call));
}

void db_commit(struct db_pipeline *pipe, struct db_call *commit)
{
	commit->statement = NULL;
	STAILQ_INSERT_TAIL(&pipe->sent, commit, link);
	break_off_if(pipe, is_broken(pipe) || !PQpipelineSync(pipe->pg));
	if (!is_broken(pipe))
		flush(pipe);
}

static void finish_first_call(struct db_calls *calls)
{
	struct db_call *call = STAILQ_FIRST(calls);

	STAILQ_REMOVE_HEAD(calls, link);
	if (call->done != NULL)
		call->done(call->arg, &call->error);
}

static void fail_queued_calls(struct db_pipeline *pipe)
{
	struct db_calls calls = STAILQ_HEAD_INITIALIZER(calls);
	struct db_call *call;

	STAILQ_CONCAT(&calls, &pipe->sent); /* what a done sends now fails a turn later */
	while ((call = STAILQ_FIRST(&calls)) != NULL) {
		PQclear(call->result);
		call->result = NULL;
		if (call->error.kind == ERROR_NONE)
			call->error = pipe->broken;
		finish_first_call(&calls);
	}
}

static void finish_commit(struct db_pipeline *pipe)
{
	STAILQ_FIRST(&pipe->sent)->error = pipe->transaction;
	pipe->transaction = (struct error){ 0 };
	finish_first_call(&pipe->sent);
}

static const char *name_of(const struct db_call *call)
{
	return call->statement == NULL ? "commit" : call->statement->name;
}

static void take_error(struct db_pipeline *pipe, struct db_call *call, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", sqlstate == NULL ? "" : sqlstate);
	error_set(&call->error, ERROR_UNAVAILABLE, "%s: %s", name_of(call),
		  message == NULL ? PQresultErrorMessage(result) : message);
	if (pipe->transaction.kind == ERROR_NONE)
		pipe->transaction = call->error;
}

static void out_of_step(struct db_pipeline *pipe)
{
	break_off(pipe, "libpq answers out of step");
}

static void finish_statement(struct db_pipeline *pipe, const struct db_call *call)
{
	if (call->result == NULL && call->error.kind == ERROR_NONE)
		out_of_step(pipe);
	else
		finish_first_call(&pipe->sent);
}

/* libpq gives every statement its result and then a NULL. */
static void take_statement_result(struct db_pipeline *pipe, struct db_call *call, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		call->result = result;
		return;
	case PGRES_PIPELINE_ABORTED:
		call->error = pipe->transaction;
		break;
	case PGRES_PIPELINE_SYNC:
		out_of_step(pipe);
		break;
	default:
		if (result == NULL)
			finish_statement(pipe, call);
		else
			take_error(pipe, call, result);
	}
	PQclear(result);
}

/* A sync has no NULL of its own.  A commit that fails, as a deferred constraint makes it, is
 * an error, a NULL and then the sync. */
static void take_commit_result(struct db_pipeline *pipe, struct db_call *call, PGresult *result)
{
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		finish_commit(pipe);
	else if (result != NULL)
		take_error(pipe, call, result);
	else if (call->error.kind == ERROR_NONE)
		out_of_step(pipe);
	PQclear(result);
}

static void take_result(struct db_pipeline *pipe)
{
	struct db_call *call = STAILQ_FIRST(&pipe->sent);
	PGresult *result = PQgetResult(pipe->pg);

	if (call->statement == NULL)
		take_commit_result(pipe, call, result);
	else
		take_statement_result(pipe, call, result);
}

static bool has_result(const struct db_pipeline *pipe)
{
	return !is_broken(pipe) && !STAILQ_EMPTY(&pipe->sent) &&
	       PQstatus(pipe->pg) == CONNECTION_OK && !PQisBusy(pipe->pg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct db_pipeline *pipe = arg;

	(void)fd;
	(void)what;
	break_off_if(pipe, !PQconsumeInput(pipe->pg));
	while (has_result(pipe))
		take_result(pipe);
	break_off_if(pipe, PQstatus(pipe->pg) != CONNECTION_OK);
	if (!is_broken(pipe))
		flush(pipe);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

static void on_failing(evutil_socket_t fd, short what, void *arg)
{
	struct db_pipeline *pipe = arg;
	struct error why = pipe->broken;
	done_fn lost = pipe->lost;

	(void)fd;
	(void)what;
	fail_queued_calls(pipe);
	pipe->lost = NULL;
	if (lost != NULL)
		lost(pipe->lost_arg, &why); /* may free the pipeline */
}

/* A cancelled wait for a synchronous standby reaches us as a success with a warning.  libpq
 * may show a warning one result early, so it counts against the transaction, not a call. */
static void on_notice(void *arg, const PGresult *notice)
{
	struct db_pipeline *pipe = arg;
	const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);

	if (sqlstate != NULL && strncmp(sqlstate, "01", 2) == 0)
		error_set(&pipe->transaction, ERROR_UNAVAILABLE, "warning %s: %s", sqlstate,
			  PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

struct db_pipeline *db_pipeline_new(struct event_base *base, PGconn *pg, done_fn lost, void *arg)
{
	struct db_pipeline *pipe = calloc(1, sizeof(*pipe));
	int fd = PQsocket(pg);

	if (pipe == NULL)
		return NULL;
	STAILQ_INIT(&pipe->sent);
	pipe->pg = pg;
	pipe->lost = lost;
	pipe->lost_arg = arg;
	pipe->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, pipe);
	pipe->writable = event_new(base, fd, EV_WRITE, on_writable, pipe);
	pipe->failing = event_new(base, -1, 0, on_failing, pipe);
	PQsetNoticeReceiver(pg, on_notice, pipe);
	PQsetnonblocking(pg, 1);
	PQenterPipelineMode(pg);
	event_add(pipe->readable, NULL);
	return pipe;
}

static void ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

void db_pipeline_free(struct db_pipeline *pipe)
{
	if (pipe == NULL)
		return;
	break_off(pipe, "the pipeline was closed");
	fail_queued_calls(pipe);
	PQsetNoticeReceiver(pipe->pg, ignore_notice, NULL);
	event_free(pipe->readable);
	event_free(pipe->writable);
	event_free(pipe->failing);
	free(pipe);
}
