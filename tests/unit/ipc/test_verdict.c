/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "ipc/verdict.h"

static bool is_a_code(const char *code)
{
	size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 1 && code[len] == '\0' && strcmp(code, "unknown") != 0;
}

static struct error told(enum verdict verdict, enum order_defect defect, const char *text)
{
	struct order order = { .kind = ORDER_ISSUE };
	struct answer answer = { .verdict = verdict, .defect = defect };
	struct error error = { 0 };

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	CU_ASSERT_EQUAL(verdict_is_issued(&order, &answer, &error), verdict == VERDICT_ISSUED);
	return error;
}

static void test_every_verdict_has_a_code_and_a_sentence(void)
{
	for (unsigned int v = 0; v < VERDICT_COUNT; v++) {
		struct error error = told(v, DEFECT_JSON, "1234,281K");

		CU_ASSERT_TRUE(is_a_code(verdict_code(v)));
		for (unsigned int other = 0; other < v; other++)
			CU_ASSERT_STRING_NOT_EQUAL(verdict_code(v), verdict_code(other));
		if (v == VERDICT_ISSUED)
			continue;
		CU_ASSERT_NOT_EQUAL(error.kind, ERROR_NONE);
		CU_ASSERT_NOT_EQUAL(error.kind, ERROR_INTERNAL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(error.code);
		CU_ASSERT_TRUE(is_a_code(error.code));
		CU_ASSERT_TRUE(strlen(error.detail) > 10);
	}
}

static void test_every_defect_has_a_code_and_a_sentence(void)
{
	for (unsigned int d = 0; d < DEFECT_COUNT; d++) {
		struct error error = told(VERDICT_MALFORMED, d, "");

		CU_ASSERT_TRUE(is_a_code(defect_code(d)));
		for (unsigned int other = 0; other < d; other++)
			CU_ASSERT_STRING_NOT_EQUAL(defect_code(d), defect_code(other));
		if (d == DEFECT_NONE)
			continue;
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
		CU_ASSERT_STRING_EQUAL(error.code, defect_code(d));
		CU_ASSERT_PTR_NOT_NULL(strchr(error.detail, ':'));
	}
}

static void test_who_guesses_credentials_learns_nothing(void)
{
	struct error stranger = told(VERDICT_STRANGER, DEFECT_NONE, "");
	struct error expired = told(VERDICT_CREDENTIAL_EXPIRED, DEFECT_NONE, "");
	struct error disabled = told(VERDICT_CLIENT_DISABLED, DEFECT_NONE, "");

	CU_ASSERT_EQUAL(stranger.kind, ERROR_FORBIDDEN);
	CU_ASSERT_EQUAL(expired.kind, ERROR_FORBIDDEN);
	CU_ASSERT_EQUAL(disabled.kind, ERROR_FORBIDDEN);
	CU_ASSERT_STRING_EQUAL(stranger.code, expired.code);
	CU_ASSERT_STRING_EQUAL(stranger.code, disabled.code);
	CU_ASSERT_STRING_EQUAL(stranger.detail, expired.detail);
	CU_ASSERT_STRING_EQUAL(stranger.detail, disabled.detail);
}

static void test_an_ambiguous_spc_names_the_choices(void)
{
	struct error error = told(VERDICT_SPC_AMBIGUOUS, DEFECT_NONE, "1234,281K");

	CU_ASSERT_EQUAL(error.kind, ERROR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "1234,281K"));
}

/* Nine of sixteen characters fit, the tenth does not. */
static void test_no_spc_is_named_in_part(void)
{
	static const char ten[] = "AAAAAAAAAAAAAAA1,AAAAAAAAAAAAAAA2,AAAAAAAAAAAAAAA3,"
				  "AAAAAAAAAAAAAAA4,AAAAAAAAAAAAAAA5,AAAAAAAAAAAAAAA6,"
				  "AAAAAAAAAAAAAAA7,AAAAAAAAAAAAAAA8,AAAAAAAAAAAAAAA9,"
				  "AAAAAAAAAAAAAA10";
	struct error error = told(VERDICT_SPC_AMBIGUOUS, DEFECT_NONE, ten);
	const char *last = strrchr(error.detail, ',');

	CU_ASSERT_STRING_EQUAL(last, ",AAAAAAAAAAAAAAA9");
}

