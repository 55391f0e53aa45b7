/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a node's database to know whether it is well.  Each answers one row, and needs
 * no more rights than a node has. */
#ifndef REGISTRY_HEALTH_H
#define REGISTRY_HEALTH_H

#include "db/query.h"

/* version, number (150012), user, synchronous_commit, isolation, fsync, full_page_writes,
 * read_only ("on": it takes no writes), connections (that are free). */
PGresult *health_settings(PGconn *pg, struct error *error) MUST_CHECK;
/* schema: the number of the last migration. */
PGresult *health_schema(PGconn *pg, struct error *error) MUST_CHECK;
/* seconds: since 1970, with a fraction, by the database's clock. */
PGresult *health_clock(PGconn *pg, struct error *error) MUST_CHECK;
/* why: NULL when a token could be issued now.  @clock is RFC 3339. */
PGresult *health_issuing(PGconn *pg, const char *kid, const char *clock,
			 struct error *error) MUST_CHECK;
/* months: of the ledger that have a partition, this one and those after it, at most 4. */
PGresult *health_partitions(PGconn *pg, struct error *error) MUST_CHECK;
/* x5u, sha256 (hexadecimal), state; ERROR_NOT_FOUND when it is not registered. */
PGresult *health_signer(PGconn *pg, const char *kid, struct error *error) MUST_CHECK;

#endif
