/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PostgreSQL connection that is there, or being made.
 *
 *	DOWN → CONNECTING → GREETING → PREPARING → READY
 *	           ↑            │          │         │  lost, refused, too slow
 *	           └── WAITING ←┴──────────┴─────────┘  250 ms, then 500 ms
 *
 * Nothing here blocks.  From CONNECTING to READY takes at most 2 s, or the attempt has failed.
 * A connection has the session that issuing needs (read committed, generic plans by index, limits
 * on every wait) and keepalives that find a dead peer within 8 s.
 */
#ifndef DB_LINK_H
#define DB_LINK_H

#include "db/pipeline.h"

struct db_link;

struct db_link_options {
	struct event_base *base;
	const char *conninfo; /* names a socket folder or hostaddr; copied */
	const char *application_name;

	/* Asked before anything else is prepared, so that a schema of another version is told
	 * by its number, and not by the first statement that does not fit.  @on_greeting sees
	 * the rows; it sets the error to refuse this connection. */
	const struct db_statement *greeting;
	void (*on_greeting)(void *arg, const PGresult *rows, struct error *error);

	const struct db_statement *const *statements; /* up to a NULL; prepared each time */

	/* READY: @pipe may be used until @on_lost. */
	void (*on_ready)(void *arg, struct db_pipeline *pipe);
	/* The connection is lost, or an attempt has failed, and why.  Every call on the pipe
	 * has been answered before. */
	done_fn on_lost;
	void *arg;
};

/* Connect from the loop, for ever.  ERROR_INVALID: a conninfo that libpq does not take, or one
 * with a host name: its look-up would block, and open files and sockets that we do not have. */
struct db_link *db_link_new(const struct db_link_options *options, struct error *error) MUST_CHECK;

/* Give the connection up and make another.  Not from a done of its pipe. */
void db_link_break(struct db_link *link, const struct error *why);

void db_link_free(struct db_link *link); /* not from its own callbacks */

#endif
