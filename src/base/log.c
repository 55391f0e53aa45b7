/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* No longer than what a pipe takes in one piece: lines of several processes do not mix. */
#define LINE_SIZE PIPE_BUF
static const char line_end[] = "}\n";
static const char line_end_cut[] = ",\"cut\":true}\n";
#define LINE_ROOM (LINE_SIZE - sizeof(line_end_cut) + 1) /* the end always fits */

struct line {
	size_t len;
	char text[LINE_SIZE];
};

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static bool put(struct line *line, const char *text, size_t len)
{
	if (len > LINE_ROOM - line->len)
		return false;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	return true;
}

/* One byte of a value.  Only printable ASCII stands as it is: a reader's terminal sees no
 * escape sequence, no line end and no writing direction that a client chose. */
static bool put_escaped(struct line *line, unsigned char c)
{
	char text[8] = { (char)c };

	if (c == '"' || c == '\\')
		return put(line, (const char[]){ '\\', (char)c }, 2);
	if (c >= 0x20 && c < 0x7f)
		return put(line, text, 1);
	snprintf(text, sizeof(text), "\\u%04x", c);
	return put(line, text, 6);
}

static bool put_string(struct line *line, const char *text)
{
	size_t len = strnlen(text, LOG_VALUE_MAX + 1);
	bool cut = len > LOG_VALUE_MAX;
	bool ok = put(line, "\"", 1);

	for (size_t i = 0; ok && i < (cut ? LOG_VALUE_MAX : len); i++)
		ok = put_escaped(line, (unsigned char)text[i]);
	return ok && (!cut || put(line, "...", 3)) && put(line, "\"", 1);
}

static bool put_number(struct line *line, int64_t number)
{
	char text[24];

	return put(line, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, number));
}

static bool put_name(struct line *line, const char *name)
{
	return put(line, ",", 1) && put_string(line, name) && put(line, ":", 1);
}

/* A field stands whole or not at all. */
static bool put_field(struct line *line, const struct log_field *field)
{
	size_t before = line->len;
	bool ok = put_name(line, field->name) && (field->is_number ? put_number(line, field->number)
								   : put_string(line, field->text));

	if (!ok)
		line->len = before;
	return ok;
}

/* The date of a day since 1970, by years that begin in March: then a leap day is the last of its
 * year, and the months before it have 153 days in five. */
static void put_date(struct line *line, int64_t day)
{
	int64_t since = day + 719468; /* 1 March of the year 0 */
	int64_t era = since / 146097; /* of 400 years */
	int64_t of_era = since % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0: March */
	char text[24];

	put(line, text,
	    (size_t)snprintf(text, sizeof(text), "%04d-%02d-%02d",
			     (int)(era * 400 + year + (month >= 10)),
			     (int)(month >= 10 ? month - 9 : month + 3),
			     (int)(of_year - (153 * month + 2) / 5 + 1)));
}

/* gmtime(3) would take a lock, and a signal's handler may hold it already. */
static void put_time(struct line *line)
{
	int64_t ms = clock_unix_us() / 1000;
	int second = (int)(ms / 1000 % 86400);
	char text[24];

	put(line, "{\"time\":\"", strlen("{\"time\":\""));
	put_date(line, ms / 86400000);
	put(line, text,
	    (size_t)snprintf(text, sizeof(text), "T%02d:%02d:%02d.%03dZ\"", second / 3600,
			     second / 60 % 60, second % 60, (int)(ms % 1000)));
}

static void write_line(const struct log *log, const struct line *line)
{
	ssize_t written;

	do
		written = write(log->fd, line->text, line->len);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)line->len && log->dropped != NULL)
		atomic_fetch_add_explicit(log->dropped, 1, memory_order_relaxed);
}

void log_write(const struct log *log, enum log_level level, const char *message,
	       const struct log_field *fields)
{
	struct line line = { 0 };
	int saved = errno;
	bool whole = true;

	if (level < log->least)
		return;
	put_time(&line);
	put_field(&line, &LOG_TEXT("level", level_names[level]));
	put_field(&line, &LOG_TEXT("process", log->process));
	put_field(&line, &LOG_NUMBER("pid", getpid()));
	put_field(&line, &LOG_TEXT("message", message));
	for (; fields->name != NULL; fields++)
		if (fields->is_number || fields->text != NULL)
			whole &= put_field(&line, fields);

	memcpy(line.text + line.len, whole ? line_end : line_end_cut,
	       whole ? sizeof(line_end) - 1 : sizeof(line_end_cut) - 1);
	line.len += whole ? sizeof(line_end) - 1 : sizeof(line_end_cut) - 1;
	write_line(log, &line);
	errno = saved;
}
