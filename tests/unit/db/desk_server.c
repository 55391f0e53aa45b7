/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_server.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "base/clock.h"

struct server server;

static struct db_pipeline *const the_pipe = (struct db_pipeline *)&server;

void server_reset(void)
{
	memset(&server, 0, sizeof(server));
	server.steady_ms = 1000000;
}

void tell(const char *fmt, ...)
{
	size_t len = strlen(server.story);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(server.story + len, sizeof(server.story) - len, fmt, ap);
	va_end(ap);
}

/* ---- the clock ---- */

int64_t clock_steady_ms(void)
{
	return server.steady_ms;
}

int64_t clock_running_us(void)
{
	return server.steady_ms * 1000;
}

int64_t clock_running_ms(void)
{
	return server.steady_ms;
}

int64_t clock_unix_us(void)
{
	return INT64_C(1767225600000000) + server.steady_ms * 1000;
}

/* ---- the connection ---- */

struct db_link *db_link_new(const struct db_link_options *options, struct error *error)
{
	(void)error;
	server.link = *options;
	return (struct db_link *)&server;
}

void server_connect(void)
{
	server.link.on_ready(server.link.arg, the_pipe);
}

static void finish(struct db_call *call, const struct error *error, const char *sqlstate)
{
	if (call == NULL)
		return;
	call->error = *error;
	snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", sqlstate);
	if (call->done != NULL)
		call->done(call->arg, error);
}

/* What was sent, taken off, so that an answer may send the next. */
static void take(struct db_call **call, struct db_call **commit)
{
	*call = server.call;
	*commit = server.commit;
	server.call = server.commit = NULL;
}

static void fail_all(const char *why)
{
	struct error error = { .kind = ERROR_UNAVAILABLE };
	struct db_call *call, *commit;

	snprintf(error.detail, sizeof(error.detail), "%s", why);
	take(&call, &commit);
	if (call != NULL) {
		PQclear(call->result);
		call->result = NULL;
	}
	finish(call, &error, "");
	finish(commit, &error, "");
}

void server_lose(const char *why)
{
	struct error error = { .kind = ERROR_UNAVAILABLE };

	snprintf(error.detail, sizeof(error.detail), "%s", why);
	fail_all(why);
	server.link.on_lost(server.link.arg, &error);
}

void db_link_break(struct db_link *link, const struct error *why)
{
	(void)link;
	server.breaks++;
	snprintf(server.broken, sizeof(server.broken), "%s", why->detail);
	server_lose(why->detail);
}

void db_link_free(struct db_link *link)
{
	if (link != NULL)
		fail_all("the pipeline was closed");
}

/* ---- the pipeline ---- */

void db_send(struct db_pipeline *pipe, struct db_call *call)
{
	CU_ASSERT_PTR_EQUAL(pipe, the_pipe);
	CU_ASSERT_PTR_NULL_FATAL(server.call); /* one thing at a time */
	server.call = call;
	if (call->statement->params == 0)
		tell("%s ", call->statement->name);
	else
		tell("%s:%s ", call->statement->name, array_text(call));
}

void db_commit(struct db_pipeline *pipe, struct db_call *commit)
{
	CU_ASSERT_PTR_EQUAL(pipe, the_pipe);
	CU_ASSERT_PTR_NULL(server.commit);
	server.commit = commit;
}

void server_answer(PGresult *rows)
{
	const struct error none = { 0 };
	struct db_call *call, *commit;

	CU_ASSERT_PTR_NOT_NULL_FATAL(server.call);
	take(&call, &commit);
	call->result = rows;
	finish(call, &none, "");
	finish(commit, &none, "");
}

void server_lose_commit(PGresult *rows)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(server.call);
	server.call->result = rows;
	server_lose("the server has gone");
}

void server_refuse(const char *sqlstate)
{
	const struct error error = { .kind = ERROR_UNAVAILABLE, .detail = "as the test wants" };
	struct db_call *call, *commit;

	CU_ASSERT_PTR_NOT_NULL_FATAL(server.call);
	take(&call, &commit);
	finish(call, &error, sqlstate);
	finish(commit, &error, "");
}

void server_refuse_commit(PGresult *rows, const char *sqlstate)
{
	const struct error none = { 0 };
	const struct error error = { .kind = ERROR_UNAVAILABLE, .detail = "as the test wants" };
	struct db_call *call, *commit;

	CU_ASSERT_PTR_NOT_NULL_FATAL(server.call);
	take(&call, &commit);
	call->result = rows;
	finish(call, &none, "");
	finish(commit, &error, sqlstate);
}

/* ---- values ---- */

PGresult *numbers(int n, int64_t number)
{
	static char name[] = "n";
	PGresAttDesc attribute = { .name = name, .format = 1 };
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	PQsetResultAttrs(rows, 1, &attribute);
	for (int i = 0; i < n; i++) {
		uint64_t big = htobe64((uint64_t)(number != 0 ? number : i + 1));

		PQsetvalue(rows, i, 0, (char *)&big, sizeof(big));
	}
	return rows;
}

/* Of int8: a head of 20 bytes with the number of values at 12, then each after its length. */
const char *array_text(const struct db_call *call)
{
	static char text[400];
	const char *bytes = call->value[0];
	size_t len = 0;
	uint32_t n;

	memcpy(&n, bytes + 12, sizeof(n));
	text[0] = '\0';
	for (uint32_t i = 0; i < be32toh(n); i++) {
		uint64_t big;

		memcpy(&big, bytes + 20 + 12 * (size_t)i + 4, sizeof(big));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i > 0 ? "," : "",
					(int)be64toh(big));
	}
	return text;
}
