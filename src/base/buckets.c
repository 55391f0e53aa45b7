/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buckets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#define CHAIN_BITS 12
#define TOKEN	   60000 /* drops; with n tokens a minute, n drops flow in each ms */

struct bucket {
	uint8_t digest[BUCKETS_DIGEST_LEN];
	int64_t level, at_ms; /* the drops in it then */
	LIST_ENTRY(bucket) same_hash;
	TAILQ_ENTRY(bucket) by_age;
};

LIST_HEAD(chain, bucket);

struct buckets {
	int64_t per_ms, full; /* drops */
	unsigned int n, max;
	uint64_t salt; /* nobody can choose digests that meet in one chain */
	struct chain chain[1 << CHAIN_BITS];
	TAILQ_HEAD(, bucket) by_age; /* the one that asked last, last */
	struct bucket bucket[];
};

static struct chain *chain_of(struct buckets *buckets, const uint8_t *digest)
{
	uint64_t bits;

	memcpy(&bits, digest, sizeof(bits));
	bits = (bits ^ buckets->salt) * UINT64_C(0x9e3779b97f4a7c15);
	return &buckets->chain[bits >> (64 - CHAIN_BITS)];
}

static struct bucket *find(struct chain *chain, const uint8_t *digest)
{
	struct bucket *bucket;

	LIST_FOREACH(bucket, chain, same_hash)
	{
		if (memcmp(bucket->digest, digest, BUCKETS_DIGEST_LEN) == 0)
			return bucket;
	}
	return NULL;
}

/* An unused one, or the oldest. */
static struct bucket *make_room(struct buckets *buckets)
{
	struct bucket *bucket = TAILQ_FIRST(&buckets->by_age);

	if (buckets->n < buckets->max)
		return &buckets->bucket[buckets->n++];
	TAILQ_REMOVE(&buckets->by_age, bucket, by_age);
	LIST_REMOVE(bucket, same_hash);
	return bucket;
}

static struct bucket *bucket_of(struct buckets *buckets, const uint8_t *digest, int64_t now_ms)
{
	struct chain *chain = chain_of(buckets, digest);
	struct bucket *bucket = find(chain, digest);

	if (bucket != NULL) {
		TAILQ_REMOVE(&buckets->by_age, bucket, by_age);
	} else {
		bucket = make_room(buckets);
		memcpy(bucket->digest, digest, BUCKETS_DIGEST_LEN);
		bucket->level = buckets->full;
		bucket->at_ms = now_ms;
		LIST_INSERT_HEAD(chain, bucket, same_hash);
	}
	TAILQ_INSERT_TAIL(&buckets->by_age, bucket, by_age);
	return bucket;
}

static void refill(const struct buckets *buckets, struct bucket *bucket, int64_t now_ms)
{
	int64_t ms = now_ms - bucket->at_ms, missing = buckets->full - bucket->level;

	bucket->at_ms = now_ms;
	bucket->level = ms > missing / buckets->per_ms ? buckets->full
						       : bucket->level + ms * buckets->per_ms;
}

bool buckets_take(struct buckets *buckets, const uint8_t digest[BUCKETS_DIGEST_LEN], int64_t now_ms)
{
	struct bucket *bucket;

	if (buckets->per_ms == 0)
		return true;
	bucket = bucket_of(buckets, digest, now_ms);
	refill(buckets, bucket, now_ms);
	if (bucket->level < TOKEN)
		return false;
	bucket->level -= TOKEN;
	return true;
}

/* One that has made room meanwhile is full anyway. */
void buckets_give_back(struct buckets *buckets, const uint8_t digest[BUCKETS_DIGEST_LEN])
{
	struct bucket *bucket = find(chain_of(buckets, digest), digest);

	if (bucket == NULL)
		return;
	bucket->level += TOKEN;
	if (bucket->level > buckets->full)
		bucket->level = buckets->full;
}

struct buckets *buckets_new(const struct buckets_rate *rate)
{
	struct buckets *buckets =
		calloc(1, sizeof(*buckets) + rate->max * sizeof(buckets->bucket[0]));

	if (buckets == NULL || getrandom(&buckets->salt, sizeof(buckets->salt), 0) < 0) {
		free(buckets);
		return NULL;
	}
	buckets->per_ms = rate->per_min;
	buckets->full = (int64_t)(rate->burst > 0 ? rate->burst : 1) * TOKEN;
	buckets->max = rate->max;
	TAILQ_INIT(&buckets->by_age);
	return buckets;
}

void buckets_free(struct buckets *buckets)
{
	free(buckets);
}
