/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6749 section 5, RFC 7009 and RFC 8414, each error in its words and with its fields. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "crypto/digest.h"
#include "edge/address_limits.h"
#include "edge/oauth_request.h"
#include "edge/oauth_server.h"
#include "fakes.h"

#define FORM  "application/x-www-form-urlencoded"
#define GRANT "grant_type=client_credentials"
#define TOKEN "stipa_demo_at_" ZEROS43 "AAAAAA"
#define JWS_SIG                                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void begin_oauth(void)
{
	begin();
	asked.path = "/oauth2/token";
	asked.content_type = FORM;
	asked.body = GRANT;
	strcpy(authority.granted.text, TOKEN);
	authority.granted.scopes = SCOPE_SPC_TOKEN | SCOPE_REVOKE;
	authority.granted.exp = (int64_t)time(NULL) + 3600;
}

static void begin_revoke(void)
{
	begin_oauth();
	asked.path = "/oauth2/revoke";
	asked.body = "token=" TOKEN;
}

/* ---- grants ---- */

static void test_an_access_token_is_granted(void)
{
	json_t *json, *expires;

	begin_oauth();
	ask(oauth_token_handle);
	CU_ASSERT_EQUAL(told.status, 200);
	CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
	CU_ASSERT_FALSE(told.store); /* no-store, no-cache */
	CU_ASSERT_EQUAL(told_members(), 4);
	CU_ASSERT_STRING_EQUAL(told_text("access_token"), TOKEN);
	CU_ASSERT_STRING_EQUAL(told_text("token_type"), "Bearer");
	CU_ASSERT_STRING_EQUAL(told_text("scope"), "spc-token revoke");
	json = json_loads(told.body, 0, NULL);
	expires = json_object_get(json, "expires_in");
	CU_ASSERT_TRUE(json_is_integer(expires));
	CU_ASSERT(json_integer_value(expires) > 3590 && json_integer_value(expires) <= 3600);
	json_decref(json);
}

static void test_a_grant_is_asked_for(void)
{
	const struct grant_order *grant = &authority.got.grant;
	uint8_t digest[32];

	begin_oauth();
	asked.body = GRANT "&scope=spc-token+revoke&resource=x";
	ask(oauth_token_handle);
	credential_digest_basic("client", 6, "secret", 6, digest);
	CU_ASSERT_EQUAL(authority.n, 1);
	CU_ASSERT_EQUAL(grant->proof.method, METHOD_SECRET);
	CU_ASSERT_EQUAL(memcmp(grant->proof.credential, digest, 32), 0);
	CU_ASSERT_EQUAL(grant->scopes, SCOPE_SPC_TOKEN | SCOPE_REVOKE);
	CU_ASSERT_EQUAL(memcmp(grant->peer, http_peer(NULL), 16), 0);
	CU_ASSERT_STRING_EQUAL(grant->request_id, "req-1");

	begin_oauth();
	asked.body = GRANT "&scope=";
	ask(oauth_token_handle);
	CU_ASSERT_EQUAL(authority.got.grant.scopes, 0);
}

static const struct {
	const char *name, *authorization, *content_type, *body;
	int status;
	const char *error;
} refused[] = {
	{ "no media type", BASIC, NULL, GRANT, 400, "invalid_request" },
	{ "JSON", BASIC, "application/json", "{}", 400, "invalid_request" },
	{ "no form", BASIC, FORM, "{ }", 400, "invalid_request" },
	{ "no body", BASIC, FORM, "", 400, "invalid_request" },
	{ "no grant_type", BASIC, FORM, "scope=spc-token", 400, "invalid_request" },
	{ "grant_type without a value", BASIC, FORM, "grant_type=", 400, "invalid_request" },
	{ "grant_type twice", BASIC, FORM, GRANT "&" GRANT, 400, "invalid_request" },
	{ "scope twice", BASIC, FORM, GRANT "&scope=revoke&scope=revoke", 400, "invalid_request" },
	{ "an unknown parameter twice", BASIC, FORM, GRANT "&x=1&x=1", 400, "invalid_request" },
	{ "password", BASIC, FORM, "grant_type=password", 400, "unsupported_grant_type" },
	{ "refresh_token", BASIC, FORM, "grant_type=refresh_token", 400, "unsupported_grant_type" },
	{ "an unknown scope", BASIC, FORM, GRANT "&scope=admin", 400, "invalid_scope" },
	{ "a scope with two blanks", BASIC, FORM, GRANT "&scope=revoke++revoke", 400,
	  "invalid_scope" },
	{ "two methods", BASIC, FORM, GRANT "&client_id=client&client_secret=secret", 400,
	  "invalid_request" },
	{ "no client", NULL, FORM, GRANT, 401, "invalid_client" },
	{ "Bearer", "Bearer x", FORM, GRANT, 401, "invalid_client" },
	{ "a bad assertion", NULL, FORM,
	  GRANT "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		"&client_assertion=x",
	  401, "invalid_client" },
};

