/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of the audit, computed here and not by the database: whoever changes a row may have
 * changed the database's functions too.
 *
 * hash = SHA-256 of the previous event's hash (32 bytes; zeros before the first), the number
 * (8 bytes), the time (8 bytes, microseconds since 2000-01-01 UTC), then actor, action, subject,
 * reason and evidence, each as its length (4 bytes) and its bytes.  Numbers are big-endian.
 * A chain cut off at its end, or written anew as a whole, is known only by a hash that was noted
 * before: the caller gives it as @expected.
 */
#ifndef REGISTRY_AUDIT_CHAIN_H
#define REGISTRY_AUDIT_CHAIN_H

#include <stdint.h>

#include "base/error.h"
#include "crypto/digest.h"

/* As text, like the columns of registry/audit.h. */
struct audit_row {
	const char *at, *actor, *action, *subject, *reason, *evidence, *previous, *hash;
	long long id;
};

struct audit_chain {
	long long first, last; /* numbers; 0 before the first event */
	uint8_t head[SHA256_LEN];
	const char *expected; /* the hash that an event must have, in hexadecimal; NULL: none */
	bool was_met;
	bool is_part; /* the first event may be any, with any hash before it */
};

#define AUDIT_BROKEN "audit-broken" /* the code of the errors */

/* Take the next event.  False: the error names the event and what is wrong with it. */
bool audit_chain_add(struct audit_chain *chain, const struct audit_row *row,
		     struct error *error) MUST_CHECK;
/* After the last: was the expected hash among them? */
bool audit_chain_end(const struct audit_chain *chain, struct error *error) MUST_CHECK;
void audit_chain_head(const struct audit_chain *chain, char hex[2 * SHA256_LEN + 1]);

#endif
