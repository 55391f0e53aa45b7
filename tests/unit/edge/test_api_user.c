/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "edge/address_limits.h"
#include "edge/api_user.h"
#include "fakes.h"

#define TOKEN  "stipa_demo_at_" ZEROS43 "AAAAAA"
#define OURS   "stipa_demo_pw_" ZEROS43 "AAAAAA"
#define LONG64 "0123456789012345678901234567890123456789012345678901234567890123"

static void begin_login(void)
{
	begin();
	asked.path = "/api/v1/auth/login";
	asked.authorization = NULL;
	asked.body = "{\"userId\":\"sp-user\",\"password\":\"correct horse\"}";
	strcpy(authority.granted.text, TOKEN);
	authority.granted.scopes = SCOPE_ALL;
	authority.granted.exp = 2000000000;
}

static void begin_logout(void)
{
	begin();
	asked.path = "/api/v1/auth/logout";
	asked.authorization = TOKEN;
	asked.content_type = NULL;
}

/* ---- login ---- */

static void test_a_login_is_answered_with_strings_only(void)
{
	begin_login();
	asked.accept = "application/jose+json";
	ask(login_handle);
	CU_ASSERT_EQUAL(told.status, 200);
	CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
	CU_ASSERT_STRING_EQUAL(told.body,
			       "{\"status\":\"success\",\"message\":\"logged in\",\"accessToken\":"
			       "\"" TOKEN "\",\"refreshToken\":\"\"}");
	CU_ASSERT_FALSE(told.store);
}

static void test_a_chosen_password_goes_as_it_is(void)
{
	const struct login_order *order = &authority.got.login;

	begin_login();
	ask(login_handle);
	CU_ASSERT_EQUAL(order->method, METHOD_PASSWORD);
	CU_ASSERT_STRING_EQUAL(order->user, "sp-user");
	CU_ASSERT_EQUAL(order->password_len, 13);
	CU_ASSERT_EQUAL(memcmp(order->password, "correct horse", 14), 0);
	CU_ASSERT_EQUAL(order->digest[0], 0);
	CU_ASSERT_EQUAL(memcmp(order->peer, http_peer(NULL), 16), 0);
	CU_ASSERT_STRING_EQUAL(order->request_id, "req-1");
}

static void test_a_password_of_ours_goes_as_a_digest(void)
{
	const struct login_order *order = &authority.got.login;
	uint8_t digest[32];

	begin_login();
	asked.body = "{\"userId\":\"sp-user\",\"password\":\"" OURS "\"}";
	ask(login_handle);
	credential_digest_login("sp-user", 7, OURS, strlen(OURS), digest);
	CU_ASSERT_EQUAL(order->method, METHOD_LOGIN);
	CU_ASSERT_EQUAL(memcmp(order->digest, digest, 32), 0);
	CU_ASSERT_EQUAL(order->password_len, 0);
	CU_ASSERT_EQUAL(order->password[0], 0);
}

/* Whoever the user is. */
static void test_the_method_follows_from_the_password_alone(void)
{
	static const char *const users[] = { "sp-user",	 "nobody",   LONG64,
					     LONG64 "x", "\xc3\xa9", "a chosen password",
					     OURS };
	static const struct {
		const char *password;
		enum access_method method;
	} passwords[] = {
		{ OURS, METHOD_LOGIN },
		{ "stipa_demo_" ZEROS43 "AAAAAA", METHOD_PASSWORD },
		{ TOKEN, METHOD_PASSWORD },
		{ OURS "A", METHOD_PASSWORD },
		{ "x", METHOD_PASSWORD },
		{ "\xc3\xa9", METHOD_PASSWORD },
		{ LONG64 LONG64, METHOD_PASSWORD },
	};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		for (size_t j = 0; j < sizeof(passwords) / sizeof(passwords[0]); j++) {
			struct login_order order = { 0 };

			CU_ASSERT_TRUE(login_order_fill(users[i], passwords[j].password, &order));
			CU_ASSERT_EQUAL(order.method, passwords[j].method);
			CU_ASSERT_STRING_EQUAL(order.user, i < 3 ? users[i] : "");
		}
	}
}

