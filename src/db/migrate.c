/* SPDX-License-Identifier: Apache-2.0 */
#include "db/migrate.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/query.h"

#define OWNER	   "stipa_owner"
#define FILE_MAX   (4 << 20)
#define APPLIED_AT "to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

static const struct db_query who = { "SELECT current_user::text", 0 };
/* The number is ours alone: no other lock of stipa uses it. */
static const struct db_query lock = { "SELECT pg_advisory_lock(7234307577302016)", 0 };
static const struct db_query unlock = { "SELECT pg_advisory_unlock(7234307577302016)", 0 };
static const struct db_query begin = { "BEGIN", 0 };
static const struct db_query commit = { "COMMIT", 0 };
static const struct db_query rollback = { "ROLLBACK", 0 };
/* A file's SET outlives its transaction; the next file begins as on a new connection. */
static const struct db_query reset = { "RESET ALL", 0 };
static const struct db_query has_table = {
	"SELECT 1 WHERE to_regclass('stipa_migration.migration') IS NOT NULL", 0
};
static const struct db_query make_schema = { "CREATE SCHEMA IF NOT EXISTS stipa_migration", 0 };
static const struct db_query make_table = {
	"CREATE TABLE IF NOT EXISTS stipa_migration.migration ("
	" number int CONSTRAINT migration_pkey PRIMARY KEY"
	"  CONSTRAINT migration_number_check CHECK (number > 0),"
	" name text NOT NULL,"
	" sha256 text NOT NULL CONSTRAINT migration_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),"
	" applied_at timestamptz NOT NULL DEFAULT clock_timestamp())",
	0
};
static const struct db_query list_applied = { "SELECT number, name, sha256, " APPLIED_AT
					      " FROM stipa_migration.migration ORDER BY number",
					      0 };
static const struct db_query record = {
	"INSERT INTO stipa_migration.migration (number, name, sha256) VALUES ($1::int, $2, $3)"
	" RETURNING " APPLIED_AT,
	3
};
static const struct db_query extend = { "SELECT stipa.token_partitions_extend()", 0 };
static const struct db_query has_extend = {
	"SELECT 1 WHERE to_regprocedure('stipa.token_partitions_extend()') IS NOT NULL", 0
};

