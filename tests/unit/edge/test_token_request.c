/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "edge/address_limits.h"
#include "edge/services.h"
#include "edge/token_parse.h"
#include "edge/token_request.h"
#include "http/request.h"
#include "ipc/channel.h"

/* The neighbours of the handler, faked by linking: each answers as the case says.  The table
 * of verdicts is the real one. */

static const struct outcome {
	const char *name;
	enum error_kind admitted, credential, channel;
	enum order_defect defect;
	enum verdict verdict;
	bool closes_early;
	enum error_kind want; /* what the client is told; ERROR_NONE is a token */
	const char *detail;   /* a part of it */
	const char *ran;      /* the neighbours that were called, in order */
} outcomes[] = {
	{ "issued", .want = ERROR_NONE, .detail = "the token", .ran = "admit body auth send " },
	{ "too often", .admitted = ERROR_LIMITED, .want = ERROR_LIMITED, .ran = "admit " },
	{ "no credentials", .credential = ERROR_UNAUTHORIZED, .want = ERROR_UNAUTHORIZED,
	  .ran = "admit body auth " },
	{ "a stranger", .verdict = VERDICT_STRANGER, .want = ERROR_FORBIDDEN,
	  .detail = "credentials", .ran = "admit body auth send " },
	{ "a foreign account", .verdict = VERDICT_NO_SUCH_ACCOUNT, .want = ERROR_NOT_FOUND,
	  .detail = "no such account", .ran = "admit body auth send " },
	{ "a code not held", .verdict = VERDICT_SPC_NOT_HELD, .want = ERROR_FORBIDDEN,
	  .detail = "does not hold", .ran = "admit body auth send " },
	{ "a malformed body", .defect = DEFECT_TKVALUE, .verdict = VERDICT_MALFORMED,
	  .want = ERROR_INVALID, .detail = "tkvalue", .ran = "admit body auth send " },
	{ "a malformed body of a stranger", .defect = DEFECT_TKVALUE, .verdict = VERDICT_STRANGER,
	  .want = ERROR_FORBIDDEN, .detail = "credentials", .ran = "admit body auth send " },
	{ "a verdict of another version", .verdict = 99, .want = ERROR_INTERNAL,
	  .detail = "verdict 99", .ran = "admit body auth send " },
	{ "the authority is gone", .channel = ERROR_UNAVAILABLE, .want = ERROR_UNAVAILABLE,
	  .ran = "admit body auth send " },
	{ "the client is gone", .closes_early = true, .want = ERROR_CANCELLED,
	  .ran = "admit body auth send " },
};

static const struct outcome *now;
static char ran[64];
static struct order sent;
static struct {
	done_fn done;
	void *arg;
	struct answer *answer;
} waiting;
static void (*closed)(void *);
static void *closed_arg;
static int replies;
static enum error_kind told;
static char told_detail[200];

static bool fake(const char *who, enum error_kind kind, struct error *error)
{
	strcat(ran, who);
	return kind == ERROR_NONE || error_set(error, kind, "refused");
}

bool address_limits_admit(struct address_limits *limits, const struct sockaddr *peer,
			  struct error *error)
{
	(void)limits;
	(void)peer;
	return fake("admit ", now->admitted, error);
}

bool credential_digest(const char *authorization, uint8_t digest[32], struct error *error)
{
	(void)authorization;
	memset(digest, 7, 32);
	return fake("auth ", now->credential, error);
}

enum order_defect token_body_parse(const char *body, size_t len, struct order *order)
{
	(void)body;
	(void)len;
	strcat(ran, "body ");
	strcpy(order->spc, "281K");
	return now->defect;
}

void ipc_order_start(struct ipc_channel *authority, const struct order *order,
		     struct answer *answer, done_fn done, void *arg)
{
	(void)authority;
	strcat(ran, "send ");
	sent = *order;
	waiting.done = done;
	waiting.arg = arg;
	waiting.answer = answer;
}

static void authority_answers(void)
{
	const struct error error = { .kind = now->channel };
	done_fn done = waiting.done;

	if (done == NULL)
		return;
	waiting.done = NULL;
	waiting.answer->verdict = now->verdict;
	waiting.answer->defect = sent.defect;
	strcpy(waiting.answer->token, "the token");
	done(waiting.arg, &error);
}

const struct sockaddr *http_peer(const struct http_request *http)
{
	(void)http;
	return NULL;
}

const char *http_header(const struct http_request *http, const char *name)
{
	(void)http;
	(void)name;
	return "Basic eA==";
}

const char *http_path_param(const struct http_request *http, const char *name)
{
	(void)http;
	(void)name;
	return "sp-1";
}

const char *http_body(const struct http_request *http, size_t *len)
{
	(void)http;
	*len = 2;
	return "{}";
}

void http_on_close(struct http_request *http, void (*fn)(void *), void *arg)
{
	(void)http;
	closed = fn;
	closed_arg = arg;
}

static void reply(enum error_kind kind, const char *detail)
{
	replies++;
	told = kind;
	snprintf(told_detail, sizeof(told_detail), "%s", detail);
}

void http_reply_token(struct http_request *http, const char *token)
{
	(void)http;
	reply(ERROR_NONE, token);
}

void http_reply_problem(struct http_request *http, const struct error *error)
{
	(void)http;
	reply(error->kind, error->detail);
}

static bool is_as_wanted(void)
{
	return replies == 1 && told == now->want && strcmp(ran, now->ran) == 0 &&
	       (now->detail == NULL || strstr(told_detail, now->detail) != NULL);
}

static void run(const struct outcome *outcome)
{
	struct services services = { 0 };

	now = outcome;
	ran[0] = '\0';
	replies = 0;
	token_request_handle(NULL, &services);
	if (now->closes_early)
		closed(closed_arg);
	authority_answers();
}

static void test_outcomes(void)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		run(&outcomes[i]);
		if (!is_as_wanted())
			printf("\n  %s: told %d \"%s\", ran %s", now->name, told, told_detail, ran);
		CU_ASSERT_TRUE(is_as_wanted());
	}
}

static void test_a_malformed_body_is_an_order_with_a_defect(void)
{
	const struct outcome malformed = { .defect = DEFECT_FINGERPRINT,
					   .verdict = VERDICT_MALFORMED };

	run(&malformed);
	CU_ASSERT_EQUAL(sent.kind, ORDER_ISSUE);
	CU_ASSERT_EQUAL(sent.defect, DEFECT_FINGERPRINT);
	CU_ASSERT_EQUAL(sent.credential[31], 7);
	CU_ASSERT_STRING_EQUAL(sent.account, "sp-1");
	CU_ASSERT_STRING_EQUAL(sent.spc, "281K");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "outcomes", test_outcomes },
		{ "a malformed body", test_a_malformed_body_is_an_order_with_a_defect },
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
