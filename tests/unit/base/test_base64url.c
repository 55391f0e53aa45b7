/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "base/base64url.h"

#define ANY 1 /* base64_decode_any() takes it */
#define URL 2 /* base64url_decode() takes it */

static const struct {
	const char *name;
	const char *text;
	int taken;
	const char *bytes; /* as hex */
} cases[] = {
	{ "empty", "", ANY | URL, "" },
	{ "one byte", "Zg", ANY | URL, "66" },
	{ "one byte, padded", "Zg==", ANY, "66" },
	{ "two bytes", "Zm8", ANY | URL, "666f" },
	{ "two bytes, padded", "Zm8=", ANY, "666f" },
	{ "three bytes", "Zm9v", ANY | URL, "666f6f" },
	{ "RFC 7515 appendix C", "A-z_4ME", ANY | URL, "03ecffe0c1" },
	{ "the standard alphabet", "A+z/4ME", ANY, "03ecffe0c1" },
	{ "the standard alphabet, padded", "A+z/4ME=", ANY, "03ecffe0c1" },
	{ "base64url, padded", "A-z_4ME=", ANY, "03ecffe0c1" },
	{ "mixed alphabets", "A-z/4ME", 0, NULL },
	{ "mixed alphabets, the other way", "A+z_4ME=", 0, NULL },
	{ "a TNAuthList", "MAigBhYEMTIzNA==", ANY, "3008a006160431323334" },
	{ "one of two paddings", "Zg=", 0, NULL },
	{ "three paddings", "Zg===", 0, NULL },
	{ "four paddings", "====", 0, NULL },
	{ "padding alone", "=", 0, NULL },
	{ "two paddings alone", "==", 0, NULL },
	{ "padding on a whole group", "Zm9v=", 0, NULL },
	{ "a group of padding", "Zm9v====", 0, NULL },
	{ "padding inside", "Zg==Zm9v", 0, NULL },
	{ "padding where a character belongs", "Z===", 0, NULL },
	{ "one character too many", "Zm9vZ", 0, NULL },
	{ "one character", "Z", 0, NULL },
	{ "unused bits, one byte", "Zh", 0, NULL },
	{ "unused bits, one byte, padded", "Zh==", 0, NULL },
	{ "unused bits, two bytes", "Zm9", 0, NULL },
	{ "unused bits, two bytes, padded", "Zm9=", 0, NULL },
	{ "a space", "Zm 9v", 0, NULL },
	{ "a line end", "Zm9v\n", 0, NULL },
	{ "a line end inside", "Zm9v\nZm9v", 0, NULL },
	{ "a byte over 127", "Zm9\xf6", 0, NULL },
	{ "a dot", "Zm.v", 0, NULL },
	{ "a percent", "Zg%3D%3D", 0, NULL },
};

static void check(const char *name, bool ok, bool wanted, const uint8_t *bytes, size_t used,
		  const char *hex)
{
	char got[128] = "";

	for (size_t i = 0; ok && i < used; i++)
		sprintf(got + 2 * i, "%02x", bytes[i]);
	if (ok != wanted || (ok && strcmp(got, hex) != 0))
		printf("\n    %s: %s %s", name, ok ? "taken as" : "refused", got);
	CU_ASSERT_EQUAL(ok, wanted);
	if (ok && wanted)
		CU_ASSERT_STRING_EQUAL(got, hex);
}

static void test_decode(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		uint8_t bytes[32];
		size_t used = 99;
		bool ok;

		ok = base64_decode_any(text, strlen(text), bytes, sizeof(bytes), &used);
		check(cases[i].name, ok, cases[i].taken & ANY, bytes, used, cases[i].bytes);
		ok = base64url_decode(text, strlen(text), bytes, sizeof(bytes), &used);
		check(cases[i].name, ok, cases[i].taken & URL, bytes, used, cases[i].bytes);
	}
}

static void test_a_nul_inside_is_refused(void)
{
	uint8_t bytes[8];
	size_t used;

	CU_ASSERT_FALSE(base64_decode_any("Zm\0v", 4, bytes, sizeof(bytes), &used));
}

static void test_no_byte_beyond_the_room(void)
{
	uint8_t bytes[4] = { 0, 0, 0, 0xaa };
	size_t used = 0;

	CU_ASSERT_TRUE(base64url_decode("Zm9v", 4, bytes, 3, &used));
	CU_ASSERT_EQUAL(used, 3);
	CU_ASSERT_FALSE(base64url_decode("Zm9vZg", 6, bytes, 3, &used));
	CU_ASSERT_FALSE(base64_decode_any("Zm9vZg==", 8, bytes, 3, &used));
	CU_ASSERT_EQUAL(bytes[3], 0xaa);
}

static void test_what_is_encoded_decodes_to_itself(void)
{
	uint8_t in[64], out[64];
	char text[BASE64URL_LEN(64) + 1];
	size_t used;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 151 + 3);
	for (size_t n = 0; n <= sizeof(in); n++) {
		size_t len = base64url_encode(in, n, text);

		CU_ASSERT_EQUAL(len, BASE64URL_LEN(n));
		CU_ASSERT_EQUAL(strlen(text), len);
		CU_ASSERT_TRUE_FATAL(base64url_decode(text, len, out, sizeof(out), &used));
		CU_ASSERT_EQUAL(used, n);
		CU_ASSERT_EQUAL(memcmp(in, out, n), 0);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "decode", test_decode },
		{ "a NUL inside is refused", test_a_nul_inside_is_refused },
		{ "no byte beyond the room", test_no_byte_beyond_the_room },
		{ "what is encoded decodes to itself", test_what_is_encoded_decodes_to_itself },
		CU_TEST_INFO_NULL,
	};

	return run_suite("base64url", tests);
}
