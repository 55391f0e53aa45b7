/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../../../src/stipactl/nearest.h"
#include "../suite.h"

static const char *const words[] = { "account", "client", "db", "delegation", "spc", "token" };

static const struct {
	const char *text, *best;
} cases[] = {
	{ "acount", "account" },
	{ "clients", "client" },
	{ "deleg", "delegation" },
	{ "tokne", "token" },
	{ "scp", "spc" },
	{ "account", "account" },
	{ "", NULL },
	{ "certificate", NULL },
	{ "x", NULL },
	{ "zz", NULL },
	{ "delegationes", "delegation" },
	{ "a word that is longer than any that a command could ever have", NULL },
};

static void test_the_nearest_word(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nearest nearest = nearest_to(cases[i].text);
		const char *want = cases[i].best != NULL ? cases[i].best : "nothing";
		const char *got;

		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			nearest_offer(&nearest, words[w]);
		got = nearest.best != NULL ? nearest.best : "nothing";
		if (strcmp(got, want) != 0) {
			printf("\n    '%s' means %s, not %s", cases[i].text, want, got);
			CU_FAIL("see the line above");
		}
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "the nearest word", test_the_nearest_word },
		CU_TEST_INFO_NULL,
	};

	return run_suite("nearest", tests);
}
