/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the database: what it is, and bringing it up to date. */
#include "command.h"
#include "db/migrate.h"
#include "db/query.h"
#include "output.h"
#include "registry/upkeep.h"

static const char *folder_of(const struct ctl *ctl, const char *option)
{
	if (option != NULL)
		return option;
	return ctl->settings.migrations != NULL ? ctl->settings.migrations : MIGRATIONS_DIR;
}

static const char *state_of(const struct migration *migration)
{
	if (migration->is_changed)
		return "changed";
	return migration->is_applied ? "applied" : "pending";
}

static json_t *row_of(const struct migration *migration, const char *state)
{
	return json_pack("{s:i,s:s,s:s,s:o}", "number", migration->number, "name", migration->name,
			 "state", state, "applied_at",
			 migration->applied_at[0] != '\0' ? json_string(migration->applied_at)
							  : json_null());
}

static struct migrations *read_and_ask(struct ctl *ctl, struct error *error)
{
	struct migrations *migrations =
		migrations_read(folder_of(ctl, ctl_value(ctl, "--migrations")), error);

	if (migrations != NULL && migrations_ask(migrations, ctl->pg, error))
		return migrations;
	migrations_free(migrations);
	return NULL;
}

static bool status(struct ctl *ctl, struct error *error)
{
	struct migrations *migrations = read_and_ask(ctl, error);
	json_auto_t *rows = json_array();
	bool ok;

	if (migrations == NULL)
		return false;
	for (size_t i = 0; i < migrations->n; i++)
		json_array_append_new(rows,
				      row_of(&migrations->list[i], state_of(&migrations->list[i])));
	output_list(ctl, rows);
	ok = migrations_check(migrations, error);
	migrations_free(migrations);
	return ok;
}

static void on_applied(void *arg, const struct migration *migration)
{
	json_array_append_new(arg, row_of(migration, "applied"));
}

static bool show_done(struct ctl *ctl, const json_t *rows, const char *nothing)
{
	if (json_array_size(rows) == 0 && !ctl->json)
		output_note(ctl, "%s", nothing);
	else
		output_list(ctl, rows);
	return true;
}

static bool dry_run(struct ctl *ctl, struct error *error)
{
	struct migrations *migrations = read_and_ask(ctl, error);
	json_auto_t *rows = json_array();
	bool ok = migrations != NULL && migrations_check(migrations, error);

	for (size_t i = 0; ok && i < migrations->n; i++)
		if (!migrations->list[i].is_applied)
			json_array_append_new(rows, row_of(&migrations->list[i], "pending"));
	migrations_free(migrations);
	return ok && show_done(ctl, rows, "nothing to do: the schema is up to date");
}

static bool apply(struct ctl *ctl, struct error *error)
{
	const char *folder = folder_of(ctl, ctl_value(ctl, "--migrations"));
	struct migrations *migrations = migrations_read(folder, error);
	json_auto_t *rows = json_array();
	bool ok = migrations != NULL &&
		  migrations_apply(migrations, ctl->pg, on_applied, rows, error);

	migrations_free(migrations);
	if (!ok && json_array_size(rows) > 0)
		output_list(ctl, rows); /* these are done all the same */
	return ok && show_done(ctl, rows, "nothing to do: the schema is up to date");
}

static bool migrate(struct ctl *ctl, struct error *error)
{
	return ctl_value(ctl, "--dry-run") != NULL ? dry_run(ctl, error) : apply(ctl, error);
}

static bool partitions(struct ctl *ctl, struct error *error)
{
	PGresult_auto *done = partitions_extend(ctl->pg, error);
	PGresult_auto *list = done != NULL ? partitions_list(ctl->pg, error) : NULL;
	json_auto_t *rows = NULL;

	if (list == NULL)
		return false;
	rows = rows_from_result(list);
	output_list(ctl, rows);
	return true;
}

#define MIGRATIONS_PARAM                                                                           \
	{                                                                                          \
		"--migrations", "DIR", 0, NULL, "folder of the migrations"                         \
	}

static const struct param migrate_params[] = {
	{ "--dry-run", NULL, 0, NULL, "only say what would be applied" },
	MIGRATIONS_PARAM,
	{ 0 },
};

static const struct param status_params[] = {
	MIGRATIONS_PARAM,
	{ 0 },
};

const struct command db_commands[] = {
	{ "db", "migrate", NEEDS_OWNER, migrate, "bring the schema up to date", migrate_params },
	{ "db", "status", NEEDS_OWNER, status, "list the migrations and their state",
	  status_params },
	{ "db", "partitions", NEEDS_OWNER, partitions, "make and list the ledger's partitions",
	  NULL },
	{ 0 },
};
