/* SPDX-License-Identifier: Apache-2.0 */
#include "upkeep.h"

/* One step holds the connection for some milliseconds. */
#define STEP	  1000
#define STEP_TEXT "1000"

static const struct db_statement prune = {
	.name = "refusals_prune",
	.sql = "SELECT stipa.refusals_prune(at_most => " STEP_TEXT ")",
	.result = DB_BINARY,
};

void upkeep_add(struct upkeep *upkeep, struct db_desk *desk, const struct log *log)
{
	upkeep->refusals = (struct db_chore){
		.statement = &prune,
		.done = "old refusals have been forgotten",
		.failed = "old refusals have not been forgotten",
		.counts = "rows",
		.most = STEP,
		.log = log,
	};
	db_chore_add(desk, &upkeep->refusals);
}
