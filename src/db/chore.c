/* SPDX-License-Identifier: Apache-2.0 */
#include "db/chore.h"

#include <stddef.h>

#include "base/clock.h"

#define PERIOD_MS 3600000

static struct db_chore *of(const struct db_errand *errand)
{
	return (struct db_chore *)((char *)errand - offsetof(struct db_chore, errand));
}

static bool is_due(const struct db_errand *errand, int64_t now_ms)
{
	return now_ms >= of(errand)->due_ms;
}

static void ask(struct db_errand *errand, struct db_pipeline *pipe)
{
	struct db_chore *chore = of(errand);

	chore->due_ms = clock_steady_ms() + PERIOD_MS;
	chore->call = (struct db_call){ .statement = chore->statement };
	db_send(pipe, &chore->call);
}

static int64_t number_of(const PGresult *rows)
{
	struct error ignored = { 0 };
	int64_t number = 0;

	return PQntuples(rows) == 1 && db_int(rows, 0, 0, &number, &ignored) ? number : 0;
}

static void tell(const struct db_chore *chore, int64_t number, const struct error *error)
{
	if (error->kind != ERROR_NONE)
		log_warning(chore->log, chore->failed, LOG_TEXT("reason", error->detail));
	else if (number > 0)
		log_info(chore->log, chore->done, LOG_NUMBER(chore->counts, number));
}

static enum db_fate heard(struct db_errand *errand, const struct error *error)
{
	struct db_chore *chore = of(errand);
	int64_t number = error->kind == ERROR_NONE ? number_of(chore->call.result) : 0;

	tell(chore, number, error);
	PQclear(chore->call.result);
	chore->call.result = NULL;
	if (chore->most > 0 && number >= chore->most)
		chore->due_ms = clock_steady_ms();
	return error->kind != ERROR_NONE && chore->call.sqlstate[0] == '\0' ? DB_CONNECTION_SUSPECT
									    : DB_CONNECTION_FREE;
}

void db_chore_add(struct db_desk *desk, struct db_chore *chore)
{
	chore->errand = (struct db_errand){ .is_due = is_due, .ask = ask, .heard = heard };
	chore->due_ms = INT64_MIN;
	db_desk_prepare(desk, chore->statement);
	db_errand_add(desk, &chore->errand);
}
