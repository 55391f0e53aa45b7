/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_walk.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

bool audit_each(PGconn *pg, const struct audit_filter *filter, audit_event_fn on_event, void *arg,
		struct error *error)
{
	long long last = LLONG_MIN; /* an event before the first would be found */
	size_t n;

	do {
		PGresult_auto *page = audit_page(pg, last, filter, error);
		json_auto_t *rows = page != NULL ? rows_from_result(page) : NULL;

		if (rows == NULL)
			return false;
		n = json_array_size(rows);
		for (size_t i = 0; i < n; i++) {
			const json_t *event = json_array_get(rows, i);

			last = json_integer_value(json_object_get(event, "id"));
			if (!on_event(arg, event, error))
				return false;
		}
	} while (n == AUDIT_PAGE);
	return true;
}

bool audit_take(struct audit_chain *chain, const json_t *event, struct error *error)
{
	struct audit_row row = { 0 };
	json_int_t id;

	if (json_unpack((json_t *)event, "{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s!}", "id", &id, "at",
			&row.at, "actor", &row.actor, "action", &row.action, "subject",
			&row.subject, "reason", &row.reason, "evidence", &row.evidence, "previous",
			&row.previous, "hash", &row.hash) != 0)
		return error_set_code(error, ERROR_CONFLICT, AUDIT_BROKEN,
				      "after event %lld: no event as 'audit export' writes it",
				      chain->last);
	row.id = id;
	return audit_chain_add(chain, &row, error);
}

static bool on_event(void *arg, const json_t *event, struct error *error)
{
	return audit_take(arg, event, error);
}

/* The head is written with each event: it tells what is missing or too much at the end. */
static bool check_head(PGconn *pg, const struct audit_chain *chain, struct error *error)
{
	PGresult_auto *row = audit_head(pg, error);
	char hash[2 * SHA256_LEN + 1];
	long long id;

	if (row == NULL)
		return false;
	id = atoll(PQgetvalue(row, 0, 0));
	audit_chain_head(chain, hash);
	if (id > chain->last)
		return error_set_code(error, ERROR_CONFLICT, AUDIT_BROKEN,
				      "event %lld is missing: the head is event %lld",
				      chain->last + 1, id);
	if (atoll(PQgetvalue(row, 0, 2)) != chain->last)
		return error_set_code(error, ERROR_CONFLICT, AUDIT_BROKEN,
				      "there are %s events, and the chain has %lld",
				      PQgetvalue(row, 0, 2), chain->last);
	if (id < chain->last || strcmp(hash, PQgetvalue(row, 0, 1)) != 0)
		return error_set_code(error, ERROR_CONFLICT, AUDIT_BROKEN,
				      "event %lld is not the one that was written last: the head "
				      "is event %lld",
				      chain->last, id);
	return true;
}

bool audit_walk(PGconn *pg, struct audit_chain *chain, struct error *error)
{
	const struct audit_filter all = { 0 };
	bool ok = audit_snapshot(pg, error);

	ok = ok && audit_each(pg, &all, on_event, chain, error) && check_head(pg, chain, error);
	audit_snapshot_end(pg);
	return ok;
}
