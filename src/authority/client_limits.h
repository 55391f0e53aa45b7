/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a client may ask at this node: a bucket of tokens for each digest of what clients show
 * (a secret, an access token, a name), known before the database is asked.
 *
 * The table is bounded.  The one that has not asked for longest makes room, and is full again when
 * it comes back: whoever floods the table with strangers' digests wins nothing but that.
 */
#ifndef AUTHORITY_CLIENT_LIMITS_H
#define AUTHORITY_CLIENT_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct client_limits;

/* @per_s 0: no limit.  NULL: no memory. */
struct client_limits *client_limits_new(unsigned int per_s, unsigned int burst,
					unsigned int clients_max);

/* May whoever shows @digest ask once more, now? */
bool client_limits_take(struct client_limits *limits, const uint8_t digest[32], int64_t now_ms);

void client_limits_free(struct client_limits *limits);

#endif
