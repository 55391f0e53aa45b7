/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a client may ask at this node.  What it shows (a secret, an access token) counts, known
 * before the database is asked; where it shows only a name, the name counts together with the
 * address, so that nobody uses up another's share.
 *
 * Each says whether this order may go on; if not, the answer is VERDICT_RATE, and it has been
 * logged and counted.
 */
#ifndef AUTHORITY_LIMITS_H
#define AUTHORITY_LIMITS_H

#include <stdbool.h>

#include "ipc/access.h"
#include "ipc/order.h"

struct config;
struct limits;
struct log;
struct meter;

/* NULL: no memory. */
struct limits *limits_new(const struct config *config, const struct log *log, struct meter *meter);

bool limits_admit_order(struct limits *limits, const struct order *order);
bool limits_admit_grant(struct limits *limits, const struct grant_order *order);
bool limits_admit_login(struct limits *limits, const struct login_order *order);
bool limits_admit_revocation(struct limits *limits, const struct revoke_order *order);

void limits_free(struct limits *limits);

#endif
