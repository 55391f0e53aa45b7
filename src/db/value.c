/* SPDX-License-Identifier: Apache-2.0 */
#include "db/value.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_US (946684800 * INT64_C(1000000)) /* 2000-01-01, from which PostgreSQL counts */

static bool has_room(struct db_array *array, size_t more)
{
	size_t size = array->size < 1024 ? 1024 : array->size;
	uint8_t *bytes;

	if (array->failed)
		return false;
	while (size < array->len + more)
		size *= 2;
	if (size == array->size)
		return true;
	bytes = realloc(array->bytes, size);
	if (bytes == NULL) {
		array->failed = true;
		return false;
	}
	array->bytes = bytes;
	array->size = size;
	return true;
}

static void append(struct db_array *array, const void *bytes, size_t len)
{
	if (!has_room(array, len))
		return;
	if (len > 0)
		memcpy(array->bytes + array->len, bytes, len);
	array->len += len;
}

static void append_int4(struct db_array *array, uint32_t value)
{
	const uint32_t big = htobe32(value);

	append(array, &big, sizeof(big));
}

/* array_recv() of src/backend/utils/adt/arrayfuncs.c: dimensions, whether there are NULLs, type;
 * for each dimension its size and first index; for each value its length and bytes. */
void db_array_begin(struct db_array *array, enum db_type type, int n)
{
	array->len = 0;
	array->failed = false;
	array->want = n;
	append_int4(array, n == 0 ? 0 : 1);
	append_int4(array, 0);
	append_int4(array, (uint32_t)type);
	if (n == 0)
		return;
	append_int4(array, (uint32_t)n);
	append_int4(array, 1);
}

void db_array_add(struct db_array *array, const void *value, size_t len)
{
	append_int4(array, (uint32_t)len);
	append(array, value, len);
	array->want--;
}

void db_array_add_bool(struct db_array *array, bool value)
{
	const uint8_t byte = value ? 1 : 0;

	db_array_add(array, &byte, sizeof(byte));
}

void db_array_add_int2(struct db_array *array, int16_t value)
{
	const uint16_t big = htobe16((uint16_t)value);

	db_array_add(array, &big, sizeof(big));
}

void db_array_add_int8(struct db_array *array, int64_t value)
{
	const uint64_t big = htobe64((uint64_t)value);

	db_array_add(array, &big, sizeof(big));
}

bool db_array_bind(const struct db_array *array, struct db_call *call, int index,
		   struct error *error)
{
	if (array->failed)
		return error_set(error, ERROR_UNAVAILABLE, "no memory for an array");
	if (array->want != 0)
		return error_set(error, ERROR_INTERNAL, "parameter %d: %d values too few",
				 index + 1, array->want);
	db_bind_bytes(call, index, array->bytes, array->len);
	return true;
}

void db_array_clear(struct db_array *array)
{
	free(array->bytes);
	*array = (struct db_array){ 0 };
}

void db_time_encode(int64_t unix_us, uint8_t bytes[DB_TIME_LEN])
{
	const uint64_t big = htobe64((uint64_t)(unix_us - EPOCH_US));

	memcpy(bytes, &big, sizeof(big));
}

void db_bind_text(struct db_call *call, int index, const char *text)
{
	db_bind_bytes(call, index, text, strlen(text));
	call->format[index] = DB_TEXT;
}

void db_bind_bytes(struct db_call *call, int index, const void *bytes, size_t len)
{
	call->value[index] = bytes;
	call->length[index] = (int)len;
	call->format[index] = DB_BINARY;
}

static int64_t from_big_endian(const uint8_t *bytes, int len)
{
	uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;

	for (int i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

bool db_int(const PGresult *result, int row, int column, int64_t *value, struct error *error)
{
	int len = PQgetlength(result, row, column);

	if (PQgetisnull(result, row, column) || (len != 2 && len != 4 && len != 8))
		return error_set(error, ERROR_INTERNAL, "column %s: not a whole number",
				 PQfname(result, column));
	*value = from_big_endian((const uint8_t *)PQgetvalue(result, row, column), len);
	return true;
}

const char *db_text(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}
