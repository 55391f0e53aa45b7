/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table is shared by the edges of a node, made before they fork.  It has no lock, so that an
 * edge that is killed, or that somebody has taken over, holds up no other.  Two that meet in one
 * place cost at most a request more, or one less, for the addresses concerned.
 */
#include "edge/address_limits.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "config/config.h"

#define WAYS	 8 /* places that an address may have */
#define SETS_MIN 2

/* Forgotten before the oldest of so many are full again: 1.5 MiB. */
#define ADDRESSES 65536

/* The buckets of one address.  A bucket is the time at which it will be full (the virtual
 * scheduling of ITU-T I.371): in the past, it is full. */
struct entry {
	_Atomic uint64_t tag; /* of the address; 0: free */
	_Atomic int64_t full_us[ADDRESS_LIMIT_COUNT];
};

/* Each process has its own copy; the entries alone are shared. */
struct address_limits {
	struct address_rate rates[ADDRESS_LIMIT_COUNT];
	uint64_t seed[2]; /* so that nobody chooses who shares his places */
	unsigned int sets;
	size_t size;
	struct entry *entries;
};

static int64_t interval_us(const struct address_rate *rate)
{
	return (int64_t)rate->period_s * 1000000 / rate->n;
}

/* ---- places ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/* Of an IPv4 address, or of the first 56 bits of another.  Never 0; that two addresses have the
 * same is as likely as to guess 63 bits. */
static uint64_t tag_of(const struct address_limits *limits, const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_ipv4 = memcmp(address, mapped, sizeof(mapped)) == 0;
	uint64_t prefix[2] = { 0 };

	memcpy(prefix, address, is_ipv4 ? 16 : 7);
	return mix(mix(prefix[0] ^ limits->seed[0]) + (prefix[1] ^ limits->seed[1])) | 1;
}

static struct entry *set_of(struct address_limits *limits, uint64_t tag)
{
	return limits->entries + (tag >> 1) % limits->sets * WAYS;
}

static struct entry *find(struct entry *set, uint64_t tag)
{
	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&set[i].tag, memory_order_relaxed) == tag)
			return &set[i];
	return NULL;
}

static int64_t load(const struct entry *entry, enum address_limit which)
{
	return atomic_load_explicit(&entry->full_us[which], memory_order_relaxed);
}

static int64_t full_us(const struct entry *entry)
{
	int64_t latest = 0;

	for (size_t i = 0; i < ADDRESS_LIMIT_COUNT; i++)
		latest = load(entry, i) > latest ? load(entry, i) : latest;
	return latest;
}

/* The place that is given up soonest; a free one is full since ever. */
static struct entry *make_room(struct entry *set, uint64_t tag)
{
	struct entry *chosen = set;

	for (size_t i = 1; i < WAYS; i++)
		if (full_us(&set[i]) < full_us(chosen))
			chosen = &set[i];
	for (size_t i = 0; i < ADDRESS_LIMIT_COUNT; i++)
		atomic_store_explicit(&chosen->full_us[i], 0, memory_order_relaxed);
	atomic_store_explicit(&chosen->tag, tag, memory_order_relaxed);
	return chosen;
}

static struct entry *entry_of(struct address_limits *limits, const uint8_t address[16])
{
	uint64_t tag = tag_of(limits, address);
	struct entry *set = set_of(limits, tag), *entry = find(set, tag);

	return entry != NULL ? entry : make_room(set, tag);
}

/* ---- buckets ---- */

static bool is_limited(const struct address_limits *limits, enum address_limit which,
		       const uint8_t address[16])
{
	static const uint8_t local[16];

	return limits != NULL && limits->rates[which].n > 0 &&
	       memcmp(address, local, sizeof(local)) != 0;
}

/* When the bucket, full at @full, will be full after one more is taken. */
static int64_t after_one(const struct address_rate *rate, int64_t full, int64_t now_us)
{
	return (full > now_us ? full : now_us) + interval_us(rate);
}

static bool holds(const struct address_rate *rate, int64_t full, int64_t now_us)
{
	return full - now_us <= interval_us(rate) * rate->burst;
}

int64_t address_limits_wait_us(struct address_limits *limits, enum address_limit which,
			       const uint8_t address[16], int64_t now_us)
{
	const struct address_rate *rate;
	const struct entry *entry;
	uint64_t tag;
	int64_t full;

	if (!is_limited(limits, which, address))
		return 0;
	rate = &limits->rates[which];
	tag = tag_of(limits, address);
	entry = find(set_of(limits, tag), tag);
	full = after_one(rate, entry == NULL ? 0 : load(entry, which), now_us);
	return holds(rate, full, now_us) ? 0 : full - now_us - interval_us(rate) * rate->burst;
}

bool address_limits_take(struct address_limits *limits, enum address_limit which,
			 const uint8_t address[16], int64_t now_us)
{
	struct entry *entry;
	int64_t full, after;

	if (!is_limited(limits, which, address))
		return true;
	entry = entry_of(limits, address);
	full = load(entry, which);
	do {
		after = after_one(&limits->rates[which], full, now_us);
		if (!holds(&limits->rates[which], after, now_us))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&entry->full_us[which], &full, after, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void address_limits_charge(struct address_limits *limits, enum address_limit which,
			   const uint8_t address[16], int64_t now_us)
{
	struct entry *entry;
	int64_t full;

	if (!is_limited(limits, which, address))
		return;
	entry = entry_of(limits, address);
	full = load(entry, which);
	while (!atomic_compare_exchange_weak_explicit(
		&entry->full_us[which], &full, after_one(&limits->rates[which], full, now_us),
		memory_order_relaxed, memory_order_relaxed))
		;
}

/* ---- life ---- */

struct address_limits *address_limits_new(const struct address_rate rates[ADDRESS_LIMIT_COUNT],
					  unsigned int addresses)
{
	struct address_limits *limits = calloc(1, sizeof(*limits));
	void *entries;

	if (limits == NULL)
		return NULL;
	memcpy(limits->rates, rates, sizeof(limits->rates));
	for (limits->sets = SETS_MIN; limits->sets * WAYS < addresses;)
		limits->sets *= 2;
	limits->size = sizeof(limits->entries[0]) * limits->sets * WAYS;
	entries =
		mmap(NULL, limits->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	limits->entries = entries == MAP_FAILED ? NULL : entries;
	if (limits->entries != NULL &&
	    getrandom(limits->seed, sizeof(limits->seed), 0) == sizeof(limits->seed))
		return limits;
	address_limits_free(limits);
	return NULL;
}

struct address_limits *address_limits_for(const struct config *config)
{
	const struct address_rate rates[ADDRESS_LIMIT_COUNT] = {
		[ADDRESS_REQUESTS] = { (unsigned int)config->requests_per_address_s, 1,
				       (unsigned int)config->requests_per_address_burst },
		[ADDRESS_FAILURES] = { (unsigned int)config->failures_per_address_min, 60,
				       (unsigned int)config->failures_per_address_burst },
	};

	return address_limits_new(rates, ADDRESSES);
}

void address_limits_free(struct address_limits *limits)
{
	if (limits == NULL)
		return;
	if (limits->entries != NULL)
		munmap(limits->entries, limits->size);
	free(limits);
}
