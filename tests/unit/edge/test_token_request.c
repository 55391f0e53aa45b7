/* SPDX-License-Identifier: Apache-2.0 */
/* POST …/token on each face: what the authority is asked, and every cell of face x verdict x
 * credential. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "crypto/digest.h"
#include "edge/address_limits.h"
#include "edge/token_request.h"
#include "fakes.h"

#define GOOD                                                                                       \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":true,"        \
	"\"fingerprint\":\"" FP "\"}}"
#define NOT_CA                                                                                     \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":false,"       \
	"\"fingerprint\":\"" FP "\"}}"
#define LOWER                                                                                      \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMjgxaw==\","                    \
	"\"fingerprint\":\"" FP "\"}}"
#define TOKEN  "mF_9.B5f-4.1JqM"
#define BEARER "Bearer " TOKEN
#define LONG64 "0123456789012345678901234567890123456789012345678901234567890123"
#define SCOPE_CA                                                                                   \
	"WWW-Authenticate: Bearer realm=\"sti-pa\", error=\"insufficient_scope\", "                \
	"scope=\"spc-token:ca\"\n"
#define SCOPE_EE                                                                                   \
	"WWW-Authenticate: Bearer realm=\"sti-pa\", error=\"insufficient_scope\", "                \
	"scope=\"spc-token\"\n"

static void begin_good(void)
{
	begin();
	asked.body = GOOD;
	strcpy(authority.answer.spc, "1234");
	strcpy(authority.answer.text, "a.b.c");
	authority.answer.exp = 1767312000;
}

/* ---- every cell: design, faces of the token API ---- */

enum { SEED, SHORT, AT, API, FACES };

static const struct {
	const char *path, *media_type;
} faces[FACES] = {
	[SEED] = { "/sti-pa/account/sp-1", "application/problem+json" },
	[SHORT] = { "/account/sp-1", "application/problem+json" },
	[AT] = { "/at/account/sp-1", "application/problem+json" },
	[API] = { "/api/v1/account/sp-1", "application/json" },
};

static const struct cell {
	enum verdict verdict;
	uint8_t defect;
	int status, status_at;
	const char *code;
	const char *challenge; /* "" none */
	const char *detail;    /* a part of it */
} cells[] = {
	{ VERDICT_STRANGER, 0, 403, 403, "invalid-credentials", "", "credentials" },
	{ VERDICT_CREDENTIAL_EXPIRED, 0, 403, 403, "invalid-credentials", "", "credentials" },
	{ VERDICT_CLIENT_DISABLED, 0, 403, 403, "invalid-credentials", "", "credentials" },
	{ VERDICT_NO_SUCH_ACCOUNT, 0, 404, 403, "no-such-account", "", "account" },
	{ VERDICT_ACCOUNT_NOT_ACTIVE, 0, 403, 403, "account-not-active", "", "active" },
	{ VERDICT_ACCOUNT_LAPSED, 0, 403, 403, "account-lapsed", "", "lapsed" },
	{ VERDICT_MALFORMED, DEFECT_TKVALUE_SPC, 400, 400, "tkvalue-spc", "", "tkvalue:" },
	{ VERDICT_MALFORMED, DEFECT_MEDIA_TYPE, 400, 400, "media-type", "", "Content-Type:" },
	{ VERDICT_FORM_NOT_PERMITTED, 0, 403, 403, "form-not-permitted", "", "2017" },
	{ VERDICT_SPC_AMBIGUOUS, 0, 409, 409, "spc-ambiguous", "", "a.b.c" },
	{ VERDICT_SPC_NOT_HELD, 0, 403, 403, "spc-not-held", "", "SPC" },
	{ VERDICT_SPC_LAPSED, 0, 403, 403, "spc-lapsed", "", "SPC" },
	{ VERDICT_NO_DELEGATION, 0, 403, 403, "no-delegation", "", "ca:" },
	{ VERDICT_SIGNER_NOT_ACTIVE, 0, 503, 503, "unavailable", "Retry-After\n", "node" },
	{ VERDICT_CLOCK, 0, 503, 503, "unavailable", "Retry-After\n", "node" },
	{ VERDICT_ADDRESS_NOT_ALLOWED, 0, 403, 403, "address-not-allowed", "", "192.0.2.1" },
	{ VERDICT_FINGERPRINT_NOT_PINNED, 0, 403, 403, "fingerprint-not-pinned", "",
	  "fingerprint:" },
	{ VERDICT_INVALID_TOKEN, 0, 401, 403, "invalid-token", INVALID, "access token" },
	{ VERDICT_INSUFFICIENT_SCOPE, 0, 403, 403, "insufficient-scope", SCOPE_CA, "spc-token:ca" },
	{ VERDICT_RATE, 0, 429, 429, "too-many-requests", "Retry-After\n", "often" },
};

