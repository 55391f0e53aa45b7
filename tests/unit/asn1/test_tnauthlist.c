/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <CUnit/Basic.h>

#include "asn1/tnauthlist.h"

#define DER(...) .der = (const uint8_t[]){ __VA_ARGS__ }, .len = sizeof((uint8_t[]){ __VA_ARGS__ })

static const struct {
	const char *name;
	const uint8_t *der;
	size_t len;
	const char *spc; /* expected code, or NULL when decoding must fail */
	const char *why; /* expected detail of the error */
} cases[] = {
	{ "one spc", DER(0x30, 8, 0xa0, 6, 0x16, 4, '2', '8', '1', 'K'), "281K", NULL },
	{ "empty input", NULL, 0, NULL, "TNAuthList: not DER" },
	{ "empty list", DER(0x30, 0), NULL, "TNAuthList: want exactly one entry" },
	{ "cut short", DER(0x30, 8, 0xa0, 6, 0x16, 4, '2', '8'), NULL, "TNAuthList: not DER" },
	{ "trailing byte", DER(0x30, 8, 0xa0, 6, 0x16, 4, '2', '8', '1', 'K', 0), NULL,
	  "TNAuthList: trailing bytes" },
	{ "indefinite length", DER(0x30, 0x80, 0xa0, 6, 0x16, 4, '2', '8', '1', 'K', 0, 0), NULL,
	  "TNAuthList: BER, not DER" },
	{ "long length", DER(0x30, 0x81, 8, 0xa0, 6, 0x16, 4, '2', '8', '1', 'K'), NULL,
	  "TNAuthList: BER, not DER" },
	{ "a telephone number", DER(0x30, 8, 0xa2, 6, 0x16, 4, '1', '2', '0', '2'), NULL,
	  "TNAuthList: entry is not an SPC" },
	{ "two codes", DER(0x30, 10, 0xa0, 3, 0x16, 1, 'A', 0xa0, 3, 0x16, 1, 'B'), NULL,
	  "TNAuthList: want exactly one entry" },
	{ "a space in the code", DER(0x30, 7, 0xa0, 5, 0x16, 3, 'A', ' ', 'B'), NULL,
	  "TNAuthList: malformed SPC" },
};

static void test_decode(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tnauthlist list = { 0 };
		struct error error = { 0 };
		bool ok = tnauthlist_decode(cases[i].der, cases[i].len, &list, &error);

		CU_ASSERT_EQUAL(ok, cases[i].spc != NULL);
		CU_ASSERT_STRING_EQUAL(ok ? list.spc : error.detail,
				       ok ? cases[i].spc : cases[i].why);
	}
}

static void test_what_is_encoded_decodes_to_itself(void)
{
	static const char *const codes[] = { "1", "281K", "0123456789ABCDEF" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct tnauthlist in = { 0 }, out = { 0 };
		uint8_t der[TNAUTHLIST_DER_MAX];
		struct error error = { 0 };
		size_t len = 0;

		strcpy(in.spc, codes[i]);
		CU_ASSERT_TRUE_FATAL(tnauthlist_encode(&in, der, &len, &error));
		CU_ASSERT_TRUE_FATAL(tnauthlist_decode(der, len, &out, &error));
		CU_ASSERT_STRING_EQUAL(out.spc, in.spc);
	}
}

static void test_a_malformed_code_is_not_encoded(void)
{
	const struct tnauthlist in = { "28 K" };
	uint8_t der[TNAUTHLIST_DER_MAX];
	struct error error = { 0 };
	size_t len;

	CU_ASSERT_FALSE(tnauthlist_encode(&in, der, &len, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "decode", test_decode },
		{ "what is encoded decodes to itself", test_what_is_encoded_decodes_to_itself },
		{ "a malformed code is not encoded", test_a_malformed_code_is_not_encoded },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "tnauthlist", .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0;
}
