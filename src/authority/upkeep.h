/* SPDX-License-Identifier: Apache-2.0 */
/* What the authority sees to at its desk beside its orders: refusals go when their time is over. */
#ifndef AUTHORITY_UPKEEP_H
#define AUTHORITY_UPKEEP_H

#include "db/chore.h"

struct upkeep {
	struct db_chore refusals;
};

/* Borrows @upkeep as long as the desk lives, and @log. */
void upkeep_add(struct upkeep *upkeep, struct db_desk *desk, const struct log *log);

#endif
