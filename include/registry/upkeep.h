/* SPDX-License-Identifier: Apache-2.0 */
/* What an owner does from time to time: the ledger's partitions. */
#ifndef REGISTRY_UPKEEP_H
#define REGISTRY_UPKEEP_H

#include "db/query.h"

/* Make the partitions of the next three months. */
PGresult *partitions_extend(PGconn *pg, struct error *error) MUST_CHECK;
/* partition, from, until. */
PGresult *partitions_list(PGconn *pg, struct error *error) MUST_CHECK;

#endif
