/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of what stipactl prints fails, in a process of its own: it prints what it prints
 * with memory, or it ends with a line that says why; never a part of it as if that were all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <libpq-fe.h>

#include "../../../src/stipactl/command.h"
#include "../../../src/stipactl/memory.h"
#include "../../../src/stipactl/output.h"
#include "../suite.h"
#include "failing.h"

#define SOME_FAILED 0
#define NONE_LEFT   77

/* ---- what is printed ---- */

static PGresult *result;

static void make_result(void)
{
	static const struct {
		const char *name, *value;
		Oid type;
	} columns[] = {
		{ "account", "sp-a", 25 },
		{ "active", "t", 16 },
		{ "tokens", "1234567890123", 20 },
		{ "facts", "{\"a\": [1, {\"b\": \"c\"}]}", 3802 },
		{ "since", "2026-01-02 03:04:05.678+00", 1184 },
		{ "codes", "{1001,\"1 2\",1003}", 1009 },
		{ "until", NULL, 25 },
	};
	enum { N = sizeof(columns) / sizeof(columns[0]) };
	PGresAttDesc attributes[N] = { { 0 } };

	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	for (int i = 0; i < N; i++) {
		attributes[i].name = (char *)columns[i].name;
		attributes[i].typid = columns[i].type;
	}
	PQsetResultAttrs(result, N, attributes);
	for (int row = 0; row < 2; row++)
		for (int i = 0; i < N; i++)
			PQsetvalue(result, row, i, (char *)columns[i].value,
				   columns[i].value == NULL ? -1 : (int)strlen(columns[i].value));
}

static void print_all(const struct ctl *ctl)
{
	json_auto_t *rows = rows_from_result(result);
	struct error error = { 0 };

	output_list(ctl, rows);
	output_record(ctl, json_array_get(rows, 1));
	output_line(ctl, json_array_get(rows, 0));
	error_set(&error, ERROR_CONFLICT, "not so");
	output_error(ctl, &error);
}

/* ---- a process for each allocation ---- */

struct told {
	int status; /* as waitpid() gives it */
	char out[8192], err[512];
};

static void read_all(FILE *file, char *text, size_t size)
{
	size_t len;

	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void child(const struct ctl *ctl, FILE *out, FILE *err, long first, enum failing how)
{
	if (dup2(fileno(out), STDOUT_FILENO) < 0 || dup2(fileno(err), STDERR_FILENO) < 0)
		_exit(99);
	failing_start(first, how);
	print_all(ctl);
	failing_stop();
	fflush(stdout);
	_exit(failing_count() == 0 ? NONE_LEFT : SOME_FAILED);
}

static struct told print_without(const struct ctl *ctl, long first, enum failing how)
{
	FILE *out = tmpfile(), *err = tmpfile();
	struct told told = { 0 };
	pid_t pid;

	CU_ASSERT_FATAL(out != NULL && err != NULL);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(ctl, out, err, first, how);
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &told.status, 0), pid);
	read_all(out, told.out, sizeof(told.out));
	read_all(err, told.err, sizeof(told.err));
	return told;
}

static bool is_whole(const struct told *told, const struct told *whole)
{
	return WIFEXITED(told->status) && WEXITSTATUS(told->status) != EXIT_FAILURE &&
	       strcmp(told->out, whole->out) == 0 && strcmp(told->err, whole->err) == 0;
}

static bool has_ended(const struct told *told)
{
	return WIFEXITED(told->status) && WEXITSTATUS(told->status) == EXIT_FAILURE &&
	       strstr(told->err, "out of memory") != NULL;
}

/* How many allocations there were, and after how many of their failures all was right. */
static void torture_output(bool json, enum failing how, long *allocations, long *right)
{
	const struct ctl ctl = { .json = json };
	struct told whole = print_without(&ctl, 0, how), told;

	CU_ASSERT(strlen(whole.out) > 400 && strlen(whole.out) < sizeof(whole.out) - 1);
	*allocations = *right = 0;
	for (long at = 1;; at++) {
		told = print_without(&ctl, at, how);
		if (WIFEXITED(told.status) && WEXITSTATUS(told.status) == NONE_LEFT)
			break;
		++*allocations;
		*right += is_whole(&told, &whole) || has_ended(&told);
	}
	printf("\n  %s: %ld allocations fail, %ld times all is right", json ? "JSON" : "text",
	       *allocations, *right);
}

static void test_output_is_whole_or_the_program_ends(void)
{
	long allocations, right;

	memory_of_json();
	for (enum failing how = FAILING_ONE; how <= FAILING_ONWARD; how++) {
		for (int json = 0; json <= 1; json++) {
			torture_output(json, how, &allocations, &right);
			CU_ASSERT(allocations > 50);
			CU_ASSERT_EQUAL(right, allocations);
		}
	}
}

static void test_a_part_of_it_is_noticed(void)
{
	long allocations, right;

	CU_ASSERT_TRUE(failing_set_hooks()); /* jansson's are the plain ones again */
	torture_output(true, FAILING_ONE, &allocations, &right);
	CU_ASSERT(right < allocations);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "output is whole, or the program ends",
		  test_output_is_whole_or_the_program_ends },
		{ "control: a part of it is noticed", test_a_part_of_it_is_noticed },
		CU_TEST_INFO_NULL,
	};

	if (!failing_set_hooks())
		return 1;
	make_result();
	return run_suite("allocations of stipactl's output", tests);
}