static const struct {
	const char *name, *content_type, *body;
	int status;
	const char *code;
} refused[] = {
	{ "another media type", "text/plain", "{}", 400, "media-type" },
	{ "a form", "application/x-www-form-urlencoded", "userId=a&password=b", 400, "media-type" },
	{ "no body", "application/json", "", 400, "json" },
	{ "no JSON", "application/json", "userId=a", 400, "json" },
	{ "too deep", "application/json", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 400, "json" },
	{ "a list", "application/json", "[]", 400, "not-an-object" },
	{ "a member twice", "application/json", "{\"userId\":\"a\",\"userId\":\"b\"}", 400,
	  "duplicate-member" },
	{ "nothing", "application/json", "{}", 400, "user-id-missing" },
	{ "an empty user", "application/json", "{\"userId\":\"\",\"password\":\"b\"}", 400,
	  "user-id-missing" },
	{ "a number", "application/json", "{\"userId\":1,\"password\":\"b\"}", 400,
	  "user-id-type" },
	{ "no password", "application/json", "{\"userId\":\"a\"}", 400, "password-missing" },
	{ "an empty password", "application/json", "{\"userId\":\"a\",\"password\":\"\"}", 400,
	  "password-missing" },
	{ "a password that is null", "application/json", "{\"userId\":\"a\",\"password\":null}",
	  400, "password-type" },
	{ "a password that is too long", "application/json",
	  "{\"userId\":\"a\",\"password\":\"" LONG64 LONG64 "x\"}", 400, "password-length" },
	{ "a NUL in the password", "application/json",
	  "{\"userId\":\"a\",\"password\":\"b\\u0000c\"}", 400, "json" },
	{ "a password of production", "application/json",
	  "{\"userId\":\"a\",\"password\":\"stipa_prod_pw_" ZEROS43 "AAAAAA\"}", 403,
	  "foreign-environment" },
};

static void test_what_is_refused_before_it_is_an_order(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin_login();
		asked.content_type = refused[i].content_type;
		asked.body = refused[i].body;
		ask(login_handle);
		if (told.status != refused[i].status || strcmp(told.code, refused[i].code) != 0)
			printf("\n  %s: %d %s", refused[i].name, told.status, told.body);
		CU_ASSERT_EQUAL(told.status, refused[i].status);
		CU_ASSERT_STRING_EQUAL(told_text("errorCode"), refused[i].code);
		CU_ASSERT_STRING_EQUAL(told_text("status"), "error");
		CU_ASSERT_EQUAL(told_members(), 3);
		CU_ASSERT_EQUAL(authority.n, 0);
	}
}

static void test_further_members_are_let_be(void)
{
	begin_login();
	asked.body = "{\"userId\":\"a\",\"password\":\"b\",\"remember\":true}";
	ask(login_handle);
	CU_ASSERT_EQUAL(told.status, 200);
}

static void test_who_may_not_log_in_is_told_alike(void)
{
	static const enum verdict verdicts[] = { VERDICT_STRANGER, VERDICT_CREDENTIAL_EXPIRED,
						 VERDICT_CLIENT_DISABLED };

	for (size_t i = 0; i < 3; i++) {
		begin_login();
		authority.granted.verdict = (uint8_t)verdicts[i];
		ask(login_handle);
		CU_ASSERT_EQUAL(told.status, 403);
		CU_ASSERT_STRING_EQUAL(told.fields, "");
		CU_ASSERT_STRING_EQUAL(
			told.body, "{\"status\":\"error\",\"message\":\"the credentials are not "
				   "valid\",\"errorCode\":\"invalid-credentials\"}");
	}
}

static void test_other_verdicts_on_a_login(void)
{
	begin_login();
	authority.granted.verdict = VERDICT_ADDRESS_NOT_ALLOWED;
	ask(login_handle);
	CU_ASSERT_EQUAL(told.status, 403);
	CU_ASSERT_PTR_NOT_NULL(strstr(told_text("message"), "192.0.2.1"));
	begin_login();
	authority.granted.verdict = VERDICT_RATE;
	ask(login_handle);
	CU_ASSERT_EQUAL(told.status, 429);
	CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
	begin_login();
	authority.fails = ERROR_UNAVAILABLE;
	ask(login_handle);
	CU_ASSERT_EQUAL(told.status, 503);
	CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
}