static bool is_problem(const struct cell *cell, int status)
{
	const char *detail = told_text("detail"), *code = told_text("code");
	char part[32];

	snprintf(part, sizeof(part), "\"status\":%d,", status);
	return detail != NULL && strstr(detail, cell->detail) != NULL && code != NULL &&
	       strcmp(code, cell->code) == 0 && strstr(told.body, part) != NULL;
}

/* Three strings. */
static bool is_deployed_error(const struct cell *cell)
{
	const char *status = told_text("status"), *message, *code;
	bool is_error = status != NULL && strcmp(status, "error") == 0;

	message = told_text("message");
	if (message == NULL || strstr(message, cell->detail) == NULL)
		return false;
	code = told_text("errorCode");
	return is_error && code != NULL && strcmp(code, cell->code) == 0 && told_members() == 3;
}

static bool is_told(const struct cell *cell, int face)
{
	int status = face == AT ? cell->status_at : cell->status;

	return told.n == 1 && authority.n == 1 && told.status == status &&
	       strcmp(told.fields, cell->challenge) == 0 &&
	       strcmp(told.media_type, faces[face].media_type) == 0 &&
	       (face == API ? is_deployed_error(cell) : is_problem(cell, status));
}

static void run_cell(const struct cell *cell, int face, const char *authorization)
{
	begin_good();
	asked.path = faces[face].path;
	asked.authorization = authorization;
	authority.answer.verdict = (uint8_t)cell->verdict;
	authority.answer.defect = cell->defect;
	ask(token_request_handle);
	if (!is_told(cell, face))
		printf("\n  %s, verdict %d: %d %s %s", faces[face].path, cell->verdict, told.status,
		       told.fields, told.body);
	CU_ASSERT_TRUE(is_told(cell, face));
}

static void test_every_cell_of_face_and_verdict(void)
{
	static const char *const authorizations[] = { BASIC, BEARER, TOKEN };
	bool seen[VERDICT_COUNT] = { [VERDICT_ISSUED] = true,
				     [VERDICT_REPLAYED] = true,
				     [VERDICT_SCOPE_NOT_PERMITTED] = true };

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		seen[cells[i].verdict] = true;
		for (int face = 0; face < FACES; face++)
			for (size_t j = 0; j < 3; j++)
				run_cell(&cells[i], face, authorizations[j]);
	}
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		CU_ASSERT_TRUE(seen[i]);
}

/* What is never an order, on each face. */
static const struct {
	const char *name, *authorization, *code;
	int status;
	const char *fields, *fields_api;
} unasked[] = {
	{ "no credentials", NULL, "no-credentials", 401, CHALLENGE_1 CHALLENGE_2,
	  CHALLENGE_2 CHALLENGE_1 },
	{ "another scheme", "Negotiate YIIB", "no-credentials", 401, CHALLENGE_1 CHALLENGE_2,
	  CHALLENGE_2 CHALLENGE_1 },
	/* client:stipa_prod_ and 49 of A */
	{ "a secret of production",
	  "Basic "
	  "Y2xpZW50OnN0aXBhX3Byb2RfQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
	  "FBQQ==",
	  "foreign-environment", 403, "", "" },
	{ "a token of staging", "Bearer stipa_stg_at_" ZEROS43 "AAAAAA", "foreign-environment", 403,
	  "", "" },
	{ "a bare token of staging", "stipa_stg_at_" ZEROS43 "AAAAAA", "foreign-environment", 403,
	  "", "" },
};

