/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "../suite.h"
#include "base/clock.h"
#include "base/log.h"

/* What one call writes comes back as a JSON object; the line itself stands in @line. */
static struct log pipe_log = { .least = LOG_LEVEL_INFO, .process = "test" };
static int reader;
static char line[8192];

static json_t *read_line(void)
{
	ssize_t n = read(reader, line, sizeof(line) - 1);
	char *end;

	if (n <= 0)
		return NULL;
	line[n] = '\0';
	end = strchr(line, '\n');
	CU_ASSERT_PTR_EQUAL(end, line + n - 1); /* one line end, and it is last */
	return json_loads(line, JSON_REJECT_DUPLICATES, NULL);
}

static const char *text_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "(none)" : text;
}

static void test_a_line_says_when_who_and_what(void)
{
	json_t *object;
	const char *time;

	log_info(&pipe_log, "token issued", LOG_TEXT("request", "r1"), LOG_NUMBER("exp", -7),
		 LOG_TEXT("client", NULL));
	object = read_line();
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	time = text_of(object, "time");
	CU_ASSERT_EQUAL(strlen(time), strlen("2026-11-21T08:00:00.000Z"));
	CU_ASSERT_EQUAL(time[10], 'T');
	CU_ASSERT_EQUAL(time[23], 'Z');
	CU_ASSERT_STRING_EQUAL(text_of(object, "level"), "info");
	CU_ASSERT_STRING_EQUAL(text_of(object, "process"), "test");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(object, "pid")), getpid());
	CU_ASSERT_STRING_EQUAL(text_of(object, "message"), "token issued");
	CU_ASSERT_STRING_EQUAL(text_of(object, "request"), "r1");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(object, "exp")), -7);
	CU_ASSERT_EQUAL(json_object_size(object), 7);
	json_decref(object);
}

/* In place of base/clock. */
static int64_t now_us;

int64_t clock_unix_us(void)
{
	return now_us;
}

/* The C library's own date, of every 23 hours from 1970 on, beyond the leap day of 2096. */
static void test_the_time_is_that_of_the_clock(void)
{
	for (time_t second = 0; second < 4000000000; second += 23 * 3600 + 61) {
		char expected[48];
		struct tm tm;
		json_t *object;

		now_us = second * INT64_C(1000000) + 7999;
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.007Z",
			 gmtime_r(&second, &tm));
		log_info(&pipe_log, "tick");
		object = read_line();
		if (strcmp(text_of(object, "time"), expected) != 0)
			CU_FAIL_FATAL("another time");
		json_decref(object);
	}
}

static const struct {
	const char *name;
	const char *value;
	const char *written;
} escapes[] = {
	{ "quotes", "a\"b\\c", "a\\\"b\\\\c" },
	{ "a forged line", "x\"}\r\n{\"a\":\"", "x\\\"}\\u000d\\u000a{\\\"a\\\":\\\"" },
	{ "control bytes", "\t\x01\x7f", "\\u0009\\u0001\\u007f" },
	{ "a terminal's escape", "\x1b[31m", "\\u001b[31m" },
	{ "right-to-left override",
	  "a\xe2\x80\xae"
	  "b",
	  "a\\u00e2\\u0080\\u00aeb" },
	{ "C1 control",
	  "\x9b"
	  "2J",
	  "\\u009b2J" },
	{ "broken UTF-8", "\xc3", "\\u00c3" },
};

static void test_values_are_escaped(void)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		char wanted[128];
		json_t *object;

		log_error(&pipe_log, "m", LOG_TEXT("v", escapes[i].value));
		object = read_line();
		CU_ASSERT_PTR_NOT_NULL(object);
		snprintf(wanted, sizeof(wanted), ",\"v\":\"%s\"}\n", escapes[i].written);
		if (strstr(line, wanted) == NULL)
			printf("\n    %s: %s", escapes[i].name, line);
		CU_ASSERT_PTR_NOT_NULL(strstr(line, wanted));
		json_decref(object);
	}
}

static void test_names_and_messages_are_escaped_too(void)
{
	json_t *object;

	log_error(&pipe_log, "a\nb", LOG_TEXT("n\"", "v"));
	object = read_line();
	CU_ASSERT_STRING_EQUAL(text_of(object, "message"), "a\nb");
	CU_ASSERT_STRING_EQUAL(text_of(object, "n\""), "v");
	json_decref(object);
}

static void test_a_long_value_is_cut(void)
{
	char value[LOG_VALUE_MAX + 2] = "";
	json_t *object;

	memset(value, 'x', LOG_VALUE_MAX);
	log_info(&pipe_log, "m", LOG_TEXT("v", value));
	object = read_line();
	CU_ASSERT_STRING_EQUAL(text_of(object, "v"), value);
	json_decref(object);

	value[LOG_VALUE_MAX] = 'x';
	log_info(&pipe_log, "m", LOG_TEXT("v", value));
	object = read_line();
	CU_ASSERT_EQUAL(strlen(text_of(object, "v")), LOG_VALUE_MAX + 3);
	json_decref(object);
}

static void test_a_line_without_room_is_still_json(void)
{
	char value[LOG_VALUE_MAX + 1] = "";
	json_t *object;

	memset(value, 1, LOG_VALUE_MAX);
	log_info(&pipe_log, "m", LOG_TEXT("a", value), LOG_TEXT("b", value), LOG_TEXT("c", value),
		 LOG_NUMBER("d", 1));
	object = read_line();
	CU_ASSERT_PTR_NOT_NULL(object);
	CU_ASSERT_TRUE(strlen(line) <= 4096);
	CU_ASSERT_TRUE(json_is_true(json_object_get(object, "cut")));
	CU_ASSERT_STRING_EQUAL(text_of(object, "a"), value);
	CU_ASSERT_PTR_NULL(json_object_get(object, "c"));
	json_decref(object);
}

static void test_below_the_least_level_nothing_is_written(void)
{
	json_t *object;

	log_debug(&pipe_log, "not written");
	log_warning(&pipe_log, "written");
	object = read_line();
	CU_ASSERT_STRING_EQUAL(text_of(object, "level"), "warning");
	json_decref(object);
}

static void test_a_failed_write_harms_nobody(void)
{
	_Atomic uint64_t dropped = 0;
	const struct log closed = { .fd = -1, .dropped = &dropped };
	const struct log picky = { .fd = -1, .least = LOG_LEVEL_INFO, .dropped = &dropped };

	errno = ENOENT;
	log_error(&closed, "m");
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(dropped, 1);
	log_debug(&picky, "below the least level");
	CU_ASSERT_EQUAL(dropped, 1);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a line says when, who and what", test_a_line_says_when_who_and_what },
		{ "the time is that of the clock", test_the_time_is_that_of_the_clock },
		{ "values are escaped", test_values_are_escaped },
		{ "names and messages are escaped too", test_names_and_messages_are_escaped_too },
		{ "a long value is cut", test_a_long_value_is_cut },
		{ "a line without room is still JSON", test_a_line_without_room_is_still_json },
		{ "below the least level nothing is written",
		  test_below_the_least_level_nothing_is_written },
		{ "a failed write harms nobody", test_a_failed_write_harms_nobody },
		CU_TEST_INFO_NULL,
	};
	int fds[2];

	if (pipe(fds) != 0)
		return 1;
	reader = fds[0];
	pipe_log.fd = fds[1];
	return run_suite("log", tests);
}
