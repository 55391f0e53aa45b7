/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/stipactl/lists.h"
#include "../suite.h"

#define HEX "563ecfae83ca4d15b029ff1b71d3bab91981f8509bdf4ad43972e2b1f0b938e3"
#define COLON                                                                                      \
	"56:3E:CF:AE:83:CA:4D:15:B0:29:FF:1B:71:D3:BA:B9:19:81:F8:50:9B:DF:4A:D4:39:72:E2:B1:"     \
	"F0:B9:38:E3"
#define THUMB "Vj7ProPKTRWwKf8bcdO6uRmB-FCb30rUOXLisfC5OOM"

static const struct {
	const char *list, *hex; /* NULL: refused */
} cases[] = {
	{ HEX, HEX },
	{ COLON, HEX },
	{ "SHA256 " COLON, HEX },
	{ "SHA256:" COLON, HEX },
	{ THUMB, HEX },
	{ THUMB ",SHA256 " COLON, HEX "," HEX },
	{ "", "" },
	{ THUMB ",", NULL },
	{ "," THUMB, NULL },
	{ THUMB ",," THUMB, NULL },
	{ THUMB "x", NULL },
	{ HEX "0", NULL },
	{ "SHA1 " COLON, NULL },
	{ "any", NULL },
	{ "56-3E:CF:AE:83:CA:4D:15:B0:29:FF:1B:71:D3:BA:B9:19:81:F8:50:9B:DF:4A:D4:39:72:E2:B1:F0:"
	  "B9:38:E3",
	  NULL },
	{ "g63ecfae83ca4d15b029ff1b71d3bab91981f8509bdf4ad43972e2b1f0b938e3", NULL },
	/* bits that are not used must be zero */
	{ "Vj7ProPKTRWwKf8bcdO6uRmB-FCb30rUOXLisfC5OON", NULL },
	{ COLON COLON COLON, NULL },
};

static void test_fingerprints(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char hex[FINGERPRINTS_TEXT_MAX] = "";
		struct error error = { 0 };
		bool right = fingerprints_read(cases[i].list, hex, &error);

		CU_ASSERT_EQUAL(right, cases[i].hex != NULL);
		if (right && cases[i].hex != NULL)
			CU_ASSERT_STRING_EQUAL(hex, cases[i].hex);
	}
}

/* As many as there is room for, and one more. */
static void test_many_fingerprints(void)
{
	char list[(FINGERPRINTS_MAX + 1) * (sizeof(THUMB) + 1)] = "";
	char hex[FINGERPRINTS_TEXT_MAX];
	struct error error = { 0 };

	for (int i = 0; i < FINGERPRINTS_MAX; i++)
		strcat(strcat(list, i > 0 ? "," : ""), THUMB);
	CU_ASSERT_TRUE(fingerprints_read(list, hex, &error));
	CU_ASSERT_EQUAL(strlen(hex), FINGERPRINTS_TEXT_MAX - 1);
	strcat(list, "," THUMB);
	CU_ASSERT_FALSE(fingerprints_read(list, hex, &error));
}

static const struct {
	const char *text;
	bool right;
} networks[] = {
	{ "everywhere", true },	    { "192.0.2.0/24", true },	 { "192.0.2.7", true },
	{ "2001:db8::/32", true },  { "0.0.0.0/0", true },	 { "192.0.2.0/24,::1", true },
	{ "192.0.2.0/33", false },  { "2001:db8::/129", false }, { "192.0.2.0/", false },
	{ "192.0.2.0/-1", false },  { "192.0.2.0/24,", false },	 { ",192.0.2.0/24", false },
	{ "192.0.2", false },	    { "example.net", false },	 { "192.0.2.0/24, ::1", false },
	{ "192.0.2.0/24x", false }, { "everywhere,::1", false }, { "192.0.2.0/ 24", false },
};

static void test_networks(void)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct error error = { 0 };

		CU_ASSERT_EQUAL(check_networks(networks[i].text, &error), networks[i].right);
	}
}

static void test_scopes(void)
{
	CU_ASSERT_EQUAL(scopes_read("none"), 0);
	CU_ASSERT_EQUAL(scopes_read("spc-token"), 1);
	CU_ASSERT_EQUAL(scopes_read("spc-token:ca,revoke"), 6);
	CU_ASSERT_EQUAL(scopes_read("revoke,spc-token,spc-token:ca"), 7);
	CU_ASSERT_EQUAL(scopes_read("spc-token,spc-token"), -1);
	CU_ASSERT_EQUAL(scopes_read("spc-token,"), -1);
	CU_ASSERT_EQUAL(scopes_read("spc-token,none"), -1);
	CU_ASSERT_EQUAL(scopes_read("admin"), -1);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "fingerprints", test_fingerprints },
		{ "many fingerprints", test_many_fingerprints },
		{ "networks", test_networks },
		{ "scopes", test_scopes },
		CU_TEST_INFO_NULL,
	};

	return run_suite("lists", tests);
}
