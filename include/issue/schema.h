/* SPDX-License-Identifier: Apache-2.0 */
/* Asked first of all on a new connection: is the schema one that this program works with? */
#ifndef ISSUE_SCHEMA_H
#define ISSUE_SCHEMA_H

#include "db/pipeline.h"

/* The schemas that this program works with: numbers of the last migration. */
#define SCHEMA_OLDEST 15
#define SCHEMA_NEWEST 15

extern const struct db_statement schema_greeting;

/* ERROR_UNAVAILABLE, with what to do about it, for another one.  Fits db/desk.h. */
void schema_greeting_check(void *arg, const PGresult *rows, struct error *error);

#endif
