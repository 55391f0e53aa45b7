/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one JSON object a line, for the operator and the programs that read after him.
 *
 * A line has "time" (UTC, RFC 3339, ms), "level", "process", "pid", "message" and the fields
 * that the caller names.  A message is a short fixed sentence; what varies is a field.  Values
 * are escaped (control and non-ASCII bytes as \u00XX) and cut at LOG_VALUE_MAX, so nothing that
 * a client sent can forge a line.  Never pass a secret, a token or an Authorization value.
 * A line is written with one write(2); a failed write is dropped and counted, and never blocks
 * the caller for longer than the descriptor does.  No lock is taken and no memory: a handler of
 * signals may log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#define LOG_VALUE_MAX 256

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log {
	int fd;			   /* where lines go; 2 as a rule */
	enum log_level least;	   /* below it nothing is written */
	char process[16];	   /* "monitor", "edge-1", "authority" */
	_Atomic uint64_t *dropped; /* counts the lines that could not be written; or NULL */
};

/* One field: text when @text is not NULL, else a number.  A NULL name ends a list, a text field
 * with NULL text is left out. */
struct log_field {
	const char *name;
	const char *text;
	int64_t number;
	int is_number;
};

#define LOG_TEXT(field, value) ((struct log_field){ .name = (field), .text = (value) })
#define LOG_NUMBER(field, value)                                                                   \
	((struct log_field){ .name = (field), .number = (value), .is_number = 1 })

/* log_info(log, "token issued", LOG_TEXT("request", id), LOG_NUMBER("exp", exp)); */
#define log_debug(log, ...)   log_line_((log), LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(log, ...)    log_line_((log), LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(log, ...) log_line_((log), LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(log, ...)   log_line_((log), LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_line_(log, level, message, ...)                                                        \
	log_write((log), (level), (message),                                                       \
		  (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

void log_write(const struct log *log, enum log_level level, const char *message,
	       const struct log_field *fields);

#endif
