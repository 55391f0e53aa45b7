/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous PostgreSQL, for tools that may wait: one statement, text parameters, an error that a
 * person can act on.  The daemon's processes use db/pipeline.h.
 */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include <libpq-fe.h>

#include "base/error.h"

/* Times are written in UTC; a warning of the server goes to standard error. */
PGconn *db_open(const char *conninfo, const char *program, struct error *error) MUST_CHECK;

struct db_query {
	const char *sql;
	int params;
};

/* Run it as one transaction.  A value of NULL is SQL's NULL.  Rows to PQclear(), or NULL. */
PGresult *db_query(PGconn *pg, const struct db_query *query, const char *const *values,
		   struct error *error) MUST_CHECK;

/* The same for what must be there: without a row ERROR_NOT_FOUND, "no <what> <name>". */
PGresult *db_query_one(PGconn *pg, const struct db_query *query, const char *const *values,
		       const char *what, const char *name, struct error *error) MUST_CHECK;

/* Turn a failed result into our error: the kind and the code by SQLSTATE, the server's sentence
 * with its detail and hint.  Returns false. */
bool db_error(const PGconn *pg, const PGresult *result, struct error *error);

static inline void db_result_freep(PGresult **result)
{
	PQclear(*result);
}
#define PGresult_auto PGresult __attribute__((cleanup(db_result_freep)))

#endif
