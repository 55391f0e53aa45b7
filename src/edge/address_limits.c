/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/address_limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WAYS	 8 /* places that an address may have */
#define SETS_MIN 2

/* The buckets of one address.  A bucket is the time at which it will be full (the virtual
 * scheduling of ITU-T I.371): in the past, it is full. */
struct entry {
	uint64_t prefix[2];
	int64_t full_us[ADDRESS_LIMIT_COUNT];
};

struct address_limits {
	struct address_rate rates[ADDRESS_LIMIT_COUNT];
	uint64_t seed[2]; /* so that nobody chooses who shares his places */
	unsigned int sets;
	struct entry entries[];
};

static int64_t interval_us(const struct address_rate *rate)
{
	return (int64_t)rate->period_s * 1000000 / rate->n;
}

/* ---- places ---- */

static void prefix_of(const uint8_t address[16], uint64_t prefix[2])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_ipv4 = memcmp(address, mapped, sizeof(mapped)) == 0;

	prefix[0] = prefix[1] = 0;
	memcpy(prefix, address, is_ipv4 ? 16 : 7);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static struct entry *set_of(struct address_limits *limits, const uint64_t prefix[2])
{
	uint64_t hash = mix(mix(prefix[0] ^ limits->seed[0]) + (prefix[1] ^ limits->seed[1]));

	return limits->entries + hash % limits->sets * WAYS;
}

static struct entry *find(struct entry *set, const uint64_t prefix[2])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].prefix[0] == prefix[0] && set[i].prefix[1] == prefix[1])
			return &set[i];
	return NULL;
}

static int64_t full_us(const struct entry *entry)
{
	int64_t latest = 0;

	for (size_t i = 0; i < ADDRESS_LIMIT_COUNT; i++)
		latest = entry->full_us[i] > latest ? entry->full_us[i] : latest;
	return latest;
}

/* The place that is given up soonest; a free one is full since ever. */
static struct entry *make_room(struct entry *set, const uint64_t prefix[2])
{
	struct entry *chosen = set;

	for (size_t i = 1; i < WAYS; i++)
		if (full_us(&set[i]) < full_us(chosen))
			chosen = &set[i];
	memset(chosen, 0, sizeof(*chosen));
	memcpy(chosen->prefix, prefix, sizeof(chosen->prefix));
	return chosen;
}

/* ---- buckets ---- */

static bool is_limited(const struct address_limits *limits, enum address_limit which,
		       const uint8_t address[16])
{
	static const uint8_t local[16];

	return limits->rates[which].n > 0 && memcmp(address, local, sizeof(local)) != 0;
}

/* When the bucket will be full after one more is taken; 0: it has none. */
static int64_t full_after_us(const struct address_rate *rate, const struct entry *entry,
			     enum address_limit which, int64_t now_us)
{
	int64_t interval = interval_us(rate);
	int64_t from =
		entry != NULL && entry->full_us[which] > now_us ? entry->full_us[which] : now_us;
	int64_t full = from + interval;

	return full - now_us <= interval * rate->burst ? full : 0;
}

bool address_limits_has(struct address_limits *limits, enum address_limit which,
			const uint8_t address[16], int64_t now_us)
{
	uint64_t prefix[2];

	if (!is_limited(limits, which, address))
		return true;
	prefix_of(address, prefix);
	return full_after_us(&limits->rates[which], find(set_of(limits, prefix), prefix), which,
			     now_us) != 0;
}

bool address_limits_take(struct address_limits *limits, enum address_limit which,
			 const uint8_t address[16], int64_t now_us)
{
	uint64_t prefix[2];
	struct entry *set, *entry;
	int64_t full;

	if (!is_limited(limits, which, address))
		return true;
	prefix_of(address, prefix);
	set = set_of(limits, prefix);
	entry = find(set, prefix);
	full = full_after_us(&limits->rates[which], entry, which, now_us);
	if (full == 0)
		return false;
	if (entry == NULL)
		entry = make_room(set, prefix);
	entry->full_us[which] = full;
	return true;
}

/* ---- life ---- */

struct address_limits *address_limits_new(const struct address_rate rates[ADDRESS_LIMIT_COUNT],
					  unsigned int addresses)
{
	unsigned int sets = SETS_MIN;
	struct address_limits *limits;

	while (sets * WAYS < addresses)
		sets *= 2;
	limits = calloc(1, sizeof(*limits) + sizeof(limits->entries[0]) * sets * WAYS);
	if (limits == NULL)
		return NULL;
	limits->sets = sets;
	memcpy(limits->rates, rates, sizeof(limits->rates));
	if (getrandom(limits->seed, sizeof(limits->seed), 0) == sizeof(limits->seed))
		return limits;
	free(limits);
	return NULL;
}

void address_limits_free(struct address_limits *limits)
{
	free(limits);
}
