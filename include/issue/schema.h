/* SPDX-License-Identifier: Apache-2.0 */
/* Asked first of all on a new connection: is the schema one that this program works with? */
#ifndef ISSUE_SCHEMA_H
#define ISSUE_SCHEMA_H

#include "db/pipeline.h"

extern const struct db_statement schema_greeting;

/* ERROR_UNAVAILABLE, with what to do about it, for another one.  Fits db/desk.h. */
void schema_greeting_check(void *arg, const PGresult *rows, struct error *error);

#endif