static void test_logins_that_fail_are_counted(void)
{
	const struct address_rate rates[ADDRESS_LIMIT_COUNT] = {
		[ADDRESS_FAILURES] = { 2, 1000, 2 },
	};

	begin_login();
	address_limits_free(services.limits);
	services.limits = address_limits_new(rates, 16);
	authority.granted.verdict = VERDICT_STRANGER;
	for (int i = 0; i < 5; i++)
		ask(login_handle);
	CU_ASSERT_EQUAL(authority.n, 2);
	CU_ASSERT_EQUAL(told.status, 429);
	CU_ASSERT_STRING_EQUAL(told_text("errorCode"), "too-many-requests");
}

/* ---- logout ---- */

static void test_a_logout(void)
{
	static const char *const spellings[] = { TOKEN, "Bearer " TOKEN };
	uint8_t digest[32];

	credential_digest_token(TOKEN, strlen(TOKEN), digest);
	for (size_t i = 0; i < 2; i++) {
		begin_logout();
		asked.authorization = spellings[i];
		asked.accept = "application/jose+json";
		ask(logout_handle);
		CU_ASSERT_EQUAL(authority.got.revoke.proof.method, METHOD_TOKEN);
		CU_ASSERT_EQUAL(memcmp(authority.got.revoke.token, digest, 32), 0);
		CU_ASSERT_EQUAL(told.status, 200);
		CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
		CU_ASSERT_STRING_EQUAL(told.body,
				       "{\"status\":\"success\",\"message\":\"logged out\"}");
	}
}

static void test_a_logout_needs_an_access_token(void)
{
	static const char *const others[] = { NULL, BASIC, "Negotiate x" };

	for (size_t i = 0; i < 3; i++) {
		begin_logout();
		asked.authorization = others[i];
		ask(logout_handle);
		CU_ASSERT_EQUAL(told.status, 401);
		CU_ASSERT_STRING_EQUAL(told.fields, CHALLENGE_2);
		CU_ASSERT_STRING_EQUAL(told_text("errorCode"), "no-credentials");
		CU_ASSERT_EQUAL(authority.n, 0);
	}
	begin_logout();
	authority.done.verdict = VERDICT_INVALID_TOKEN;
	ask(logout_handle);
	CU_ASSERT_EQUAL(told.status, 401);
	CU_ASSERT_STRING_EQUAL(told.fields, INVALID);
}

static void test_a_client_that_has_gone(void)
{
	begin_login();
	login_handle(NULL, &services);
	client_leaves();
	authority_answers();
	CU_ASSERT_EQUAL(told.n, 1);
	CU_ASSERT_EQUAL(told.kind, ERROR_CANCELLED);
	CU_ASSERT_STRING_EQUAL(told.body, "");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a login is answered with strings only",
		  test_a_login_is_answered_with_strings_only },
		{ "a chosen password goes as it is", test_a_chosen_password_goes_as_it_is },
		{ "a password of ours goes as a digest", test_a_password_of_ours_goes_as_a_digest },
		{ "the method follows from the password alone",
		  test_the_method_follows_from_the_password_alone },
		{ "what is refused before it is an order",
		  test_what_is_refused_before_it_is_an_order },
		{ "further members are let be", test_further_members_are_let_be },
		{ "who may not log in is told alike", test_who_may_not_log_in_is_told_alike },
		{ "other verdicts on a login", test_other_verdicts_on_a_login },
		{ "logins that fail are counted", test_logins_that_fail_are_counted },
		{ "a logout", test_a_logout },
		{ "a logout needs an access token", test_a_logout_needs_an_access_token },
		{ "a client that has gone", test_a_client_that_has_gone },
		CU_TEST_INFO_NULL,
	};

	return run_suite("api_user", tests);
}