/* Of four digits and what follows, or of an int4. */
static int number_of(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* ---- files ---- */

static bool name_is_right(const char *file)
{
	size_t len = strlen(file);

	if (len < strlen("0001_x.sql") || len > MIGRATION_NAME_MAX || file[4] != '_' ||
	    strcmp(file + len - 4, ".sql") != 0)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (!isdigit((unsigned char)file[i]))
			return false;
	for (size_t i = 5; i < len - 4; i++)
		if (!islower((unsigned char)file[i]) && !isdigit((unsigned char)file[i]) &&
		    file[i] != '_')
			return false;
	return true;
}

static int is_sql(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

/* Read a file of text into @text, which has room for FILE_MAX + 1 and a NUL. */
static bool read_whole(const char *path, char *text, size_t *len, struct error *error)
{
	FILE *file = fopen(path, "re");
	bool broken;

	if (file == NULL)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	*len = fread(text, 1, FILE_MAX + 1, file);
	text[*len] = '\0';
	broken = ferror(file) != 0;
	fclose(file);
	if (broken)
		return error_set(error, ERROR_INVALID, "%s: cannot be read", path);
	if (*len > FILE_MAX)
		return error_set(error, ERROR_INVALID, "%s: longer than 4 MiB", path);
	if (strlen(text) != *len)
		return error_set(error, ERROR_INVALID, "%s: holds a NUL byte", path);
	return true;
}

static bool migration_read(struct migration *migration, const char *folder, const char *file,
			   struct error *error)
{
	char path[4096];
	char *text = malloc(FILE_MAX + 2);
	size_t len = 0;

	if (text == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	migration->number = number_of(file);
	snprintf(migration->name, sizeof(migration->name), "%.*s", (int)strlen(file) - 9, file + 5);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (read_whole(path, text, &len, error)) {
		sha256(text, len, migration->sha256);
		migration->sql = strdup(text);
		if (migration->sql == NULL)
			error_set(error, ERROR_UNAVAILABLE, "no memory");
	}
	free(text);
	return migration->sql != NULL;
}

static bool take_file(struct migrations *migrations, const char *folder, const char *file,
		      struct error *error)
{
	int want = (int)migrations->n + 1;

	if (!name_is_right(file))
		return error_set(error, ERROR_INVALID,
				 "%s/%s: a migration is called NNNN_name.sql, name in [a-z0-9_]",
				 folder, file);
	if (number_of(file) < want)
		return error_set(error, ERROR_INVALID, "%s/%s: the number %04d is there twice",
				 folder, file, number_of(file));
	if (number_of(file) > want)
		return error_set(error, ERROR_INVALID, "%s: migration %04d is missing, %s is there",
				 folder, want, file);
	return migration_read(&migrations->list[migrations->n++], folder, file, error);
}

static void names_free(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static bool take_files(struct migrations *migrations, const char *folder,
		       struct dirent *const *names, int n, struct error *error)
{
	migrations->list = calloc((size_t)n, sizeof(*migrations->list));
	if (migrations->list == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	for (int i = 0; i < n; i++)
		if (!take_file(migrations, folder, names[i]->d_name, error))
			return false;
	return true;
}

static bool read_folder(struct migrations *migrations, const char *folder, struct error *error)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_sql, alphasort);
	bool ok;

	if (n < 0)
		return error_set(error, ERROR_INVALID, "%s: %s", folder, strerror(errno));
	ok = n > 0 ? take_files(migrations, folder, names, n, error)
		   : error_set(error, ERROR_INVALID, "%s: no migrations (NNNN_name.sql) here",
			       folder);
	names_free(names, n);
	return ok;
}

struct migrations *migrations_read(const char *folder, struct error *error)
{
	struct migrations *migrations = calloc(1, sizeof(*migrations));

	if (migrations == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory");
		return NULL;
	}
	if (read_folder(migrations, folder, error))
		return migrations;
	migrations_free(migrations);
	return NULL;
}

void migrations_free(struct migrations *migrations)
{
	if (migrations == NULL)
		return;
	for (size_t i = 0; i < migrations->n; i++)
		free(migrations->list[i].sql);
	free(migrations->list);
	free(migrations);
}

/* ---- what the database has ---- */

static void hex_of(const uint8_t digest[SHA256_LEN], char hex[2 * SHA256_LEN + 1])
{
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void mark_applied(struct migration *migration, const PGresult *rows, int row)
{
	char hex[2 * SHA256_LEN + 1];

	hex_of(migration->sha256, hex);
	migration->is_applied = true;
	migration->is_changed = strcmp(PQgetvalue(rows, row, 1), migration->name) != 0 ||
				strcmp(PQgetvalue(rows, row, 2), hex) != 0;
	snprintf(migration->applied_at, sizeof(migration->applied_at), "%s",
		 PQgetvalue(rows, row, 3));
}

bool migrations_ask(struct migrations *migrations, PGconn *pg, struct error *error)
{
	PGresult_auto *there = db_query(pg, &has_table, NULL, error);
	PGresult_auto *rows = NULL;

	if (there == NULL)
		return false;
	if (PQntuples(there) == 0)
		return true;
	rows = db_query(pg, &list_applied, NULL, error);
	if (rows == NULL)
		return false;
	for (int row = 0; row < PQntuples(rows); row++) {
		int number = number_of(PQgetvalue(rows, row, 0));

		migrations->database_at = number;
		if (number >= 1 && (size_t)number <= migrations->n)
			mark_applied(&migrations->list[number - 1], rows, row);
	}
	return true;
}

bool migrations_check(const struct migrations *migrations, struct error *error)
{
	for (size_t i = 0; i < migrations->n; i++) {
		const struct migration *m = &migrations->list[i];

		if (m->is_changed)
			return error_set_code(error, ERROR_CONFLICT, "migration-changed",
					      "%04d_%s.sql is not the file that was applied on %s: "
					      "restore it and put the change into a new migration",
					      m->number, m->name, m->applied_at);
		if (!m->is_applied && m->number < migrations->database_at)
			return error_set_code(error, ERROR_CONFLICT, "migration-missing",
					      "the database is at %04d, but has no record of %04d: "
					      "restore stipa_migration.migration",
					      migrations->database_at, m->number);
	}
	if (migrations->database_at > (int)migrations->n)
		return error_set_code(error, ERROR_CONFLICT, "database-newer",
				      "the database is at migration %04d, these files end at %04zu:"
				      " use the release that migrated it; there is no way back",
				      migrations->database_at, migrations->n);
	return true;
}

/* ---- applying ---- */

static bool run(PGconn *pg, const struct db_query *query, struct error *error)
{
	PGresult_auto *result = db_query(pg, query, NULL, error);

	return result != NULL;
}

static bool we_are_the_owner(PGconn *pg, struct error *error)
{
	PGresult_auto *result = db_query(pg, &who, NULL, error);

	if (result == NULL)
		return false;
	if (strcmp(PQgetvalue(result, 0, 0), OWNER) != 0)
		return error_set(error, ERROR_FORBIDDEN,
				 "migrations run as " OWNER ", this connection is %s's",
				 PQgetvalue(result, 0, 0));
	return true;
}

/* The line of the file in which the server saw the fault; 0: it does not say. */
static int line_of_fault(const char *sql, const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	long position = text != NULL ? strtol(text, NULL, 10) : 0; /* in characters, from 1 */
	int line = 1;

	if (position < 1)
		return 0;
	for (; *sql != '\0' && position > 1; sql++) {
		line += *sql == '\n';
		position -= ((unsigned char)sql[1] & 0xc0) != 0x80;
	}
	return line;
}

/* Several statements in one string: the one place where PQexec() is right. */
static bool run_file(PGconn *pg, const struct migration *migration, struct error *error)
{
	PGresult_auto *result = PQexec(pg, migration->sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	    status != PGRES_EMPTY_QUERY) {
		db_error(pg, result, error);
		return error_context(error, "%04d_%s.sql:%d", migration->number, migration->name,
				     line_of_fault(migration->sql, result));
	}
	if (PQtransactionStatus(pg) != PQTRANS_INTRANS)
		return error_set(error, ERROR_INVALID,
				 "%04d_%s.sql ends its transaction itself: a migration must not",
				 migration->number, migration->name);
	return true;
}

static bool record_migration(PGconn *pg, struct migration *migration, struct error *error)
{
	char number[12], hex[2 * SHA256_LEN + 1];
	PGresult_auto *result = NULL;

	snprintf(number, sizeof(number), "%d", migration->number);
	hex_of(migration->sha256, hex);
	result = db_query(pg, &record, (const char *[]){ number, migration->name, hex }, error);
	if (result == NULL)
		return false;
	snprintf(migration->applied_at, sizeof(migration->applied_at), "%s",
		 PQgetvalue(result, 0, 0));
	return true;
}

static bool apply_one(PGconn *pg, struct migration *migration, struct error *error)
{
	struct error ignored = { 0 };

	if (run(pg, &reset, error) && run(pg, &begin, error) && run_file(pg, migration, error) &&
	    record_migration(pg, migration, error) && run(pg, &commit, error))
		return true;
	return run(pg, &rollback, &ignored) && false;
}

static bool extend_partitions(PGconn *pg, struct error *error)
{
	PGresult_auto *there = db_query(pg, &has_extend, NULL, error);

	if (there == NULL)
		return false;
	if (PQntuples(there) == 0)
		return true;
	return run(pg, &extend, error) || error_context(error, "the ledger's partitions");
}

static bool apply_pending(struct migrations *migrations, PGconn *pg, migration_fn applied,
			  void *arg, struct error *error)
{
	if (!run(pg, &make_schema, error) || !run(pg, &make_table, error) ||
	    !migrations_ask(migrations, pg, error) || !migrations_check(migrations, error))
		return false;
	for (size_t i = (size_t)migrations->database_at; i < migrations->n; i++) {
		if (!apply_one(pg, &migrations->list[i], error))
			return false;
		applied(arg, &migrations->list[i]);
	}
	return run(pg, &reset, error) && extend_partitions(pg, error);
}

bool migrations_apply(struct migrations *migrations, PGconn *pg, migration_fn applied, void *arg,
		      struct error *error)
{
	struct error ignored = { 0 };
	bool ok;

	if (!we_are_the_owner(pg, error) || !run(pg, &lock, error))
		return false;
	ok = apply_pending(migrations, pg, applied, arg, error);
	return run(pg, &unlock, &ignored) && ok;
}
