/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbours of the handler, HTTP and the authority, are faked by linking: each answers as the
 * case says.  The parsers and the table of verdicts are the real ones. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <CUnit/Basic.h>
#include <jansson.h>

#include "config/config.h"
#include "crypto/digest.h"
#include "edge/services.h"
#include "edge/token_request.h"
#include "http/request.h"
#include "ipc/channel.h"

#define FP                                                                                         \
	"SHA256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:" \
	"D7:D1:02:0F:E5"
#define GOOD                                                                                       \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":true,"        \
	"\"fingerprint\":\"" FP "\"}}"
#define LOWER                                                                                      \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMjgxaw==\","                    \
	"\"fingerprint\":\"" FP "\"}}"
#define BASIC  "Basic Y2xpZW50OnNlY3JldA=="
#define LONG64 "0123456789012345678901234567890123456789012345678901234567890123"

/* What came. */
static struct {
	const char *authorization, *content_type, *body, *id, *accept, *request_id;
} request;

/* What the authority does, and what was done to it. */
static struct {
	enum error_kind fails;
	struct answer answer;
	int n;
	struct order order;
	struct answer *to;
	done_fn done;
	void *arg;
} authority;

/* What was told. */
static struct {
	int n, status;
	enum error_kind kind;
	char code[64], detail[200], challenge[100], media_type[64], body[4096];
	bool store;
} reply;

static void (*closed)(void *);
static void *closed_arg;

void ipc_order_start(struct ipc_channel *channel, const struct order *order, struct answer *answer,
		     done_fn done, void *arg)
{
	(void)channel;
	authority.n++;
	authority.order = *order;
	authority.to = answer;
	authority.done = done;
	authority.arg = arg;
}

static void authority_answers(void)
{
	const struct error error = { .kind = authority.fails, .detail = "the authority is gone" };

	if (authority.done == NULL)
		return;
	*authority.to = authority.answer;
	authority.done(authority.arg, &error);
	authority.done = NULL;
}

