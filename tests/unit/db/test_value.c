/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "db/value.h"

/* What a server of version 15 sends for array_send() of the array beside it. */

static void fill_texts(struct db_array *array)
{
	db_array_begin(array, DB_TYPE_TEXT, 2);
	db_array_add(array, "ab", 2);
	db_array_add(array, "", 0);
}

static void fill_bytes(struct db_array *array)
{
	db_array_begin(array, DB_TYPE_BYTEA, 1);
	db_array_add(array, "\0\xff", 2);
}

static void fill_bools(struct db_array *array)
{
	db_array_begin(array, DB_TYPE_BOOL, 2);
	db_array_add_bool(array, true);
	db_array_add_bool(array, false);
}

static void fill_int2s(struct db_array *array)
{
	db_array_begin(array, DB_TYPE_INT2, 2);
	db_array_add_int2(array, 258);
	db_array_add_int2(array, -1);
}

static void fill_uuids(struct db_array *array)
{
	static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

	db_array_begin(array, DB_TYPE_UUID, 1);
	db_array_add(array, uuid, sizeof(uuid));
}

static void fill_none(struct db_array *array)
{
	db_array_begin(array, DB_TYPE_TEXT, 0);
}

static const struct {
	const char *name;
	void (*fill)(struct db_array *array);
	const char *hex;
} arrays[] = {
	{ "{ab,\"\"}::text[]", fill_texts,
	  "0000000100000000000000190000000200000001000000026162"
	  "00000000" },
	{ "{\\x00ff}::bytea[]", fill_bytes,
	  "00000001000000000000001100000001000000010000000200ff" },
	{ "{t,f}::bool[]", fill_bools,
	  "00000001000000000000001000000002000000010000000101"
	  "0000000100" },
	{ "{258,-1}::int2[]", fill_int2s,
	  "0000000100000000000000150000000200000001000000020102"
	  "00000002ffff" },
	{ "uuid[]", fill_uuids,
	  "00000001000000000000"
	  "0b86000000010000000100000010"
	  "0102030405060708090a0b0c0d0e0f10" },
	{ "{}::text[]", fill_none, "000000000000000000000019" },
};

static void to_hex(const struct db_call *call, int index, char *hex)
{
	hex[0] = '\0';
	for (int i = 0; i < call->length[index]; i++)
		sprintf(hex + 2 * i, "%02x", (uint8_t)call->value[index][i]);
}

static void test_arrays(void)
{
	struct db_array array = { 0 }; /* one for all: its memory is used again */

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		struct db_call call = { 0 };
		struct error error = { 0 };
		char hex[256];

		arrays[i].fill(&array);
		CU_ASSERT_TRUE(db_array_bind(&array, &call, 3, &error));
		CU_ASSERT_EQUAL(call.format[3], DB_BINARY);
		to_hex(&call, 3, hex);
		if (strcmp(hex, arrays[i].hex) != 0)
			printf("\n  %s: %s", arrays[i].name, hex);
		CU_ASSERT_STRING_EQUAL(hex, arrays[i].hex);
	}
	db_array_clear(&array);
}

static void test_an_array_grows(void)
{
	struct db_array array = { 0 };
	struct db_call call = { 0 };
	struct error error = { 0 };
	char value[100] = "value";

	db_array_begin(&array, DB_TYPE_BYTEA, 256);
	for (int i = 0; i < 256; i++)
		db_array_add(&array, value, sizeof(value));
	CU_ASSERT_TRUE(db_array_bind(&array, &call, 0, &error));
	CU_ASSERT_EQUAL(call.length[0], 20 + 256 * (4 + 100));
	CU_ASSERT_EQUAL(memcmp(call.value[0] + 20 + 255 * 104 + 4, value, 100), 0);
	db_array_clear(&array);
	CU_ASSERT_PTR_NULL(array.bytes);
}

static void test_another_number_than_announced_is_a_defect(void)
{
	struct db_array array = { 0 };
	struct db_call call = { 0 };
	struct error few = { 0 }, many = { 0 };

	db_array_begin(&array, DB_TYPE_TEXT, 2);
	db_array_add(&array, "a", 1);
	CU_ASSERT_FALSE(db_array_bind(&array, &call, 0, &few));
	CU_ASSERT_EQUAL(few.kind, ERROR_INTERNAL);
	db_array_add(&array, "b", 1);
	db_array_add(&array, "c", 1);
	CU_ASSERT_FALSE(db_array_bind(&array, &call, 0, &many));
	CU_ASSERT_EQUAL(many.kind, ERROR_INTERNAL);
	db_array_clear(&array);
}

static void test_times(void)
{
	static const uint8_t second_of_2000[8] = { 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40 };
	uint8_t bytes[DB_TIME_LEN];

	db_time_encode(INT64_C(946684801000000), bytes);
	CU_ASSERT_EQUAL(memcmp(bytes, second_of_2000, 8), 0);
}

static PGresult *row_of(const char *bytes, int len)
{
	static char name[] = "n";
	PGresAttDesc column = { .name = name, .format = 1 };
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	PQsetResultAttrs(rows, 1, &column);
	PQsetvalue(rows, 0, 0, (char *)bytes, len);
	return rows;
}

static void test_whole_numbers(void)
{
	static const struct {
		const char *bytes;
		int len;
		int64_t want;
		bool taken;
	} numbers[] = {
		{ "\x01\x02", 2, 258, true },
		{ "\xff\xfe", 2, -2, true },
		{ "\0\x01\0\0", 4, 65536, true },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8, -1, true },
		{ "\0\0\0\x01\0\0\0\0", 8, INT64_C(4294967296), true },
		{ "\x01", 1, 0, false },
		{ NULL, -1, 0, false },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		PGresult *rows = row_of(numbers[i].bytes, numbers[i].len);
		struct error error = { 0 };
		int64_t value = 0;

		CU_ASSERT_EQUAL(db_int(rows, 0, 0, &value, &error), numbers[i].taken);
		CU_ASSERT_EQUAL(value, numbers[i].want);
		PQclear(rows);
	}
}

static void test_a_text_may_be_null(void)
{
	PGresult *text = row_of("abc", 3), *null = row_of(NULL, -1);

	CU_ASSERT_STRING_EQUAL(db_text(text, 0, 0), "abc");
	CU_ASSERT_PTR_NULL(db_text(null, 0, 0));
	PQclear(text);
	PQclear(null);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "arrays", test_arrays },
		{ "an array grows", test_an_array_grows },
		{ "another number than announced", test_another_number_than_announced_is_a_defect },
		{ "times", test_times },
		{ "whole numbers", test_whole_numbers },
		{ "a text may be NULL", test_a_text_may_be_null },
		CU_TEST_INFO_NULL,
	};

	return run_suite("value", tests);
}
