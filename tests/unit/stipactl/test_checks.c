/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../../../src/stipactl/checks.h"
#include "../suite.h"

#define N32  "abcdefghijklmnopqrstuvwxyz012345"
#define N64  N32 N32
#define N256 N64 N64 N64 N64

static const struct {
	const char *rule;
	bool (*check)(const char *text, struct error *error);
	const char *text;
	bool right;
} cases[] = {
	{ "account", check_account, "sp-1", true },
	{ "account", check_account, "sp-a-b-", true },
	{ "account", check_account, "sp-" N32, true },
	{ "account", check_account, "sp-" N32 "6", false },
	{ "account", check_account, "sp-", false },
	{ "account", check_account, "sp--a", false },
	{ "account", check_account, "sp-A", false },
	{ "account", check_account, "sp-a.b", false },
	{ "account", check_account, "acme", false },
	{ "account", check_account, "1234", false },
	{ "alias", check_alias, "10073", true },
	{ "alias", check_alias, "old.name~_-", true },
	{ "alias", check_alias, "sp-other", false },
	{ "alias", check_alias, "a/b", false },
	{ "alias", check_alias, N64, false },
	{ "client", check_client, "kms", true },
	{ "client", check_client, "KMS_1-a", true },
	{ "client", check_client, N64, true },
	{ "client", check_client, N64 "x", false },
	{ "client", check_client, "km", false },
	{ "client", check_client, "km:s", false },
	{ "client", check_client, "k\xc3\xa9ms", false },
	{ "clients", check_clients, "kms", true },
	{ "clients", check_clients, "kms,kms-2", true },
	{ "clients", check_clients, "kms,", false },
	{ "clients", check_clients, ",kms", false },
	{ "clients", check_clients, "kms, kms-2", false },
	{ "clients", check_clients, N256 ",kms", false },
	{ "kid", check_kid, "a.b:c=+/~_-9", true },
	{ "kid", check_kid, N64 "x", false },
	{ "kid", check_kid, "a b", false },
	{ "user", check_user, "ops+1@acme.example", true },
	{ "user", check_user, "a:b", false },
	{ "user", check_user, N64 "x", false },
	{ "number", check_number, "1", true },
	{ "number", check_number, "0", false },
	{ "number", check_number, "-1", false },
	{ "number", check_number, "1x", false },
	{ "number", check_number, "9999999999999999999", false },
	{ "reason", check_reason, "fraud, case 12", true },
	{ "reason", check_reason,
	  "Stra\xc3\x9f"
	  "e",
	  true },
	{ "reason", check_reason, "   ", false },
	{ "reason", check_reason, "two\nlines", false },
	{ "reason", check_reason, "\x1b[2J", false },
	{ "spc", check_spc, "683G", true },
	{ "spc", check_spc, "0226", true },
	{ "spc", check_spc, "683g", false },
	{ "spc", check_spc, "68 3", false },
	{ "spc", check_spc, "01234567890123456", false },
	{ "time ahead", check_time_ahead, "1d", true },
	{ "time ahead", check_time_ahead, "2099-01-01", true },
	{ "time ahead", check_time_ahead, "2020-01-01", false },
	{ "time", check_time, "2020-01-01", true },
	{ "time back", check_time_back, "1d", true },
	{ "time back", check_time_back, "yesterday", false },
	{ "uuid", check_uuid, "019a2b3c-0000-7000-8000-0123456789ab", true },
	{ "uuid", check_uuid, "019A2B3C-0000-7000-8000-0123456789AB", true },
	{ "uuid", check_uuid, "019a2b3c00007000800001234567890ab000", false },
	{ "uuid", check_uuid, "019a2b3c-0000-7000-8000-0123456789a", false },
	{ "uuid", check_uuid, "019a2b3c-0000-7000-8000-0123456789ag", false },
};

static void test_rules(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		bool right = cases[i].check(cases[i].text, &error);

		if (right != cases[i].right || (!right && error.detail[0] == '\0')) {
			printf("\n    %s '%s' is %s", cases[i].rule, cases[i].text,
			       right ? "let through" : "refused");
			CU_FAIL("see the line above");
		}
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "rules", test_rules },
		CU_TEST_INFO_NULL,
	};

	return run_suite("checks", tests);
}