const uint8_t *http_peer(const struct http_request *http)
{
	(void)http;
	return (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01";
}

const char *http_request_id(const struct http_request *http)
{
	(void)http;
	return request.request_id;
}

const char *http_header(const struct http_request *http, const char *name)
{
	(void)http;
	if (strcasecmp(name, "authorization") == 0)
		return request.authorization;
	return strcasecmp(name, "content-type") == 0 ? request.content_type : NULL;
}

const char *http_path_param(const struct http_request *http, const char *name)
{
	(void)http;
	return strcmp(name, "id") == 0 ? request.id : NULL;
}

const char *http_body(const struct http_request *http, size_t *len)
{
	(void)http;
	*len = strlen(request.body);
	return request.body;
}

bool http_accepts(const struct http_request *http, const char *media_type)
{
	(void)http;
	return request.accept != NULL && strcmp(request.accept, media_type) == 0;
}

void http_on_close(struct http_request *http, void (*fn)(void *), void *arg)
{
	(void)http;
	closed = fn;
	closed_arg = arg;
}

#define KEEP(field, text) snprintf(reply.field, sizeof(reply.field), "%s", (text) ? (text) : "")

void http_reply(struct http_request *http, const struct http_reply *r)
{
	(void)http;
	reply.n++;
	reply.status = r->status;
	reply.store = r->store;
	KEEP(media_type, r->media_type);
	CU_ASSERT_FATAL(r->len < sizeof(reply.body));
	memcpy(reply.body, r->body, r->len);
	reply.body[r->len] = '\0';
}

void http_reply_problem(struct http_request *http, const struct error *error, const char *challenge)
{
	(void)http;
	reply.n++;
	reply.kind = error->kind;
	KEEP(code, error->code);
	KEEP(detail, error->detail);
	KEEP(challenge, challenge);
}

static void begin(void)
{
	memset(&authority, 0, sizeof(authority));
	memset(&reply, 0, sizeof(reply));
	strcpy(authority.answer.spc, "1234");
	strcpy(authority.answer.text, "a.b.c");
	request.authorization = BASIC;
	request.content_type = "application/json";
	request.body = GOOD;
	request.id = "sp-1";
	request.accept = NULL;
	request.request_id = "req-1";
}

static void handle(void)
{
	struct config config = { .crl_url = (char *)"https://pa/sti-pa/crl",
				 .crl_issuer = (char *)"CN=STI-PA \"CRL\",O=\xc3\x89" };
	struct services services = { .config = &config };

	token_request_handle(NULL, &services);
	authority_answers();
}

/* ---- what the client is told ---- */

static const struct outcome {
	const char *name;
	const char *authorization, *body; /* NULL: good ones */
	enum error_kind fails;
	enum verdict verdict;
	uint8_t defect;
	enum error_kind want; /* ERROR_NONE is a token */
	const char *code, *detail, *challenge;
	int orders;
} outcomes[] = {
	{ "issued", .want = ERROR_NONE, .orders = 1 },
	{ "no credentials", .authorization = "", .want = ERROR_UNAUTHORIZED,
	  .code = "no-credentials", .challenge = "Basic realm=\"sti-pa\", charset=\"UTF-8\"" },
	{ "no credentials and a malformed body", .authorization = "", .body = "x",
	  .want = ERROR_UNAUTHORIZED, .code = "no-credentials",
	  .challenge = "Basic realm=\"sti-pa\", charset=\"UTF-8\"" },
	{ "another scheme", .authorization = "Negotiate YIIB", .want = ERROR_UNAUTHORIZED,
	  .code = "no-credentials", .challenge = "Basic realm=\"sti-pa\", charset=\"UTF-8\"" },
	{ "an access token", .authorization = "Bearer abc", .want = ERROR_UNAUTHORIZED,
	  .code = "invalid-token",
	  .challenge = "Bearer realm=\"sti-pa\", error=\"invalid_token\"" },
	{ "a bare access token", .authorization = "abc", .want = ERROR_UNAUTHORIZED,
	  .code = "invalid-token",
	  .challenge = "Bearer realm=\"sti-pa\", error=\"invalid_token\"" },
	{ "a stranger", .verdict = VERDICT_STRANGER, .want = ERROR_FORBIDDEN,
	  .code = "invalid-credentials", .detail = "credentials", .orders = 1 },
	{ "unreadable credentials", .authorization = "Basic ?", .verdict = VERDICT_STRANGER,
	  .want = ERROR_FORBIDDEN, .code = "invalid-credentials", .orders = 1 },
	{ "a foreign account", .verdict = VERDICT_NO_SUCH_ACCOUNT, .want = ERROR_NOT_FOUND,
	  .code = "no-such-account", .orders = 1 },
	{ "a code not held", .verdict = VERDICT_SPC_NOT_HELD, .want = ERROR_FORBIDDEN,
	  .code = "spc-not-held", .orders = 1 },
	{ "no delegation", .verdict = VERDICT_NO_DELEGATION, .want = ERROR_FORBIDDEN,
	  .code = "no-delegation", .detail = "ca:", .orders = 1 },
	{ "several codes", .verdict = VERDICT_SPC_AMBIGUOUS, .want = ERROR_CONFLICT,
	  .code = "spc-ambiguous", .detail = "a.b.c", .orders = 1 },
	{ "a malformed body", .body = LOWER, .verdict = VERDICT_MALFORMED,
	  .defect = DEFECT_TKVALUE_SPC, .want = ERROR_INVALID, .code = "tkvalue-spc",
	  .detail = "tkvalue:", .orders = 1 },
	{ "a malformed body of a stranger", .body = LOWER, .verdict = VERDICT_STRANGER,
	  .want = ERROR_FORBIDDEN, .code = "invalid-credentials", .orders = 1 },
	{ "a verdict of another version", .verdict = 99, .want = ERROR_INTERNAL, .orders = 1 },
	{ "a key that may not sign", .verdict = VERDICT_SIGNER_NOT_ACTIVE,
	  .want = ERROR_UNAVAILABLE, .code = "unavailable", .orders = 1 },
	{ "the authority is gone", .fails = ERROR_UNAVAILABLE, .want = ERROR_UNAVAILABLE,
	  .detail = "gone", .orders = 1 },
};

static bool contains(const char *text, const char *part)
{
	return part == NULL || strstr(text, part) != NULL;
}

static bool is_told(const struct outcome *outcome)
{
	return reply.n == 1 && reply.kind == outcome->want && authority.n == outcome->orders &&
	       contains(reply.code, outcome->code) && contains(reply.detail, outcome->detail) &&
	       strcmp(reply.challenge, outcome->challenge ? outcome->challenge : "") == 0 &&
	       (reply.status == 200) == (outcome->want == ERROR_NONE);
}

static void run(const struct outcome *outcome)
{
	begin();
	if (outcome->authorization != NULL)
		request.authorization = outcome->authorization[0] ? outcome->authorization : NULL;
	if (outcome->body != NULL)
		request.body = outcome->body;
	authority.fails = outcome->fails;
	authority.answer.verdict = (uint8_t)outcome->verdict;
	authority.answer.defect = outcome->defect;
	handle();
}

static void test_outcomes(void)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		run(&outcomes[i]);
		if (!is_told(&outcomes[i]))
			printf("\n  %s: %d %s \"%s\" %s, %d orders", outcomes[i].name, reply.kind,
			       reply.code, reply.detail, reply.challenge, authority.n);
		CU_ASSERT_TRUE(is_told(&outcomes[i]));
	}
}

/* ---- what the authority is asked ---- */

