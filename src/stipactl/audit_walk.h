/* SPDX-License-Identifier: Apache-2.0 */
/* The audit from its first event to its last, with the chain computed on the way. */
#ifndef STIPACTL_AUDIT_WALK_H
#define STIPACTL_AUDIT_WALK_H

#include <jansson.h>
#include <libpq-fe.h>

#include "registry/audit.h"
#include "registry/audit_chain.h"

typedef bool (*audit_event_fn)(void *arg, const json_t *event, struct error *error);

/* Call @on_event for each event of @filter, oldest first, until one answers false. */
bool audit_each(PGconn *pg, const struct audit_filter *filter, audit_event_fn on_event, void *arg,
		struct error *error) MUST_CHECK;

/* Take an event, as a row of the database or a line of an export, into the chain. */
bool audit_take(struct audit_chain *chain, const json_t *event, struct error *error) MUST_CHECK;
/* The database's whole chain. */
bool audit_walk(PGconn *pg, struct audit_chain *chain, struct error *error) MUST_CHECK;

#endif
