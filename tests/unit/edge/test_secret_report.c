/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "edge/secret_report.h"
#include "fakes.h"

#define THANKS                                                                                     \
	"{\"status\":\"success\",\"message\":\"thank you; a secret that is in force is now "       \
	"disabled "                                                                                \
	"and its owner told\"}"

static void begin_report(const char *body)
{
	begin();
	asked.path = "/secrets/report";
	asked.authorization = NULL;
	asked.body = body;
}

static const struct {
	const char *secret;
	bool asked; /* the authority is */
} secrets[] = {
	{ "stipa_demo_" ZEROS43 "AAAAAA", true },
	{ "stipa_demo_at_" ZEROS43 "AAAAAA", true },
	{ "stipa_demo_pw_" ZEROS43 "AAAAAA", true },
	{ "stipa_prod_" ZEROS43 "AAAAAA", false },
	{ "stipa_demo_x", false },
	{ "ghp_0123", false },
	{ "\xc3\xa9", false },
};

static void test_every_report_is_answered_alike(void)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		char body[256];

		snprintf(body, sizeof(body), "{\"secret\":\"%s\"}", secrets[i].secret);
		begin_report(body);
		authority.done.verdict = VERDICT_STRANGER; /* whatever it says */
		ask(secret_report_handle);
		CU_ASSERT_EQUAL(authority.n, secrets[i].asked);
		CU_ASSERT_EQUAL(told.status, 202);
		CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
		CU_ASSERT_STRING_EQUAL(told.body, THANKS);
	}
}

static void test_each_form_has_its_digest(void)
{
	static const uint8_t nothing[32];
	struct report_order order = { 0 };
	uint8_t digest[32];
	const char *text = secrets[0].secret;

	CU_ASSERT_TRUE(report_order_fill(text, "demo", &order));
	credential_digest_secret(text, strlen(text), digest);
	CU_ASSERT_EQUAL(memcmp(order.secret, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order.token, nothing, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order.password, nothing, 32), 0);

	order = (struct report_order){ 0 };
	text = secrets[1].secret;
	CU_ASSERT_TRUE(report_order_fill(text, "demo", &order));
	credential_digest_token(text, strlen(text), digest);
	CU_ASSERT_EQUAL(memcmp(order.token, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order.secret, nothing, 32), 0);

	order = (struct report_order){ 0 };
	text = secrets[2].secret;
	CU_ASSERT_TRUE(report_order_fill(text, "demo", &order));
	credential_digest_secret(text, strlen(text), digest);
	CU_ASSERT_EQUAL(memcmp(order.password, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order.secret, nothing, 32), 0);
}

static const struct {
	const char *body, *code;
} refused[] = {
	{ "", "json" },
	{ "secret=x", "json" },
	{ "[]", "not-an-object" },
	{ "{}", "secret-missing" },
	{ "{\"secret\":\"\"}", "secret-missing" },
	{ "{\"secret\":1}", "secret-type" },
	{ "{\"secret\":\"a\",\"secret\":\"b\"}", "duplicate-member" },
};

static void test_what_is_no_report(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin_report(refused[i].body);
		ask(secret_report_handle);
		CU_ASSERT_EQUAL(told.status, 400);
		CU_ASSERT_STRING_EQUAL(told_text("code"), refused[i].code);
		CU_ASSERT_EQUAL(authority.n, 0);
	}
}

static void test_a_report_that_was_not_heard_may_be_sent_again(void)
{
	begin_report("{\"secret\":\"stipa_demo_" ZEROS43 "AAAAAA\"}");
	authority.fails = ERROR_UNAVAILABLE;
	ask(secret_report_handle);
	CU_ASSERT_EQUAL(told.status, 503);
	CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "every report is answered alike", test_every_report_is_answered_alike },
		{ "each form has its digest", test_each_form_has_its_digest },
		{ "what is no report", test_what_is_no_report },
		{ "a report that was not heard may be sent again",
		  test_a_report_that_was_not_heard_may_be_sent_again },
		CU_TEST_INFO_NULL,
	};

	return run_suite("secret_report", tests);
}
