/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what stands at a desk: the connection, the pipeline and the clock, faked by linking.
 * The test plays the server: it looks at what was sent, and answers it.
 */
#ifndef TESTS_UNIT_DB_DESK_SERVER_H
#define TESTS_UNIT_DB_DESK_SERVER_H

#include <stdint.h>

#include <event2/event.h>

#include "db/desk.h"

/* The call that waits for its answer; one thing at a time uses the connection. */
struct server {
	struct db_link_options link;
	struct db_call *call, *commit;
	int64_t steady_ms;
	int breaks;	  /* how often the connection was given up */
	char broken[200]; /* and why, the last time */
	char story[1024]; /* what was sent and told, in order, each with a space */
};

extern struct server server;

void server_reset(void);
void server_connect(void);
/* The connection is lost, with all that is on it. */
void server_lose(const char *why);

/* The statement went well, with @rows, and so did the commit. */
void server_answer(PGresult *rows);
/* The statement went well, and then the connection was lost: nobody knows of the commit. */
void server_lose_commit(PGresult *rows);
/* The statement is refused. */
void server_refuse(const char *sqlstate);
/* The statement went well, the commit is refused. */
void server_refuse_commit(PGresult *rows, const char *sqlstate);

void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Rows 1 … @n of whole numbers; @n rows with that number when @number is not 0. */
PGresult *numbers(int n, int64_t number);

/* What was sent as the only array of the call, as "1,2,3". */
const char *array_text(const struct db_call *call);

#endif
