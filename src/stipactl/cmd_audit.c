/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: reading it, taking a copy, and judging whether a chain or a copy is whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act.h"
#include "audit_walk.h"

#define TAIL_DEFAULT   "20"
#define FOLLOW_SECONDS 1

/* ---- audit tail ---- */

static long long last_number(const json_t *rows, long long otherwise)
{
	size_t n = json_array_size(rows);

	return n == 0 ? otherwise
		      : json_integer_value(json_object_get(json_array_get(rows, n - 1), "id"));
}

/* The hashes are for scripts. */
static void drop_hashes(json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		json_object_del(row, "previous");
		json_object_del(row, "hash");
	}
}

static bool write_lines(const struct ctl *ctl, const json_t *rows, struct error *error)
{
	size_t i;
	const json_t *row;

	json_array_foreach((json_t *)rows, i, row) output_line(ctl, row);
	return fflush(stdout) == 0 ||
	       error_set(error, ERROR_INVALID, "standard output: %s", strerror(errno));
}

/* Until somebody ends us, or nobody reads any more. */
static bool follow(struct ctl *ctl, json_t *rows, struct error *error)
{
	const struct audit_filter all = { 0 };
	long long last = last_number(rows, 0);

	for (bool ok = write_lines(ctl, rows, error); ok; ok = write_lines(ctl, rows, error)) {
		PGresult_auto *page = NULL;
		json_auto_t *more = NULL;

		sleep(FOLLOW_SECONDS);
		page = audit_page(ctl->pg, last, &all, error);
		if (page == NULL)
			return false;
		more = rows_from_result(page);
		json_array_clear(rows);
		json_array_extend(rows, more);
		if (!ctl->json)
			drop_hashes(rows);
		last = last_number(rows, last);
	}
	return false;
}

static bool tail(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = audit_tail(ctl->pg, ctl_value_or(ctl, "-n", TAIL_DEFAULT), error);
	json_auto_t *rows = shown != NULL ? rows_from_result(shown) : NULL;

	if (rows == NULL)
		return false;
	if (!ctl->json)
		drop_hashes(rows);
	if (ctl_value(ctl, "--follow") != NULL)
		return follow(ctl, rows, error);
	output_list(ctl, rows);
	return true;
}

/* ---- audit export ---- */

static bool on_event(void *arg, const json_t *event, struct error *error)
{
	(void)arg;
	(void)error;
	output_json_line(event);
	return true;
}

static bool export(struct ctl *ctl, struct error *error)
{
	char since[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
	const struct audit_filter filter = {
		.since = ctl_time(ctl, "--since", WHEN_BACK, since),
		.until = ctl_time(ctl, "--until", WHEN_BACK, until),
	};

	return audit_each(ctl->pg, &filter, on_event, NULL, error) &&
	       (fflush(stdout) == 0 ||
		error_set(error, ERROR_INVALID, "standard output: %s", strerror(errno)));
}

/* ---- audit verify ---- */

static bool verify_lines(FILE *file, struct audit_chain *chain, struct error *error)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool ok = true;

	while (ok && (len = getline(&line, &size, file)) > 0) {
		json_auto_t *event = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES, NULL);

		ok = audit_take(chain, event, error);
	}
	free(line);
	return ok && (!ferror(file) || error_set(error, ERROR_INVALID, "%s", strerror(errno)));
}

static bool verify_file(const char *path, struct audit_chain *chain, struct error *error)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	bool ok;

	if (file == NULL)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	ok = verify_lines(file, chain, error);
	if (!is_stdin)
		fclose(file);
	return ok || error_context(error, "%s", path);
}

static bool verify(struct ctl *ctl, struct error *error)
{
	const char *path = ctl_value(ctl, "FILE");
	struct audit_chain chain = {
		.expected = ctl_value(ctl, "--head"),
		.is_part = path != NULL,
	};
	char head[2 * SHA256_LEN + 1];
	json_auto_t *record = NULL;

	if (path == NULL && (!ctl_settings(ctl, error) || !ctl_connect(ctl, NEEDS_DATABASE, error)))
		return false;
	if (!(path != NULL ? verify_file(path, &chain, error)
			   : audit_walk(ctl->pg, &chain, error)) ||
	    !audit_chain_end(&chain, error))
		return false;
	if (chain.first == 0)
		return error_set_code(error, ERROR_CONFLICT, AUDIT_BROKEN, "there is no event");
	audit_chain_head(&chain, head);
	record = json_pack("{s:b,s:I,s:I,s:I,s:s}", "whole", 1, "events",
			   (json_int_t)(chain.last - chain.first + 1), "first",
			   (json_int_t)chain.first, "last", (json_int_t)chain.last, "head", head);
	output_record(ctl, record);
	return true;
}

/* ---- the table ---- */

static bool check_hash(const char *text, struct error *error)
{
	return (strlen(text) == 2 * SHA256_LEN &&
		strspn(text, "0123456789abcdefABCDEF") == 2 * SHA256_LEN) ||
	       error_set(error, ERROR_INVALID, "want a hash: 64 hexadecimals");
}

/* clang-format off */
static const struct param tail_params[] = {
	{ "-n", "N", 0, check_number, "so many [" TAIL_DEFAULT "]" },
	{ "--follow", NULL, 0, NULL, "go on with what is added; a line for each event" },
	{ 0 },
};
static const struct param verify_params[] = {
	{ "FILE", NULL, 0, NULL, "what 'audit export' wrote, or '-' [the database]" },
	{ "--head", "HASH", 0, check_hash, "a hash noted before, which an event must have" },
	{ 0 },
};
static const struct param export_params[] = {
	{ "--since", "TIME", 0, check_time_back, "only from then on; 12h means 12 hours ago" },
	{ "--until", "TIME", 0, check_time_back, "only before" },
	{ 0 },
};

const struct command audit_commands[] = {
	{ "audit", "tail", NEEDS_DATABASE, tail, "show the last events", tail_params },
	{ "audit", "verify", NEEDS_NOTHING, verify, "is the chain of events whole?",
	  verify_params },
	{ "audit", "export", NEEDS_DATABASE, export, "write the events as JSON lines",
	  export_params },
	{ 0 },
};
/* clang-format on */
