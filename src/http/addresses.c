/* SPDX-License-Identifier: Apache-2.0 */
/* analyzer: too many branches (the macros of uthash). */
#include "addresses.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) ((element)->count = 0)
#include <uthash.h>

struct addresses {
	uint8_t prefix[16];
	unsigned int count;
	UT_hash_handle hh;
};

static void prefix_of(const uint8_t address[16], uint8_t prefix[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_ipv4 = memcmp(address, mapped, sizeof(mapped)) == 0;

	memset(prefix, 0, 16);
	memcpy(prefix, address, is_ipv4 ? 16 : 7);
}

static struct addresses *entry_add(struct addresses **set, const uint8_t prefix[16])
{
	struct addresses *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	memcpy(entry->prefix, prefix, 16);
	entry->count = 1;
	HASH_ADD(hh, *set, prefix, 16, entry);
	if (entry->count == 1)
		return entry;
	free(entry); /* the table had no memory for it */
	return NULL;
}

bool addresses_take(struct addresses **set, const uint8_t address[16], unsigned int max)
{
	struct addresses *entry;
	uint8_t prefix[16];

	prefix_of(address, prefix);
	HASH_FIND(hh, *set, prefix, 16, entry);
	if (entry == NULL)
		return entry_add(set, prefix) != NULL;
	if (entry->count >= max)
		return false;
	entry->count++;
	return true;
}

void addresses_give_back(struct addresses **set, const uint8_t address[16])
{
	struct addresses *entry;
	uint8_t prefix[16];

	prefix_of(address, prefix);
	HASH_FIND(hh, *set, prefix, 16, entry);
	if (entry == NULL || --entry->count > 0)
		return;
	HASH_DEL(*set, entry);
	free(entry);
}