static void test_what_is_refused_before_it_is_an_order(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin_oauth();
		asked.authorization = refused[i].authorization;
		asked.content_type = refused[i].content_type;
		asked.body = refused[i].body;
		ask(oauth_token_handle);
		if (told.status != refused[i].status)
			printf("\n  %s: %d %s", refused[i].name, told.status, told.body);
		CU_ASSERT_EQUAL(told.status, refused[i].status);
		CU_ASSERT_STRING_EQUAL(told_text("error"), refused[i].error);
		CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
		CU_ASSERT_FALSE(told.store);
		CU_ASSERT_STRING_EQUAL(told.fields, told.status == 401 ? CHALLENGE_1 : "");
		CU_ASSERT_EQUAL(authority.n, 0);
	}
}

static const struct {
	enum verdict verdict;
	int status;
	const char *error, *fields;
} verdicts[] = {
	{ VERDICT_STRANGER, 401, "invalid_client", CHALLENGE_1 },
	{ VERDICT_CREDENTIAL_EXPIRED, 401, "invalid_client", CHALLENGE_1 },
	{ VERDICT_CLIENT_DISABLED, 401, "invalid_client", CHALLENGE_1 },
	{ VERDICT_REPLAYED, 401, "invalid_client", CHALLENGE_1 },
	{ VERDICT_SCOPE_NOT_PERMITTED, 400, "invalid_scope", "" },
	{ VERDICT_ADDRESS_NOT_ALLOWED, 403, "unauthorized_client", "" },
	{ VERDICT_RATE, 429, "temporarily_unavailable", "Retry-After\n" },
	{ VERDICT_CLOCK, 503, "temporarily_unavailable", "Retry-After\n" },
	{ (enum verdict)99, 500, "server_error", "" },
};

static void test_verdicts_in_the_words_of_oauth(void)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		for (int revoke = 0; revoke < 2; revoke++) {
			if (revoke)
				begin_revoke();
			else
				begin_oauth();
			authority.granted.verdict = (uint8_t)verdicts[i].verdict;
			authority.done.verdict = (uint8_t)verdicts[i].verdict;
			ask(revoke ? oauth_revoke_handle : oauth_token_handle);
			CU_ASSERT_EQUAL(told.status, verdicts[i].status);
			CU_ASSERT_STRING_EQUAL(told_text("error"), verdicts[i].error);
			CU_ASSERT_STRING_EQUAL(told.fields, verdicts[i].fields);
			CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
		}
	}
	begin_oauth();
	authority.granted.verdict = VERDICT_ADDRESS_NOT_ALLOWED;
	ask(oauth_token_handle);
	CU_ASSERT_PTR_NOT_NULL(strstr(told_text("error_description"), "192.0.2.1"));
}

static void test_a_stranger_and_an_expired_client_are_alike(void)
{
	char body[sizeof(told.body)];

	begin_oauth();
	authority.granted.verdict = VERDICT_STRANGER;
	ask(oauth_token_handle);
	strcpy(body, told.body);
	begin_oauth();
	authority.granted.verdict = VERDICT_CLIENT_DISABLED;
	ask(oauth_token_handle);
	CU_ASSERT_STRING_EQUAL(told.body, body);
}

static void test_without_an_authority_it_may_be_tried_again(void)
{
	begin_oauth();
	authority.fails = ERROR_UNAVAILABLE;
	ask(oauth_token_handle);
	CU_ASSERT_EQUAL(told.status, 503);
	CU_ASSERT_STRING_EQUAL(told_text("error"), "temporarily_unavailable");
	begin_revoke();
	authority.fails = ERROR_UNAVAILABLE; /* RFC 7009: 503 means that it is not revoked */
	ask(oauth_revoke_handle);
	CU_ASSERT_EQUAL(told.status, 503);
}

static void test_guesses_are_counted(void)
{
	const struct address_rate rates[ADDRESS_LIMIT_COUNT] = {
		[ADDRESS_FAILURES] = { 2, 1000, 2 },
	};

	begin_oauth();
	address_limits_free(services.limits);
	services.limits = address_limits_new(rates, 16);
	authority.granted.verdict = VERDICT_STRANGER;
	for (int i = 0; i < 3; i++)
		ask(oauth_token_handle);
	CU_ASSERT_EQUAL(authority.n, 2);
	CU_ASSERT_EQUAL(told.status, 429);
	CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
	CU_ASSERT_STRING_EQUAL(told_text("error"), "temporarily_unavailable");
}

static void test_a_client_that_has_gone_gets_no_token(void)
{
	begin_oauth();
	oauth_token_handle(NULL, &services);
	client_leaves();
	authority_answers();
	CU_ASSERT_EQUAL(told.n, 1);
	CU_ASSERT_EQUAL(told.kind, ERROR_CANCELLED);
	CU_ASSERT_STRING_EQUAL(told.body, "");
}

/* ---- revocations ---- */

