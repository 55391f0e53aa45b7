/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "memory.h"

#define COLUMNS_MAX 32

/* Types of pg_type.dat. */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_JSON = 114 };
enum { OID_TEXT_ARRAY = 1009, OID_TIMESTAMPTZ = 1184, OID_JSONB = 3802 };

/* ---- text ---- */

static char *text_of(const json_t *value);

static char *copy_of(const char *text)
{
	return memory_or_end(strdup(text));
}

static char *text_of_items(const json_t *array)
{
	char *text = NULL, *part;
	size_t len = 0, i;
	FILE *out = memory_or_end(open_memstream(&text, &len));
	const json_t *item;

	json_array_foreach((json_t *)array, i, item)
	{
		part = text_of(item);
		fprintf(out, "%s%s", i > 0 ? ", " : "", part);
		free(part);
	}
	if (ferror(out) || fclose(out) != 0)
		text = memory_or_end(NULL);
	return text;
}

/* A value as a person reads it; gives to the caller. */
static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return copy_of(json_string_length(value) > 0 ? json_string_value(value) : "-");
	if (json_is_boolean(value))
		return copy_of(json_is_true(value) ? "yes" : "no");
	if (value == NULL || json_is_null(value) ||
	    (json_is_array(value) && json_array_size(value) == 0))
		return copy_of("-");
	if (json_is_array(value))
		return text_of_items(value);
	return memory_or_end(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
}

/* Print a value in @width columns; what could steer a terminal becomes '?'.  Of UTF-8 only the
 * first byte of each character counts for the width. */
static void print_text(const char *text, size_t width, bool pad)
{
	size_t columns = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		putchar((*c < ' ' && *c != '\n') || *c == 0x7f ? '?' : *c);
		if ((*c & 0xc0) != 0x80)
			columns++;
	}
	while (pad && columns++ < width)
		putchar(' ');
}

static size_t text_width(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		if ((*text & 0xc0) != 0x80)
			columns++;
	return columns;
}

static void print_record(const json_t *record)
{
	size_t width = 0;
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)record, key, value) width =
		strlen(key) > width ? strlen(key) : width;
	json_object_foreach((json_t *)record, key, value)
	{
		char *text = text_of(value);

		print_text(key, width + 2, true);
		print_text(text, 0, false);
		putchar('\n');
		free(text);
	}
}

static void print_line(const json_t *row, const size_t width[COLUMNS_MAX], bool head)
{
	const char *key;
	const json_t *value;
	size_t column = 0, columns = json_object_size(row);

	json_object_foreach((json_t *)row, key, value)
	{
		char *text = head ? copy_of(key) : text_of(value);

		if (column < COLUMNS_MAX)
			print_text(text, width[column] + 2, column + 1 < columns);
		free(text);
		column++;
	}
	putchar('\n');
}

static void measure_line(const json_t *row, size_t width[COLUMNS_MAX])
{
	const char *key;
	const json_t *value;
	size_t column = 0;

	json_object_foreach((json_t *)row, key, value)
	{
		char *text = text_of(value);
		size_t wide = text_width(text);

		wide = wide > strlen(key) ? wide : strlen(key);
		if (column < COLUMNS_MAX && wide > width[column])
			width[column] = wide;
		free(text);
		column++;
	}
}

static void print_list(const json_t *rows)
{
	size_t width[COLUMNS_MAX] = { 0 }, i;
	const json_t *row;

	if (json_array_size(rows) == 0) {
		puts("(none)");
		return;
	}
	json_array_foreach((json_t *)rows, i, row) measure_line(row, width);
	print_line(json_array_get(rows, 0), width, true);
	json_array_foreach((json_t *)rows, i, row) print_line(row, width, false);
}

/* ---- both ---- */

static void print_json(FILE *out, const json_t *json)
{
	json_dumpf(json, out, JSON_INDENT(2));
	fputc('\n', out);
}

void output_record(const struct ctl *ctl, const json_t *record)
{
	if (ctl->json)
		print_json(stdout, record);
	else
		print_record(record);
}

void output_list(const struct ctl *ctl, const json_t *rows)
{
	if (ctl->json)
		print_json(stdout, rows);
	else
		print_list(rows);
}

void output_json_line(const json_t *row)
{
	json_dumpf(row, stdout, JSON_COMPACT);
	putchar('\n');
}

void output_line(const struct ctl *ctl, const json_t *row)
{
	const char *key;
	const json_t *value;

	if (ctl->json) {
		output_json_line(row);
		return;
	}
	json_object_foreach((json_t *)row, key, value)
	{
		char *text = text_of(value);

		print_text(text, text_width(text) + 2, true);
		free(text);
	}
	putchar('\n');
}

void output_note(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	if (ctl->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void output_error(const struct ctl *ctl, const struct error *error)
{
	const char *code = error->code != NULL ? error->code : "failed";
	json_auto_t *json = NULL;

	if (!ctl->json) {
		fprintf(stderr, "stipactl: %s\n", error->detail);
		return;
	}
	json = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", error->detail);
	if (json != NULL)
		print_json(stderr, json);
	else
		fprintf(stderr, "{\"error\":{\"code\":\"%s\",\"message\":\"not UTF-8\"}}\n", code);
}

/* ---- rows of the database ---- */

/* "2026-01-02 03:04:05.678+00" as the session's UTC writes it → "2026-01-02T03:04:05.678Z". */
static json_t *json_from_time(const char *text)
{
	char time[64];
	size_t len = strlen(text);

	if (len < 13 || len >= sizeof(time) || strcmp(text + len - 3, "+00") != 0)
		return json_string(text); /* infinity, or before Christ */
	memcpy(time, text, len - 3);
	time[10] = 'T';
	time[len - 3] = 'Z';
	return json_stringn(time, len - 2);
}

/* One dimension, as array_out writes it: {a,"b c",NULL}. */
static json_t *json_from_array(const char *text)
{
	json_t *array = json_array();
	const char *p = text + (*text == '{');

	while (*p != '\0' && *p != '}') {
		char item[512];
		size_t len = 0;
		bool quoted = *p == '"';

		p += quoted;
		while (*p != '\0' && *p != (quoted ? '"' : ',') && (quoted || *p != '}')) {
			p += quoted && *p == '\\';
			if (len < sizeof(item))
				item[len++] = *p;
			p++;
		}
		p += quoted && *p == '"';
		p += *p == ',';
		json_array_append_new(array, json_stringn_nocheck(item, len));
	}
	return array;
}

static json_t *json_from_field(const PGresult *result, int row, int column)
{
	const char *text = PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column))
		return json_null();
	switch (PQftype(result, column)) {
	case OID_BOOL:
		return json_boolean(text[0] == 't');
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return json_integer(strtoll(text, NULL, 10));
	case OID_JSON:
	case OID_JSONB:
		return json_loads(text, JSON_DECODE_ANY, NULL);
	case OID_TIMESTAMPTZ:
		return json_from_time(text);
	case OID_TEXT_ARRAY:
		return json_from_array(text);
	default:
		return json_string(text);
	}
}

json_t *rows_from_result(const PGresult *result)
{
	json_t *rows = json_array();

	for (int row = 0; row < PQntuples(result); row++) {
		json_t *object = json_object();

		for (int column = 0; column < PQnfields(result); column++)
			json_object_set_new(object, PQfname(result, column),
					    json_from_field(result, row, column));
		json_array_append_new(rows, object);
	}
	return rows;
}
