/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output: the same rows as text for people or as JSON for scripts.  A row is a JSON object; its
 * keys are the columns and keep their order.
 */
#ifndef STIPACTL_OUTPUT_H
#define STIPACTL_OUTPUT_H

#include <jansson.h>
#include <libpq-fe.h>

#include "base/error.h"

struct ctl;

/* One thing: "key  value" lines, or an object. */
void output_record(const struct ctl *ctl, const json_t *record);
/* Many alike: a table with a head, or an array.  Text of an empty list: "(none)". */
void output_list(const struct ctl *ctl, const json_t *rows);
/* One of many that come one by one: a line of values, or of JSON. */
void output_line(const struct ctl *ctl, const json_t *row);
void output_json_line(const json_t *row);
/* A sentence that a person needs and a script does not: text only, on standard output. */
void output_note(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The error, on standard error. */
void output_error(const struct ctl *ctl, const struct error *error);

/* An array with one object for each row.  Column names become keys; booleans, integers and JSON
 * keep their type, times become RFC 3339 in UTC, arrays of text become arrays.  Gives to the
 * caller. */
json_t *rows_from_result(const PGresult *result);

#endif