static void test_a_good_request_is_an_order(void)
{
	uint8_t digest[32];
	const struct order *order = &authority.order;

	begin();
	handle();
	credential_digest_basic("client", 6, "secret", 6, digest);
	CU_ASSERT_EQUAL(order->kind, ORDER_ISSUE);
	CU_ASSERT_EQUAL(order->form, TOKEN_FORM_ATC);
	CU_ASSERT_EQUAL(order->defect, DEFECT_NONE);
	CU_ASSERT_EQUAL(order->ca, 1);
	CU_ASSERT_EQUAL(memcmp(order->credential, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(order->peer, http_peer(NULL), 16), 0);
	CU_ASSERT_STRING_EQUAL(order->request_id, "req-1");
	CU_ASSERT_STRING_EQUAL(order->account, "sp-1");
	CU_ASSERT_STRING_EQUAL(order->spc, "1234");
	CU_ASSERT_STRING_EQUAL(order->tkvalue, "MAigBhYEMTIzNA==");
	CU_ASSERT_STRING_EQUAL(order->fingerprint, FP);
}

static void test_a_malformed_body_is_an_order_with_a_defect(void)
{
	begin();
	request.body = LOWER;
	handle();
	CU_ASSERT_EQUAL(authority.order.kind, ORDER_ISSUE);
	CU_ASSERT_EQUAL(authority.order.form, TOKEN_FORM_ATC);
	CU_ASSERT_EQUAL(authority.order.defect, DEFECT_TKVALUE_SPC);
	CU_ASSERT_STRING_EQUAL(authority.order.account, "sp-1");
	CU_ASSERT_STRING_EQUAL(authority.order.tkvalue, "");
}

static void test_another_media_type_is_a_defect(void)
{
	begin();
	request.content_type = "text/plain";
	handle();
	CU_ASSERT_EQUAL(authority.order.defect, DEFECT_MEDIA_TYPE);
	CU_ASSERT_EQUAL(authority.order.form, TOKEN_FORM_ATC);
	CU_ASSERT_STRING_EQUAL(authority.order.tkvalue, "");

	begin();
	request.content_type = NULL;
	handle();
	CU_ASSERT_EQUAL(authority.order.defect, DEFECT_NONE);
}

static const struct {
	const char *id, *account;
} accounts[] = {
	{ "sp-1", "sp-1" },
	{ "683G", "683G" },
	{ "An.alias_~-1", "An.alias_~-1" },
	{ LONG64, "" },
	{ LONG64 + 1, LONG64 + 1 },
	{ "", "" },
	{ "a b", "" },
	{ "a/b", "" },
	{ "a\nb", "" },
	{ "\xc3\xa9", "" },
	{ "a\"b", "" },
};

static void test_an_odd_account_is_nobodys(void)
{
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		begin();
		request.id = accounts[i].id;
		handle();
		CU_ASSERT_EQUAL(authority.n, 1);
		CU_ASSERT_STRING_EQUAL(authority.order.account, accounts[i].account);
	}
}

/* ---- the answer ---- */

static void test_an_answer_has_strings_only(void)
{
	static const char *const members[][2] = {
		{ "status", "success" },
		{ "message", "SPC token for SPC 1234 created" },
		{ "token", "a.b.c" },
		{ "crl", "https://pa/sti-pa/crl" },
		{ "iss", "CN=STI-PA \"CRL\",O=\xc3\x89" },
	};
	json_t *json;

	begin();
	handle();
	json = json_loads(reply.body, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	CU_ASSERT_EQUAL(json_object_size(json), 5);
	for (size_t i = 0; i < 5; i++) {
		const char *value = json_string_value(json_object_get(json, members[i][0]));

		CU_ASSERT_STRING_EQUAL(value ? value : "none", members[i][1]);
	}
	json_decref(json);
	CU_ASSERT_FALSE(reply.store);
}

static void test_the_media_type_is_as_accept_asks(void)
{
	begin();
	handle();
	CU_ASSERT_STRING_EQUAL(reply.media_type, "application/json");

	begin();
	request.accept = "application/jose+json";
	handle();
	CU_ASSERT_STRING_EQUAL(reply.media_type, "application/jose+json");
}

/* ---- the client goes ---- */

static void test_a_client_that_has_gone_gets_no_token(void)
{
	struct config config = { 0 };
	struct services services = { .config = &config };

	begin();
	token_request_handle(NULL, &services);
	CU_ASSERT_EQUAL(reply.n, 0);
	closed(closed_arg);
	CU_ASSERT_EQUAL(reply.n, 0);
	authority_answers();
	CU_ASSERT_EQUAL(reply.n, 1);
	CU_ASSERT_EQUAL(reply.kind, ERROR_CANCELLED);
	CU_ASSERT_STRING_EQUAL(reply.body, "");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "outcomes", test_outcomes },
		{ "a good request is an order", test_a_good_request_is_an_order },
		{ "a malformed body is an order with a defect",
		  test_a_malformed_body_is_an_order_with_a_defect },
		{ "another media type is a defect", test_another_media_type_is_a_defect },
		{ "an odd account is nobody's", test_an_odd_account_is_nobodys },
		{ "an answer has strings only", test_an_answer_has_strings_only },
		{ "the media type is as Accept asks", test_the_media_type_is_as_accept_asks },
		{ "a client that has gone gets no token",
		  test_a_client_that_has_gone_gets_no_token },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "token_request", .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0;
}
