/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../suite.h"
#include "http/accept.h"

#define JOSE "application/jose+json"

static const struct {
	const char *accept;
	bool names; /* JOSE */
} cases[] = {
	{ JOSE, true },
	{ "Application/JOSE+JSON", true },
	{ "application/json, " JOSE, true },
	{ "application/json," JOSE ";q=0.1", true },
	{ JOSE ";q=1", true },
	{ JOSE " ; q=0.001", true },
	{ JOSE ";q=0", false },
	{ JOSE "; Q=0", false },
	{ JOSE ";q=0.", false },
	{ JOSE "; q=0.000 ", false },
	{ JOSE ";charset=utf-8", true },
	{ JOSE ";charset=utf-8;q=0", false },
	{ JOSE ";q=0, " JOSE, true },
	{ "*/*", false },
	{ "application/*", false },
	{ "", false },
	{ ",", false },
	{ ",, ,", false },
	{ ",, " JOSE " ,", true },
	{ "application/jose", false },
	{ "application/jose+jsonx", false },
	{ "text/plain;x=\"a, " JOSE "\"", false },
	{ "text/plain;x=\"a\\\", " JOSE "\"", false },
	{ "text/plain;x=\"a\", " JOSE, true },
	{ "text/plain;x=\"open, " JOSE, false },
	{ "text/plain;x=\"\\", false },
	{ "application/jose+json q=1", false },
	{ ";q=1", false },
};

static void test_accept(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool names = accept_names(cases[i].accept, JOSE);

		CU_ASSERT_EQUAL(names, cases[i].names);
		if (names != cases[i].names)
			printf("\n    row: %s", cases[i].accept);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "accept", test_accept },
		CU_TEST_INFO_NULL,
	};

	return run_suite("accept", tests);
}