static void test_what_is_never_an_order(void)
{
	for (size_t i = 0; i < sizeof(unasked) / sizeof(unasked[0]); i++) {
		for (int face = 0; face < FACES; face++) {
			const char *fields =
				face == API ? unasked[i].fields_api : unasked[i].fields;

			begin_good();
			asked.path = faces[face].path;
			asked.authorization = unasked[i].authorization;
			asked.body = "x"; /* not even looked at */
			ask(token_request_handle);
			if (told.status != unasked[i].status)
				printf("\n  %s: %d", unasked[i].name, told.status);
			CU_ASSERT_EQUAL(told.status, unasked[i].status);
			CU_ASSERT_STRING_EQUAL(told.code, unasked[i].code);
			CU_ASSERT_STRING_EQUAL(told.fields, fields);
			CU_ASSERT_STRING_EQUAL(told.media_type, faces[face].media_type);
			CU_ASSERT_EQUAL(authority.n, 0);
		}
	}
}

static void test_a_foreign_secret_is_named(void)
{
	begin_good();
	asked.authorization = "stipa_prod_at_" ZEROS43 "AAAAAA";
	ask(token_request_handle);
	CU_ASSERT_STRING_EQUAL(told_text("detail"),
			       "this secret is one of production; this is demo");
	begin_good();
	asked.authorization = "stipa_demo_at_" ZEROS43 "AAAAAA";
	ask(token_request_handle);
	CU_ASSERT_EQUAL(authority.n, 1); /* ours: the authority says */
}

static void test_failures_that_are_not_verdicts(void)
{
	for (int face = 0; face < FACES; face++) {
		begin_good();
		asked.path = faces[face].path;
		authority.fails = ERROR_UNAVAILABLE;
		ask(token_request_handle);
		CU_ASSERT_EQUAL(told.status, 503);
		CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
		CU_ASSERT_STRING_EQUAL(told.media_type, faces[face].media_type);

		begin_good();
		asked.path = faces[face].path;
		authority.answer.verdict = 99;
		ask(token_request_handle);
		CU_ASSERT_EQUAL(told.status, 500);
		CU_ASSERT_STRING_EQUAL(told.media_type, faces[face].media_type);
		CU_ASSERT_PTR_NULL(strstr(told.body, "99"));
	}
}

/* Foreign and absent accounts are one verdict; the answer does not quote the path. */
static void test_foreign_and_absent_accounts_are_alike_in_bytes(void)
{
	for (int face = 0; face < FACES; face++) {
		char body[sizeof(told.body)];

		begin_good();
		asked.path = faces[face].path;
		asked.id = "sp-absent";
		authority.answer.verdict = VERDICT_NO_SUCH_ACCOUNT;
		ask(token_request_handle);
		strcpy(body, told.body);
		begin_good();
		asked.path = faces[face].path;
		asked.id = "odd account \xc3\xa9";
		authority.answer.verdict = VERDICT_NO_SUCH_ACCOUNT;
		ask(token_request_handle);
		CU_ASSERT_STRING_EQUAL(told.body, body);
	}
}

/* ---- what the authority is asked ---- */

static void test_a_good_request_is_an_order(void)
{
	uint8_t digest[32];
	const struct order *order = &authority.got.order;

	begin_good();
	ask(token_request_handle);
	credential_digest_basic("client", 6, "secret", 6, digest);
	CU_ASSERT_EQUAL(order->kind, ORDER_ISSUE);
	CU_ASSERT_EQUAL(order->form, TOKEN_FORM_ATC);
	CU_ASSERT_EQUAL(order->defect, DEFECT_NONE);
	CU_ASSERT_EQUAL(order->ca, 1);
	CU_ASSERT_EQUAL(order->presented, PRESENTED_SECRET);
	CU_ASSERT_EQUAL(order->dry_run, 0);
	CU_ASSERT_EQUAL(memcmp(order->credential, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order->peer, http_peer(NULL), 16), 0);
	CU_ASSERT_STRING_EQUAL(order->request_id, "req-1");
	CU_ASSERT_STRING_EQUAL(order->account, "sp-1");
	CU_ASSERT_STRING_EQUAL(order->spc, "1234");
	CU_ASSERT_STRING_EQUAL(order->tkvalue, "MAigBhYEMTIzNA==");
	CU_ASSERT_STRING_EQUAL(order->fingerprint, FP);
}

