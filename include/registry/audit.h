/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit: who decided what, oldest first. */
#ifndef REGISTRY_AUDIT_H
#define REGISTRY_AUDIT_H

#include "db/query.h"

/* id, at, actor, action, subject, reason, evidence, previous, hash.  Times have microseconds,
 * hashes are hexadecimal, evidence is the text that was hashed. */
#define AUDIT_PAGE 1000

struct audit_filter {
	const char *since, *until; /* [since, until); NULL: no bound */
};

/* At most AUDIT_PAGE events after number @after. */
PGresult *audit_page(PGconn *pg, long long after, const struct audit_filter *filter,
		     struct error *error) MUST_CHECK;
/* The last @n events. */
PGresult *audit_tail(PGconn *pg, const char *n, struct error *error) MUST_CHECK;

/* id, hash of the last event, as the database has noted it, and how many events there are: one
 * row. */
PGresult *audit_head(PGconn *pg, struct error *error) MUST_CHECK;
/* Between these every answer is of one moment; nothing can be written. */
bool audit_snapshot(PGconn *pg, struct error *error) MUST_CHECK;
void audit_snapshot_end(PGconn *pg);

#endif
