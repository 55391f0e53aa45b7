/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in PostgreSQL's binary form: arrays and times as parameters, columns of a result.
 *
 * An array is written value by value:
 *
 *	db_array_begin(&array, DB_TYPE_TEXT, n);
 *	for (…) db_array_add(&array, text, strlen(text));
 *	if (!db_array_bind(&array, &call, 3, &error)) …
 */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "db/pipeline.h"

/* The numbers of the types in pg_type; they never change. */
enum db_type {
	DB_TYPE_BOOL = 16,
	DB_TYPE_BYTEA = 17,
	DB_TYPE_INT8 = 20,
	DB_TYPE_INT2 = 21,
	DB_TYPE_TEXT = 25,
	DB_TYPE_UUID = 2950,
};

#define DB_TIME_LEN 8

/* One dimension, no NULLs.  Zeroed is empty; the memory is kept from one begin to the next. */
struct db_array {
	uint8_t *bytes;
	size_t len, size;
	int want; /* values that are still to come */
	bool failed;
};

void db_array_begin(struct db_array *array, enum db_type type, int n);
void db_array_add(struct db_array *array, const void *value, size_t len);
void db_array_add_bool(struct db_array *array, bool value);
void db_array_add_int2(struct db_array *array, int16_t value);
void db_array_add_int8(struct db_array *array, int64_t value);

/* Make the array parameter @index (from 0) of @call, which borrows it until it is sent.
 * ERROR_UNAVAILABLE: no memory; ERROR_INTERNAL: not the number of values that was announced. */
bool db_array_bind(const struct db_array *array, struct db_call *call, int index,
		   struct error *error) MUST_CHECK;
void db_array_clear(struct db_array *array);

/* timestamptz of a Unix time. */
void db_time_encode(int64_t unix_us, uint8_t bytes[DB_TIME_LEN]);

/* Parameter @index of @call; the value is borrowed until the call is sent. */
void db_bind_text(struct db_call *call, int index, const char *text);
void db_bind_bytes(struct db_call *call, int index, const void *bytes, size_t len);

/* An int2, int4 or int8 of a binary result.  ERROR_INTERNAL when it is NULL or of another size. */
bool db_int(const PGresult *result, int row, int column, int64_t *value,
	    struct error *error) MUST_CHECK;

/* A text of a result, which owns it; NULL when it is NULL. */
const char *db_text(const PGresult *result, int row, int column);

#endif