static void test_an_access_token_is_presented_as_one(void)
{
	static const char *const spellings[] = { TOKEN, "Bearer " TOKEN, "bearer " TOKEN };
	uint8_t digest[32];

	credential_digest_token(TOKEN, strlen(TOKEN), digest);
	for (size_t i = 0; i < 3; i++) {
		begin_good();
		asked.authorization = spellings[i];
		ask(token_request_handle);
		CU_ASSERT_EQUAL(authority.got.order.presented, PRESENTED_TOKEN);
		CU_ASSERT_EQUAL(memcmp(authority.got.order.credential, digest, 32), 0);
		CU_ASSERT_EQUAL(told.status, 200);
	}
}

static void test_a_malformed_body_is_an_order_with_a_defect(void)
{
	begin_good();
	asked.body = LOWER;
	ask(token_request_handle);
	CU_ASSERT_EQUAL(authority.got.order.kind, ORDER_ISSUE);
	CU_ASSERT_EQUAL(authority.got.order.form, TOKEN_FORM_ATC);
	CU_ASSERT_EQUAL(authority.got.order.defect, DEFECT_TKVALUE_SPC);
	CU_ASSERT_STRING_EQUAL(authority.got.order.account, "sp-1");
	CU_ASSERT_STRING_EQUAL(authority.got.order.tkvalue, "");
}

static void test_another_media_type_is_a_defect(void)
{
	begin_good();
	asked.content_type = "text/plain";
	ask(token_request_handle);
	CU_ASSERT_EQUAL(authority.got.order.defect, DEFECT_MEDIA_TYPE);
	CU_ASSERT_EQUAL(authority.got.order.form, TOKEN_FORM_ATC);
	CU_ASSERT_STRING_EQUAL(authority.got.order.tkvalue, "");

	begin_good();
	asked.content_type = NULL;
	ask(token_request_handle);
	CU_ASSERT_EQUAL(authority.got.order.defect, DEFECT_NONE);
}

static const struct {
	const char *id, *account;
} accounts[] = {
	{ "sp-1", "sp-1" },
	{ "683G", "683G" },
	{ "An.alias_~-1", "An.alias_~-1" },
	{ LONG64, "" },
	{ &LONG64[1], &LONG64[1] },
	{ "", "" },
	{ "a b", "" },
	{ "a/b", "" },
	{ "a\nb", "" },
	{ "\xc3\xa9", "" },
	{ "a\"b", "" },
	{ "stipa_demo_" ZEROS43 "AAAAAA", "" },
};

static void test_an_odd_account_is_nobodys(void)
{
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		begin_good();
		asked.id = accounts[i].id;
		ask(token_request_handle);
		CU_ASSERT_EQUAL(authority.n, 1);
		CU_ASSERT_STRING_EQUAL(authority.got.order.account, accounts[i].account);
	}
}

/* ---- the answer ---- */

static void test_an_answer_has_strings_only(void)
{
	static const char *const members[][2] = {
		{ "status", "success" },
		{ "message", "SPC token for SPC 1234 created" },
		{ "token", "a.b.c" },
		{ "iss", "CN=STI-PA \"CRL\",O=\xc3\x89" },
	};

	for (int face = 0; face < FACES; face++) {
		const char *crl = face == API ? "https://pa.example/download/v1/crl"
					      : "https://pa.example/sti-pa/crl";

		begin_good();
		asked.path = faces[face].path;
		ask(token_request_handle);
		CU_ASSERT_EQUAL(told.status, 200);
		CU_ASSERT_EQUAL(told_members(), 5);
		for (size_t i = 0; i < 4; i++)
			CU_ASSERT_STRING_EQUAL(told_text(members[i][0]), members[i][1]);
		CU_ASSERT_STRING_EQUAL(told_text("crl"), crl);
		CU_ASSERT_FALSE(told.store);
	}
}

static void test_the_media_type_is_as_accept_asks(void)
{
	for (int face = 0; face < FACES; face++) {
		begin_good();
		asked.path = faces[face].path;
		ask(token_request_handle);
		CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");

		begin_good();
		asked.path = faces[face].path;
		asked.accept = "application/jose+json";
		ask(token_request_handle);
		CU_ASSERT_STRING_EQUAL(told.media_type, "application/jose+json");
	}
}

