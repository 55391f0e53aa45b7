/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/locked_heap.h"

#include <openssl/crypto.h>

#define SMALLEST_BLOCK 16

enum { NO_HEAP, LOCKED, NOT_LOCKED }; /* as CRYPTO_secure_malloc_init() answers */

static size_t round_up(size_t bytes)
{
	size_t size = LOCKED_HEAP_BASE;

	while (size < bytes)
		size *= 2;
	return size;
}

bool locked_heap_make(size_t bytes, struct error *error)
{
	size_t size = round_up(bytes);

	if (CRYPTO_secure_malloc_initialized())
		return true;
	switch (CRYPTO_secure_malloc_init(size, SMALLEST_BLOCK)) {
	case LOCKED:
		return true;
	case NOT_LOCKED:
		return error_set(error, ERROR_LIMITED,
				 "%zu KiB for keys cannot be locked in memory: raise "
				 "RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=)",
				 size / 1024);
	default:
		return error_set(error, ERROR_UNAVAILABLE, "no memory of %zu KiB for keys",
				 size / 1024);
	}
}
