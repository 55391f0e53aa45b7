/* SPDX-License-Identifier: Apache-2.0 */
/* Values as a database sends them, and as it would read ours: the same octets each way. */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "db/value.h"

#define EPOCH_US (946684800 * INT64_C(1000000)) /* 2000-01-01 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* One row with one column; NULL when @bytes is. */
static PGresult *result_of(const uint8_t *bytes, size_t len)
{
	PGresAttDesc column = { .name = (char[]){ "n" }, .format = 1 };
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char *copy = malloc(len + 1);

	require(result != NULL && copy != NULL && PQsetResultAttrs(result, 1, &column) == 1);
	if (len > 0)
		memcpy(copy, bytes, len);
	require(PQsetvalue(result, 0, 0, copy, bytes == NULL ? -1 : (int)len) == 1);
	free(copy);
	return result;
}

static void check_number(int64_t value, const uint8_t *bytes, size_t len)
{
	const uint64_t big = htobe64((uint64_t)value);

	require(memcmp((const uint8_t *)&big + 8 - len, bytes, len) == 0);
	require(len != 2 || (value >= INT16_MIN && value <= INT16_MAX));
	require(len != 4 || (value >= INT32_MIN && value <= INT32_MAX));
}

static void check_column(const uint8_t *bytes, size_t len)
{
	PGresult *result = result_of(bytes, len);
	const char *text = db_text(result, 0, 0);
	struct error error = { 0 };
	int64_t value = 0;

	require((text == NULL) == (bytes == NULL));
	require(text == NULL || (memcmp(text, bytes, len) == 0 && text[len] == '\0'));
	if (db_int(result, 0, 0, &value, &error))
		check_number(value, bytes, len);
	else
		require(error.kind == ERROR_INTERNAL &&
			(bytes == NULL || (len != 2 && len != 4 && len != 8)));
	PQclear(result);
}

/* ---- an array: its values are the parts of the input between NULs ---- */

static size_t part_len(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\0', size);

	return end == NULL ? size : (size_t)(end - data);
}

static int part_count(const uint8_t *data, size_t size)
{
	int n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\0';
	return n;
}

static uint32_t take_int4(const uint8_t **at, const uint8_t *end)
{
	uint32_t big;

	require(end - *at >= (ptrdiff_t)sizeof(big));
	memcpy(&big, *at, sizeof(big));
	*at += sizeof(big);
	return be32toh(big);
}

static void check_encoded(const uint8_t *at, size_t len, const uint8_t *data, size_t size)
{
	const uint8_t *end = at + len;
	int n = part_count(data, size);

	require(take_int4(&at, end) == 1 && take_int4(&at, end) == 0);
	require(take_int4(&at, end) == DB_TYPE_BYTEA);
	require(take_int4(&at, end) == (uint32_t)n && take_int4(&at, end) == 1);
	for (; n > 0; n--) {
		size_t part = part_len(data, size);

		require(take_int4(&at, end) == part && (size_t)(end - at) >= part);
		require(part == 0 || memcmp(at, data, part) == 0);
		at += part;
		data += part + (n > 1);
		size -= part + (n > 1);
	}
	require(at == end && size == 0);
}

static void check_array(const uint8_t *data, size_t size)
{
	int n = part_count(data, size);
	struct db_array array = { 0 };
	struct db_call call = { 0 };
	struct error error = { 0 };
	const uint8_t *rest = data;
	size_t left = size;

	db_array_begin(&array, DB_TYPE_BYTEA, n);
	for (int i = 0; i < n; i++) {
		size_t part = part_len(rest, left);

		require(!db_array_bind(&array, &call, 0, &error));
		db_array_add(&array, rest, part);
		rest += part + (i + 1 < n);
		left -= part + (i + 1 < n);
	}
	require(db_array_bind(&array, &call, 0, &error) && call.format[0] == DB_BINARY);
	check_encoded((const uint8_t *)call.value[0], (size_t)call.length[0], data, size);
	db_array_clear(&array);
}

static void check_time(const uint8_t *data)
{
	uint8_t bytes[DB_TIME_LEN];
	uint64_t big;
	int64_t time;

	memcpy(&time, data, sizeof(time));
	if (time < INT64_MIN + EPOCH_US)
		return;
	db_time_encode(time, bytes);
	memcpy(&big, bytes, sizeof(big));
	require((int64_t)be64toh(big) == time - EPOCH_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t none[1];

	check_column(NULL, 0);
	check_column(size == 0 ? none : data, size);
	check_array(size == 0 ? none : data, size);
	if (size >= sizeof(int64_t))
		check_time(data);
	return 0;
}