/* An error is no jose+json, whatever was asked for. */
static void test_an_error_has_the_media_type_of_its_face(void)
{
	begin_good();
	asked.accept = "application/jose+json";
	asked.path = faces[API].path;
	authority.answer.verdict = VERDICT_STRANGER;
	ask(token_request_handle);
	CU_ASSERT_STRING_EQUAL(told.media_type, "application/json");
}

static void test_the_scope_that_is_missing_is_named(void)
{
	begin_good();
	asked.body = NOT_CA;
	asked.authorization = TOKEN;
	authority.answer.verdict = VERDICT_INSUFFICIENT_SCOPE;
	ask(token_request_handle);
	CU_ASSERT_EQUAL(told.status, 403);
	CU_ASSERT_STRING_EQUAL(told.fields, SCOPE_EE);
}

/* ---- dry runs ---- */

static void test_a_dry_run_says_what_would_be_issued(void)
{
	begin_good();
	authority.answer.text[0] = '\0';
	ask(token_dry_run_handle);
	CU_ASSERT_EQUAL(authority.got.order.dry_run, 1);
	CU_ASSERT_EQUAL(told.status, 200);
	CU_ASSERT_EQUAL(told_members(), 6);
	CU_ASSERT_STRING_EQUAL(told_text("status"), "would-issue");
	CU_ASSERT_STRING_EQUAL(told_text("message"), "a token for SPC 1234 would be issued");
	CU_ASSERT_STRING_EQUAL(told_text("spc"), "1234");
	CU_ASSERT_STRING_EQUAL(told_text("ca"), "true");
	CU_ASSERT_STRING_EQUAL(told_text("expires"), "2026-01-02T00:00:00Z");
	CU_ASSERT_STRING_EQUAL(told_text("fingerprint_form"), "sha256-hex-upper");
}

static void test_a_dry_run_says_which_rule_refuses(void)
{
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin_good();
		authority.answer.verdict = (uint8_t)cells[i].verdict;
		authority.answer.defect = cells[i].defect;
		ask(token_dry_run_handle);
		CU_ASSERT_EQUAL(told.status, cells[i].status);
		CU_ASSERT_STRING_EQUAL(told.code, cells[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(told.body, "\"dry_run\":true"));
		CU_ASSERT_STRING_EQUAL(told_text("fingerprint_form"), "sha256-hex-upper");
	}
	begin_good();
	asked.path = faces[API].path;
	authority.answer.verdict = VERDICT_SPC_NOT_HELD;
	ask(token_dry_run_handle);
	CU_ASSERT_STRING_EQUAL(told.body,
			       "{\"status\":\"error\",\"message\":\"the account does not hold this "
			       "SPC\",\"errorCode\":\"spc-not-held\",\"dry_run\":\"true\","
			       "\"fingerprint_form\":\"sha256-hex-upper\"}");
}

static void test_a_dry_run_without_a_fingerprint_names_none(void)
{
	begin_good();
	asked.body = LOWER;
	authority.answer.verdict = VERDICT_MALFORMED;
	authority.answer.defect = DEFECT_TKVALUE_SPC;
	ask(token_dry_run_handle);
	CU_ASSERT_PTR_NULL(told_text("fingerprint_form"));
	CU_ASSERT_PTR_NOT_NULL(strstr(told.body, "\"dry_run\":true"));
}

/* ---- limits ---- */

static void limit(unsigned int requests, unsigned int failures)
{
	const struct address_rate rates[ADDRESS_LIMIT_COUNT] = {
		[ADDRESS_REQUESTS] = { requests, 1000, requests },
		[ADDRESS_FAILURES] = { failures, 1000, failures },
	};

	address_limits_free(services.limits);
	services.limits = address_limits_new(rates, 16);
}

