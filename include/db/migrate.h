/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: NNNN_name.sql files, numbered from 1 without a gap, forward only.
 *
 * Each runs once, in a transaction of its own that also records it in stipa_migration.migration
 * (number, name, sha256 of the file's bytes, applied_at).  A file that changed after it ran, and a
 * database that is ahead of the files, are refused.  Only stipa_owner may migrate.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/digest.h"

#define MIGRATION_NAME_MAX 63

struct migration {
	int number;
	char name[MIGRATION_NAME_MAX + 1]; /* of the file, without number and .sql */
	char *sql;
	uint8_t sha256[SHA256_LEN];
	bool is_applied, is_changed; /* after migrations_compare() */
	char applied_at[40];	     /* RFC 3339, or empty */
};

struct migrations {
	size_t n;
	struct migration *list; /* list[i].number is i + 1 */
	int database_at;	/* the last number that the database has */
};

/* ERROR_INVALID: a name that is no NNNN_name.sql, a gap, a number twice, an empty folder. */
struct migrations *migrations_read(const char *folder, struct error *error) MUST_CHECK;
void migrations_free(struct migrations *migrations);

/* Ask the database what it has; it changes nothing. */
bool migrations_ask(struct migrations *migrations, PGconn *pg, struct error *error) MUST_CHECK;
/* After asking: ERROR_CONFLICT when a file changed or the database is ahead; says what to do. */
bool migrations_check(const struct migrations *migrations, struct error *error) MUST_CHECK;

typedef void (*migration_fn)(void *arg, const struct migration *migration);

/* Wait for other migrators, ask, check, then apply what is missing and make the ledger's
 * partitions.  @applied runs after each commit.  The first failure ends it; what was applied
 * before stays. */
bool migrations_apply(struct migrations *migrations, PGconn *pg, migration_fn applied, void *arg,
		      struct error *error) MUST_CHECK;

#endif
