/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each address may ask of a node, and how often it may fail: token buckets, an IPv4
 * address for itself, IPv6 by its /56.  What is made before a fork is shared by all that fork.
 *
 * The table has a fixed size.  An address that is not in it has full buckets, so one whose buckets
 * are full again is forgotten without a loss; when all places that it could have are taken, the
 * address that is nearest to full buckets makes room.  Whoever floods it from many addresses drives
 * out those that have only asked before those that have failed.  The local socket has no limit.
 */
#ifndef EDGE_ADDRESS_LIMITS_H
#define EDGE_ADDRESS_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum address_limit { ADDRESS_REQUESTS, ADDRESS_FAILURES, ADDRESS_LIMIT_COUNT };

struct address_rate {
	unsigned int n;	       /* so many; 0: no limit */
	unsigned int period_s; /* in so many seconds */
	unsigned int burst;    /* and so many at once */
};

struct address_limits;
struct config;

/* NULL limits, as those of a rate of 0, have no limit. */

/* At most @addresses are remembered, rounded up to a power of two.  NULL: no memory or no
 * randomness. */
struct address_limits *address_limits_new(const struct address_rate rates[ADDRESS_LIMIT_COUNT],
					  unsigned int addresses);
struct address_limits *address_limits_for(const struct config *config); /* what it says */
void address_limits_free(struct address_limits *limits);

/* How long until one may be taken: 0, one is left.  @now_us never goes back, and is the same clock
 * in all processes. */
int64_t address_limits_wait_us(struct address_limits *limits, enum address_limit which,
			       const uint8_t address[16], int64_t now_us) MUST_CHECK;

/* Take one, if one is left. */
bool address_limits_take(struct address_limits *limits, enum address_limit which,
			 const uint8_t address[16], int64_t now_us) MUST_CHECK;

/* Take one, left or not: what was begun side by side while there was one left is owed, and paid by
 * waiting, so that the rate holds for who asks on a hundred connections at once. */
void address_limits_charge(struct address_limits *limits, enum address_limit which,
			   const uint8_t address[16], int64_t now_us);

#endif
