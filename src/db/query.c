/* SPDX-License-Identifier: Apache-2.0 */
#include "db/query.h"

#include <stdio.h>
#include <string.h>

/* The longest prefix wins.  The code is what scripts see. */
static const struct {
	const char *sqlstate; /* or its beginning */
	enum error_kind kind;
	const char *code;
	const char *advice; /* instead of the server's hint, for statements of ours */
} states[] = {
	{ "P0002", ERROR_NOT_FOUND, "not-found" },
	{ "22", ERROR_INVALID, "bad-value" },
	{ "23505", ERROR_CONFLICT, "exists-already" },
	{ "23P01", ERROR_CONFLICT, "held-already" },
	{ "23503", ERROR_CONFLICT, "still-in-use" },
	{ "23", ERROR_INVALID, "against-the-rules" },
	{ "55000", ERROR_CONFLICT, "wrong-state" },
	{ "42501", ERROR_FORBIDDEN, "not-permitted" },
	{ "28", ERROR_FORBIDDEN, "not-permitted" },
	{ "3F000", ERROR_CONFLICT, "no-schema", "see 'stipactl db status'" },
	{ "42P01", ERROR_CONFLICT, "other-schema", "see 'stipactl db status'" },
	{ "42883", ERROR_CONFLICT, "other-schema", "see 'stipactl db status'" },
	{ "08", ERROR_UNAVAILABLE, "unavailable" },
	{ "40", ERROR_UNAVAILABLE, "try-again" },
	{ "53", ERROR_UNAVAILABLE, "unavailable" },
	{ "55P03", ERROR_UNAVAILABLE, "try-again" },
	{ "57", ERROR_UNAVAILABLE, "unavailable" },
};

/* One line of what libpq says, without its end. */
static int first_line(const char *text)
{
	return (int)strcspn(text, "\n");
}

static void on_notice(void *arg, const PGresult *notice)
{
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	(void)arg;
	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		fprintf(stderr, "warning: %s\n",
			PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

PGconn *db_open(const char *conninfo, const char *program, struct error *error)
{
	/* The last of equal names wins: conninfo may say more, but not change our session. */
	const char *const names[] = { "connect_timeout", "application_name", "dbname",
				      "client_encoding", NULL };
	const char *const values[] = { "10", program, conninfo, "UTF8", NULL };
	PGconn *pg = PQconnectdbParams(names, values, 1);
	const struct db_query utc = { "SELECT set_config('TimeZone', 'UTC', false), "
				      "set_config('DateStyle', 'ISO', false)",
				      0 };
	PGresult_auto *result = NULL;

	if (PQstatus(pg) != CONNECTION_OK) {
		error_set_code(error, ERROR_UNAVAILABLE, "unavailable", "the database: %.*s",
			       first_line(PQerrorMessage(pg)), PQerrorMessage(pg));
		PQfinish(pg);
		return NULL;
	}
	PQsetNoticeReceiver(pg, on_notice, NULL);
	result = db_query(pg, &utc, NULL, error);
	if (result == NULL) {
		PQfinish(pg);
		return NULL;
	}
	return pg;
}

static const char *field_or(const PGresult *result, int field, const char *otherwise)
{
	const char *text = PQresultErrorField(result, field);

	return text != NULL ? text : otherwise;
}

static bool no_sqlstate(const PGconn *pg, struct error *error)
{
	return error_set_code(error, ERROR_UNAVAILABLE, "unavailable", "the database: %.*s",
			      first_line(PQerrorMessage(pg)), PQerrorMessage(pg));
}

static bool report(const PGconn *pg, const PGresult *result, bool with_advice, struct error *error)
{
	const char *sqlstate = field_or(result, PG_DIAG_SQLSTATE, "");
	const char *message = field_or(result, PG_DIAG_MESSAGE_PRIMARY, "no message");
	const char *detail = field_or(result, PG_DIAG_MESSAGE_DETAIL, "");
	const char *hint = field_or(result, PG_DIAG_MESSAGE_HINT, "");
	enum error_kind kind = ERROR_INTERNAL;
	const char *code = "database";
	const char *advice = NULL;
	size_t longest = 0;

	if (sqlstate[0] == '\0')
		return no_sqlstate(pg, error);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t len = strlen(states[i].sqlstate);

		if (len > longest && strncmp(sqlstate, states[i].sqlstate, len) == 0) {
			longest = len;
			kind = states[i].kind;
			code = states[i].code;
			advice = states[i].advice;
		}
	}
	if (with_advice && advice != NULL)
		hint = advice;
	return error_set_code(error, kind, code, "%s%s%s%s%s", message,
			      detail[0] != '\0' ? ": " : "", detail, hint[0] != '\0' ? "; " : "",
			      hint);
}

bool db_error(const PGconn *pg, const PGresult *result, struct error *error)
{
	return report(pg, result, false, error);
}

PGresult *db_query(PGconn *pg, const struct db_query *query, const char *const *values,
		   struct error *error)
{
	PGresult *result = PQexecParams(pg, query->sql, query->params, NULL, values, NULL, NULL, 0);

	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		return result;
	default:
		report(pg, result, true, error);
		PQclear(result);
		return NULL;
	}
}

PGresult *db_query_one(PGconn *pg, const struct db_query *query, const char *const *values,
		       const char *what, const char *name, struct error *error)
{
	PGresult *result = db_query(pg, query, values, error);

	if (result == NULL || PQntuples(result) > 0)
		return result;
	error_set_code(error, ERROR_NOT_FOUND, "not-found", "no %s %s", what, name);
	PQclear(result);
	return NULL;
}
