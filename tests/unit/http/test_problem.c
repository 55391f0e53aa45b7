/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "http/problem.h"

#define INSTANCE "\"instance\":\"urn:stipa:request:r-1\"}"

static const struct {
	struct error error;
	int status;
	const char *retry_after;
	const char *document;
} cases[] = {
	{ { .kind = ERROR_INVALID, .code = "tkvalue-malformed", .detail = "atc.tkvalue: not DER" },
	  400,
	  NULL,
	  "{\"type\":\"urn:stipa:problem:tkvalue-malformed\",\"title\":\"Bad Request\","
	  "\"status\":400,\"detail\":\"atc.tkvalue: not "
	  "DER\",\"code\":\"tkvalue-malformed\"," INSTANCE },
	{ { .kind = ERROR_UNAUTHORIZED, .detail = "no credentials" },
	  401,
	  NULL,
	  "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
	  "\"detail\":\"no credentials\"," INSTANCE },
	{ { .kind = ERROR_FORBIDDEN, .code = "spc-not-held" },
	  403,
	  NULL,
	  "{\"type\":\"urn:stipa:problem:spc-not-held\",\"title\":\"Forbidden\",\"status\":403,"
	  "\"code\":\"spc-not-held\"," INSTANCE },
	{ { .kind = ERROR_NOT_FOUND, .detail = "no such account" },
	  404,
	  NULL,
	  "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
	  "\"detail\":\"no such account\"," INSTANCE },
	{ { .kind = ERROR_CONFLICT, .detail = "choose: 1, 2" },
	  409,
	  NULL,
	  "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
	  "\"detail\":\"choose: 1, 2\"," INSTANCE },
	{ { .kind = ERROR_LIMITED, .detail = "too often" },
	  429,
	  "5",
	  "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,"
	  "\"detail\":\"too often\"," INSTANCE },
	{ { .kind = ERROR_UNAVAILABLE, .detail = "the queue is full" },
	  503,
	  "1",
	  "{\"type\":\"urn:stipa:problem:unavailable\",\"title\":\"Service Unavailable\","
	  "\"status\":503,\"detail\":\"the queue is full\",\"code\":\"unavailable\"," INSTANCE },
	{ { .kind = ERROR_INTERNAL, .code = "secret-code", .detail = "src/x.c: secret" },
	  500,
	  NULL,
	  "{\"type\":\"about:blank\",\"title\":\"Internal Server "
	  "Error\",\"status\":500," INSTANCE },
	{ { .kind = ERROR_INVALID, .detail = "a\r\nb\xff\"<" },
	  400,
	  NULL,
	  "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
	  "\"detail\":\"a??b?\\\"<\"," INSTANCE },
};

static char *document_of(const struct error *error)
{
	struct problem problem;

	problem_of_error(&problem, error, "r-1");
	return problem_document.write(&problem);
}

static void test_kinds_have_their_status_and_document(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *retry_after = problem_retry_after(cases[i].error.kind);
		char *document = document_of(&cases[i].error);

		CU_ASSERT_EQUAL(problem_status(cases[i].error.kind), cases[i].status);
		CU_ASSERT_EQUAL(retry_after != NULL, cases[i].retry_after != NULL);
		if (retry_after != NULL && cases[i].retry_after != NULL)
			CU_ASSERT_STRING_EQUAL(retry_after, cases[i].retry_after);
		CU_ASSERT_PTR_NOT_NULL_FATAL(document);
		CU_ASSERT_STRING_EQUAL(document, cases[i].document);
		if (strcmp(document, cases[i].document) != 0)
			printf("\n    %s\n    %s", document, cases[i].document);
		free(document);
	}
}

static void test_a_cancelled_request_has_no_answer(void)
{
	CU_ASSERT_EQUAL(problem_status(ERROR_CANCELLED), 0);
}

static void test_a_status_has_a_document(void)
{
	struct problem problem;
	char *document;

	problem_of_status(&problem, 411, "no Content-Length", "r-1");
	document = problem_document.write(&problem);
	CU_ASSERT_STRING_EQUAL(document,
			       "{\"type\":\"about:blank\",\"title\":\"Length Required\","
			       "\"status\":411,\"detail\":\"no Content-Length\"," INSTANCE);
	free(document);
}

static void test_a_document_may_have_further_members(void)
{
	static const struct problem_member more[] = {
		{ "dry_run", NULL },
		{ "spelling", "a \"b\"" },
		{ NULL, NULL },
	};
	struct problem problem;
	char *document;

	problem_of_status(&problem, 411, NULL, "r-1");
	problem.more = more;
	document = problem_document.write(&problem);
	CU_ASSERT_STRING_EQUAL(document, "{\"type\":\"about:blank\",\"title\":\"Length Required\","
					 "\"status\":411,\"instance\":\"urn:stipa:request:r-1\","
					 "\"dry_run\":true,\"spelling\":\"a \\\"b\\\"\"}");
	free(document);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "kinds have their status and document",
		  test_kinds_have_their_status_and_document },
		{ "a cancelled request has no answer", test_a_cancelled_request_has_no_answer },
		{ "a status has a document", test_a_status_has_a_document },
		{ "a document may have further members", test_a_document_may_have_further_members },
		CU_TEST_INFO_NULL,
	};

	return run_suite("problem", tests);
}
