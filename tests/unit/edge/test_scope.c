/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "edge/scope.h"
#include "fakes.h"

static const struct {
	const char *text;
	int scopes; /* -1: not one */
	const char *written;
} scopes[] = {
	{ NULL, 0, "" },
	{ "spc-token", SCOPE_SPC_TOKEN, "spc-token" },
	{ "spc-token:ca", SCOPE_SPC_TOKEN_CA, "spc-token:ca" },
	{ "revoke", SCOPE_REVOKE, "revoke" },
	{ "revoke spc-token", SCOPE_REVOKE | SCOPE_SPC_TOKEN, "spc-token revoke" },
	{ "spc-token spc-token", SCOPE_SPC_TOKEN, "spc-token" },
	{ "revoke spc-token:ca spc-token", SCOPE_ALL, "spc-token spc-token:ca revoke" },
	{ "", -1, NULL },
	{ " ", -1, NULL },
	{ "spc-token ", -1, NULL },
	{ " spc-token", -1, NULL },
	{ "spc-token  revoke", -1, NULL },
	{ "SPC-TOKEN", -1, NULL },
	{ "spc", -1, NULL },
	{ "spc-token:", -1, NULL },
	{ "spc-token:cap", -1, NULL },
	{ "spc-token,revoke", -1, NULL },
	{ "spc-token admin", -1, NULL },
	{ "openid", -1, NULL },
};

static void test_scopes(void)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		char written[SCOPE_TEXT_MAX + 1];
		uint8_t bits = 0x55;
		bool good = scope_parse(scopes[i].text, &bits);

		if (good != (scopes[i].scopes >= 0))
			printf("\n  '%s'", scopes[i].text);
		CU_ASSERT_EQUAL(good, scopes[i].scopes >= 0);
		if (!good)
			continue;
		CU_ASSERT_EQUAL(bits, scopes[i].scopes);
		scope_write(bits, written);
		CU_ASSERT_STRING_EQUAL(written, scopes[i].written);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "scopes", test_scopes },
		CU_TEST_INFO_NULL,
	};

	return run_suite("scope", tests);
}
