/* SPDX-License-Identifier: Apache-2.0 */
#include "client_limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#define BUCKETS_BITS 12
#define TOKEN	     1000 /* a client that may ask n times a second gets n of these each ms */

struct client {
	uint8_t digest[32];
	int64_t level, at_ms; /* what it had then */
	LIST_ENTRY(client) same_hash;
	TAILQ_ENTRY(client) by_age;
};

LIST_HEAD(clients, client);

struct client_limits {
	int64_t per_s, full;
	unsigned int n, max;
	uint64_t salt; /* nobody can choose digests that meet in one chain */
	struct clients chain[1 << BUCKETS_BITS];
	TAILQ_HEAD(, client) by_age; /* the one that asked last, last */
	struct client client[];
};

static struct clients *chain_of(struct client_limits *limits, const uint8_t digest[32])
{
	uint64_t bits;

	memcpy(&bits, digest, sizeof(bits));
	bits = (bits ^ limits->salt) * UINT64_C(0x9e3779b97f4a7c15);
	return &limits->chain[bits >> (64 - BUCKETS_BITS)];
}

static struct client *find(struct clients *chain, const uint8_t digest[32])
{
	struct client *client;

	LIST_FOREACH(client, chain, same_hash)
	{
		if (memcmp(client->digest, digest, sizeof(client->digest)) == 0)
			return client;
	}
	return NULL;
}

/* An unused one, or the oldest. */
static struct client *make_room(struct client_limits *limits)
{
	struct client *client = TAILQ_FIRST(&limits->by_age);

	if (limits->n < limits->max)
		return &limits->client[limits->n++];
	TAILQ_REMOVE(&limits->by_age, client, by_age);
	LIST_REMOVE(client, same_hash);
	return client;
}

static struct client *client_of(struct client_limits *limits, const uint8_t digest[32],
				int64_t now_ms)
{
	struct clients *chain = chain_of(limits, digest);
	struct client *client = find(chain, digest);

	if (client != NULL) {
		TAILQ_REMOVE(&limits->by_age, client, by_age);
	} else {
		client = make_room(limits);
		memcpy(client->digest, digest, sizeof(client->digest));
		client->level = limits->full;
		client->at_ms = now_ms;
		LIST_INSERT_HEAD(chain, client, same_hash);
	}
	TAILQ_INSERT_TAIL(&limits->by_age, client, by_age);
	return client;
}

static void refill(const struct client_limits *limits, struct client *client, int64_t now_ms)
{
	int64_t ms = now_ms - client->at_ms, missing = limits->full - client->level;

	client->at_ms = now_ms;
	client->level =
		ms > missing / limits->per_s ? limits->full : client->level + ms * limits->per_s;
}

bool client_limits_take(struct client_limits *limits, const uint8_t digest[32], int64_t now_ms)
{
	struct client *client;

	if (limits->per_s == 0)
		return true;
	client = client_of(limits, digest, now_ms);
	refill(limits, client, now_ms);
	if (client->level < TOKEN)
		return false;
	client->level -= TOKEN;
	return true;
}

struct client_limits *client_limits_new(unsigned int per_s, unsigned int burst,
					unsigned int clients_max)
{
	struct client_limits *limits =
		calloc(1, sizeof(*limits) + clients_max * sizeof(limits->client[0]));

	if (limits == NULL || getrandom(&limits->salt, sizeof(limits->salt), 0) < 0) {
		free(limits);
		return NULL;
	}
	limits->per_s = per_s;
	limits->full = (int64_t)(burst > 0 ? burst : 1) * TOKEN;
	limits->max = clients_max;
	TAILQ_INIT(&limits->by_age);
	return limits;
}

void client_limits_free(struct client_limits *limits)
{
	free(limits);
}