static void test_who_asks_too_often_is_told_so_in_his_form(void)
{
	for (int face = 0; face < FACES; face++) {
		begin_good();
		limit(1, 0);
		asked.path = faces[face].path;
		ask(token_request_handle);
		CU_ASSERT_EQUAL(told.status, 200);
		ask(token_request_handle);
		CU_ASSERT_EQUAL(told.status, 429);
		CU_ASSERT_EQUAL(authority.n, 1);
		CU_ASSERT_STRING_EQUAL(told.code, "too-many-requests");
		CU_ASSERT_STRING_EQUAL(told.fields, "Retry-After\n");
		CU_ASSERT_STRING_EQUAL(told.media_type, faces[face].media_type);
	}
}

static void test_wrong_credentials_are_counted_and_other_refusals_are_not(void)
{
	static const struct {
		enum verdict verdict;
		bool counts;
	} rows[] = {
		{ VERDICT_STRANGER, true },
		{ VERDICT_CREDENTIAL_EXPIRED, true },
		{ VERDICT_INVALID_TOKEN, true },
		{ VERDICT_ISSUED, false },
		{ VERDICT_NO_SUCH_ACCOUNT, false },
		{ VERDICT_SPC_NOT_HELD, false },
		{ VERDICT_INSUFFICIENT_SCOPE, false },
		{ VERDICT_ADDRESS_NOT_ALLOWED, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int face = 0; face < FACES; face++) {
			begin_good();
			limit(0, 2);
			asked.path = faces[face].path;
			authority.answer.verdict = (uint8_t)rows[i].verdict;
			for (int n = 0; n < 3; n++)
				ask(token_request_handle);
			CU_ASSERT_EQUAL(told.status == 429, rows[i].counts);
			CU_ASSERT_EQUAL(authority.n, rows[i].counts ? 2 : 3);
		}
	}
	begin_good();
	limit(0, 2);
	asked.authorization = "stipa_prod_at_" ZEROS43 "AAAAAA";
	for (int n = 0; n < 3; n++)
		ask(token_request_handle);
	CU_ASSERT_EQUAL(told.status, 429);
}

/* ---- the client goes ---- */

static void test_a_client_that_has_gone_gets_no_token(void)
{
	begin_good();
	token_request_handle(NULL, &services);
	CU_ASSERT_EQUAL(told.n, 0);
	client_leaves();
	CU_ASSERT_EQUAL(told.n, 0);
	authority_answers();
	CU_ASSERT_EQUAL(told.n, 1);
	CU_ASSERT_EQUAL(told.kind, ERROR_CANCELLED);
	CU_ASSERT_STRING_EQUAL(told.body, "");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "every cell of face and verdict", test_every_cell_of_face_and_verdict },
		{ "what is never an order", test_what_is_never_an_order },
		{ "a foreign secret is named", test_a_foreign_secret_is_named },
		{ "failures that are not verdicts", test_failures_that_are_not_verdicts },
		{ "foreign and absent accounts are alike in bytes",
		  test_foreign_and_absent_accounts_are_alike_in_bytes },
		{ "a good request is an order", test_a_good_request_is_an_order },
		{ "an access token is presented as one", test_an_access_token_is_presented_as_one },
		{ "a malformed body is an order with a defect",
		  test_a_malformed_body_is_an_order_with_a_defect },
		{ "another media type is a defect", test_another_media_type_is_a_defect },
		{ "an odd account is nobody's", test_an_odd_account_is_nobodys },
		{ "an answer has strings only", test_an_answer_has_strings_only },
		{ "the media type is as Accept asks", test_the_media_type_is_as_accept_asks },
		{ "an error has the media type of its face",
		  test_an_error_has_the_media_type_of_its_face },
		{ "the scope that is missing is named", test_the_scope_that_is_missing_is_named },
		{ "a dry run says what would be issued", test_a_dry_run_says_what_would_be_issued },
		{ "a dry run says which rule refuses", test_a_dry_run_says_which_rule_refuses },
		{ "a dry run without a fingerprint names none",
		  test_a_dry_run_without_a_fingerprint_names_none },
		{ "who asks too often is told so in his form",
		  test_who_asks_too_often_is_told_so_in_his_form },
		{ "wrong credentials are counted, other refusals are not",
		  test_wrong_credentials_are_counted_and_other_refusals_are_not },
		{ "a client that has gone gets no token",
		  test_a_client_that_has_gone_gets_no_token },
		CU_TEST_INFO_NULL,
	};

	return run_suite("token_request", tests);
}
