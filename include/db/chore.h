/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep: a statement that is run over the desk each hour, and whose one number says how much it
 * did.  A bounded one that did all it may is run again, after whatever waits.
 */
#ifndef DB_CHORE_H
#define DB_CHORE_H

#include "base/log.h"
#include "db/desk.h"

struct db_chore {
	const char *done;   /* the log's line when it did something, at level info */
	const char *failed; /* and when it could not: a warning; the next hour tries again */
	const char *counts; /* the log's name of the number */
	const struct db_statement *statement; /* no parameters; one row, one whole number */
	int64_t most;			      /* one run does so many at most; 0: all */
	const struct log *log;

	struct db_errand errand; /* the rest is the chore's */
	struct db_call call;
	int64_t due_ms;
};

/* Borrows @chore, which is due at once. */
void db_chore_add(struct db_desk *desk, struct db_chore *chore);

#endif