static const struct {
	const char *name, *body;
	int status;
	const char *error;
} revocations[] = {
	{ "an access token", "token=" TOKEN, 200, NULL },
	{ "with its hint", "token=" TOKEN "&token_type_hint=access_token", 200, NULL },
	{ "with another hint", "token=" TOKEN "&token_type_hint=refresh_token", 200, NULL },
	{ "with an unknown hint", "token=" TOKEN "&token_type_hint=x", 200, NULL },
	{ "what is no token of ours", "token=xyz", 200, NULL },
	{ "what looks like three parts", "token=a.b.c", 200, NULL },
	{ "an SPC token", "token=e30.e30." JWS_SIG, 400, "unsupported_token_type" },
	{ "no token", "token_type_hint=access_token", 400, "invalid_request" },
	{ "a token without a value", "token=", 400, "invalid_request" },
	{ "a token twice", "token=a&token=b", 400, "invalid_request" },
};

static void test_revocations(void)
{
	for (size_t i = 0; i < sizeof(revocations) / sizeof(revocations[0]); i++) {
		begin_revoke();
		asked.body = revocations[i].body;
		ask(oauth_revoke_handle);
		if (told.status != revocations[i].status)
			printf("\n  %s: %d %s", revocations[i].name, told.status, told.body);
		CU_ASSERT_EQUAL(told.status, revocations[i].status);
		CU_ASSERT_EQUAL(authority.n, told.status == 200);
		if (revocations[i].error != NULL)
			CU_ASSERT_STRING_EQUAL(told_text("error"), revocations[i].error);
	}
}

static void test_a_revocation_is_asked_for(void)
{
	uint8_t digest[32];

	begin_revoke();
	ask(oauth_revoke_handle);
	credential_digest_token(TOKEN, strlen(TOKEN), digest);
	CU_ASSERT_EQUAL(memcmp(authority.got.revoke.token, digest, 32), 0);
	CU_ASSERT_EQUAL(authority.got.revoke.proof.method, METHOD_SECRET);
	CU_ASSERT_STRING_EQUAL(authority.got.revoke.request_id, "req-1");

	begin_revoke();
	asked.authorization = NULL;
	ask(oauth_revoke_handle);
	CU_ASSERT_EQUAL(told.status, 401);
	CU_ASSERT_STRING_EQUAL(told_text("error"), "invalid_client");
	CU_ASSERT_STRING_EQUAL(told.fields, CHALLENGE_1);
}

/* ---- metadata ---- */

static void test_the_metadata(void)
{
	begin_oauth();
	ask(oauth_metadata_handle);
	CU_ASSERT_EQUAL(told.status, 200);
	CU_ASSERT_TRUE(told.store);
	CU_ASSERT_STRING_EQUAL(
		told.body,
		"{\"issuer\":\"https://pa.example\","
		"\"token_endpoint\":\"https://pa.example/oauth2/token\","
		"\"revocation_endpoint\":\"https://pa.example/oauth2/revoke\","
		"\"response_types_supported\":[],"
		"\"grant_types_supported\":[\"client_credentials\"],"
		"\"scopes_supported\":[\"spc-token\",\"spc-token:ca\",\"revoke\"],"
		"\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\","
		"\"client_secret_post\",\"private_key_jwt\"],"
		"\"token_endpoint_auth_signing_alg_values_supported\":[\"ES256\"],"
		"\"revocation_endpoint_auth_methods_supported\":[\"client_secret_basic\","
		"\"client_secret_post\",\"private_key_jwt\"],"
		"\"revocation_endpoint_auth_signing_alg_values_supported\":[\"ES256\"]}");
}

static void test_without_a_base_url_the_first_name_is_the_issuer(void)
{
	struct config other = { .server_names = { .n = 1, .item = { (char *)"pa.test" } } };
	struct error error = { 0 };
	struct oauth_server *server = oauth_server_new(&other, &error);
	const char *const *audiences = oauth_server_audiences(server);

	CU_ASSERT_STRING_EQUAL(audiences[0], "https://pa.test");
	CU_ASSERT_STRING_EQUAL(audiences[1], "https://pa.test/oauth2/token");
	CU_ASSERT_STRING_EQUAL(audiences[2], "https://pa.test/oauth2/revoke");
	CU_ASSERT_PTR_NULL(audiences[3]);
	oauth_server_free(server);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "an access token is granted", test_an_access_token_is_granted },
		{ "a grant is asked for", test_a_grant_is_asked_for },
		{ "what is refused before it is an order",
		  test_what_is_refused_before_it_is_an_order },
		{ "verdicts in the words of OAuth", test_verdicts_in_the_words_of_oauth },
		{ "a stranger and an expired client are alike",
		  test_a_stranger_and_an_expired_client_are_alike },
		{ "without an authority it may be tried again",
		  test_without_an_authority_it_may_be_tried_again },
		{ "guesses are counted", test_guesses_are_counted },
		{ "a client that has gone gets no token",
		  test_a_client_that_has_gone_gets_no_token },
		{ "revocations", test_revocations },
		{ "a revocation is asked for", test_a_revocation_is_asked_for },
		{ "the metadata", test_the_metadata },
		{ "without a base_url the first name is the issuer",
		  test_without_a_base_url_the_first_name_is_the_issuer },
		CU_TEST_INFO_NULL,
	};

	return run_suite("oauth_request", tests);
}
