/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for private keys: OpenSSL's secure heap, which is never swapped out, stands between guard
 * pages, and is wiped when it is given back.  OpenSSL puts the private parts of keys, the keys of
 * session tickets and the state of its random generators there by itself. */
#ifndef CRYPTO_LOCKED_HEAP_H
#define CRYPTO_LOCKED_HEAP_H

#include <stddef.h>

#include "base/error.h"

/* What a handshake has there, up to its end and in TLS 1.3 as long as its connection, at most; what
 * everything else together has. */
#define LOCKED_HEAP_PER_CONNECTION 64
#define LOCKED_HEAP_BASE	   32768

/* Before the first key of a process; the first call counts.  @bytes are rounded up to a power of
 * two.  When it is full, keys cannot be made.  ERROR_UNAVAILABLE: there is no such heap.
 * ERROR_LIMITED: it is there and used, but not locked, as RLIMIT_MEMLOCK is too low. */
bool locked_heap_make(size_t bytes, struct error *error) MUST_CHECK;

#endif
