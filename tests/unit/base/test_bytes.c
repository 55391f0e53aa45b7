/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "../suite.h"
#include "base/bytes.h"

#define LEN_MAX 40

/* Every value at every place of every length, among neighbours that could borrow or carry. */
static void each_byte_anywhere(bool (*ask)(const char *text, size_t len),
			       bool (*is_good)(unsigned int value))
{
	static const char neighbours[] = " ~a0";
	char text[LEN_MAX + 1];
	unsigned int wrong = 0;

	for (size_t len = 1; len <= LEN_MAX; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned int value = 0; value < 256; value++) {
				memset(text, neighbours[(at + value) % 4], sizeof(text));
				text[len] = '\x01'; /* not asked about */
				text[at] = (char)value;
				wrong += ask(text, len) != is_good(value);
			}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(ask("", 0));
}

static bool printable(unsigned int value)
{
	return value >= ' ' && value <= '~';
}

static bool plain(unsigned int value)
{
	return printable(value) && value != '"' && value != '\\';
}

static void test_printable(void)
{
	each_byte_anywhere(bytes_are_printable, printable);
}

static void test_plain(void)
{
	each_byte_anywhere(bytes_are_plain, plain);
}

static void test_pairs_do_not_hide_each_other(void)
{
	unsigned int wrong = 0;

	for (unsigned int pair = 0; pair < 65536; pair++) {
		char text[8] = "aaaaaaa";

		text[3] = (char)(pair & 255);
		text[4] = (char)(pair >> 8);
		wrong += bytes_are_printable(text, 7) !=
			 (printable(pair & 255) && printable(pair >> 8));
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_zero(void)
{
	uint8_t bytes[LEN_MAX + 1];
	unsigned int wrong = 0;

	for (size_t len = 1; len <= LEN_MAX; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned int value = 0; value < 256; value++) {
				memset(bytes, 0, sizeof(bytes));
				bytes[len] = 1; /* not asked about */
				bytes[at] = (uint8_t)value;
				wrong += bytes_are_zero(bytes, len) != (value == 0);
			}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(bytes_are_zero(bytes, 0));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "printable", test_printable },
		{ "plain", test_plain },
		{ "pairs do not hide each other", test_pairs_do_not_hide_each_other },
		{ "zero", test_zero },
		CU_TEST_INFO_NULL,
	};

	return run_suite("bytes", tests);
}
