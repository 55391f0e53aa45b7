/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each of many may do something: a bucket of tokens for each digest (of a secret, of a
 * name), full at first.
 *
 * The table is bounded.  The one that has not asked for longest makes room, and is full again when
 * it comes back: whoever floods the table with digests wins nothing but that.
 */
#ifndef BASE_BUCKETS_H
#define BASE_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKETS_DIGEST_LEN 32

struct buckets;

struct buckets_rate {
	unsigned int per_min; /* that flow in; 0: no limit */
	unsigned int burst;   /* that a bucket holds; at least 1 */
	unsigned int max;     /* buckets */
};

/* NULL: no memory. */
struct buckets *buckets_new(const struct buckets_rate *rate);

/* Take one from the bucket of @digest, if there is one in it. */
bool buckets_take(struct buckets *buckets, const uint8_t digest[BUCKETS_DIGEST_LEN],
		  int64_t now_ms);

/* What was taken was not needed. */
void buckets_give_back(struct buckets *buckets, const uint8_t digest[BUCKETS_DIGEST_LEN]);

void buckets_free(struct buckets *buckets);

#endif
