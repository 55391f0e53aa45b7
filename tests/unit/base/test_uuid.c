/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../suite.h"
#include "base/uuid.h"

static void test_text(void)
{
	static const uint8_t uuid[16] = { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
					  0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f };
	char text[UUID_TEXT_LEN + 1];

	uuid_to_text(uuid, text); /* RFC 9562 appendix A.6 */
	CU_ASSERT_STRING_EQUAL(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void test_it_begins_with_its_time(void)
{
	struct error error = { 0 };
	uint8_t uuid[16];
	char text[UUID_TEXT_LEN + 1];

	CU_ASSERT_TRUE_FATAL(uuid7_make(uuid, 0x017f22e279b0, &error));
	uuid_to_text(uuid, text);
	CU_ASSERT_EQUAL(strncmp(text, "017f22e2-79b0-7", 15), 0);
	CU_ASSERT_PTR_NOT_NULL(strchr("89ab", text[19]));
}

static void test_no_two_are_alike(void)
{
	struct error error = { 0 };
	uint8_t uuid[64][16];

	for (int i = 0; i < 64; i++) {
		CU_ASSERT_TRUE_FATAL(uuid7_make(uuid[i], 1, &error));
		for (int j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(memcmp(uuid[i], uuid[j], 16), 0);
	}
}

static void test_a_time_that_does_not_fit_is_refused(void)
{
	struct error before = { 0 }, after = { 0 };
	uint8_t uuid[16];

	CU_ASSERT_FALSE(uuid7_make(uuid, -1, &before));
	CU_ASSERT_EQUAL(before.kind, ERROR_INTERNAL);
	CU_ASSERT_FALSE(uuid7_make(uuid, INT64_C(1) << 48, &after));
	CU_ASSERT_EQUAL(after.kind, ERROR_INTERNAL);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "text", test_text },
		{ "it begins with its time", test_it_begins_with_its_time },
		{ "no two are alike", test_no_two_are_alike },
		{ "a time that does not fit is refused", test_a_time_that_does_not_fit_is_refused },
		CU_TEST_INFO_NULL,
	};

	return run_suite("uuid", tests);
}