static void test_a_wrong_address_is_named(void)
{
	static const struct {
		uint8_t peer[16];
		const char *address;
	} cases[] = {
		{ { [10] = 0xff, 0xff, 192, 0, 2, 7 }, "address 192.0.2.7" },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, "address 2001:db8::1" },
		{ { 0 }, "address ::" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct order order = { .kind = ORDER_ISSUE };
		struct answer answer = { .verdict = VERDICT_ADDRESS_NOT_ALLOWED };
		struct error error = { 0 }, other = { 0 };

		memcpy(order.peer, cases[i].peer, sizeof(order.peer));
		CU_ASSERT_FALSE(verdict_is_issued(&order, &answer, &error));
		CU_ASSERT_FALSE(verdict_is_good(VERDICT_ADDRESS_NOT_ALLOWED, order.peer, &other));
		CU_ASSERT_EQUAL(error.kind, ERROR_FORBIDDEN);
		CU_ASSERT_STRING_EQUAL(error.code, "address-not-allowed");
		CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, cases[i].address));
		CU_ASSERT_STRING_EQUAL(error.detail, other.detail);
	}
}

static void test_a_missing_scope_is_named(void)
{
	struct order order = { .kind = ORDER_ISSUE };
	struct answer answer = { .verdict = VERDICT_INSUFFICIENT_SCOPE };
	struct error error = { 0 }, of_ca = { 0 };

	CU_ASSERT_FALSE(verdict_is_issued(&order, &answer, &error));
	CU_ASSERT_STRING_EQUAL(error.detail, "the access token lacks the scope spc-token");
	order.ca = 1;
	CU_ASSERT_FALSE(verdict_is_issued(&order, &answer, &of_ca));
	CU_ASSERT_STRING_EQUAL(of_ca.detail, "the access token lacks the scope spc-token:ca");
}

static void test_verdicts_without_an_order(void)
{
	static const uint8_t peer[16];

	for (unsigned int v = 0; v <= VERDICT_COUNT; v++) {
		bool of_an_order = v == VERDICT_MALFORMED || v == VERDICT_SPC_AMBIGUOUS;
		struct error error = { 0 };

		CU_ASSERT_EQUAL(verdict_is_good(v, peer, &error), v == VERDICT_ISSUED);
		CU_ASSERT_EQUAL(error.kind == ERROR_INTERNAL, of_an_order || v == VERDICT_COUNT);
	}
}

static void test_numbers_outside_the_tables_are_defects_of_ours(void)
{
	CU_ASSERT_EQUAL(told(VERDICT_COUNT, DEFECT_NONE, "").kind, ERROR_INTERNAL);
	CU_ASSERT_EQUAL(told(255, DEFECT_NONE, "").kind, ERROR_INTERNAL);
	CU_ASSERT_EQUAL(told(VERDICT_MALFORMED, DEFECT_NONE, "").kind, ERROR_INTERNAL);
	CU_ASSERT_EQUAL(told(VERDICT_MALFORMED, DEFECT_COUNT, "").kind, ERROR_INTERNAL);
	CU_ASSERT_STRING_EQUAL(verdict_code(VERDICT_COUNT), "unknown");
	CU_ASSERT_STRING_EQUAL(defect_code(DEFECT_COUNT), "unknown");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "every verdict has a code and a sentence",
		  test_every_verdict_has_a_code_and_a_sentence },
		{ "every defect has a code and a sentence",
		  test_every_defect_has_a_code_and_a_sentence },
		{ "who guesses credentials learns nothing",
		  test_who_guesses_credentials_learns_nothing },
		{ "an ambiguous SPC names the choices", test_an_ambiguous_spc_names_the_choices },
		{ "no SPC is named in part", test_no_spc_is_named_in_part },
		{ "a wrong address is named", test_a_wrong_address_is_named },
		{ "a missing scope is named", test_a_missing_scope_is_named },
		{ "verdicts without an order", test_verdicts_without_an_order },
		{ "numbers outside the tables are defects of ours",
		  test_numbers_outside_the_tables_are_defects_of_ours },
		CU_TEST_INFO_NULL,
	};

	return run_suite("verdict", tests);
}
