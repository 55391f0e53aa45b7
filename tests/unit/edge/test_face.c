/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "edge/face.h"
#include "fakes.h"
#include "http/problem.h"

enum { PROBLEM, DEPLOYED, OAUTH };

static const struct {
	const char *path;
	int form;
	bool forbids, deployed;
} paths[] = {
	{ "/api/v1/account/sp-1", DEPLOYED, false, true },
	{ "/api/v1/", DEPLOYED, false, true },
	{ "/api/v1", DEPLOYED, false, true },
	{ "/api/v1/nothing", DEPLOYED, false, true },
	{ "/api/v10", PROBLEM, false, false },
	{ "/api", PROBLEM, false, false },
	{ "/oauth2/token", OAUTH, false, false },
	{ "/oauth2", OAUTH, false, false },
	{ "/oauth20", PROBLEM, false, false },
	{ "/at/account/sp-1", PROBLEM, true, false },
	{ "/attic", PROBLEM, false, false },
	{ "/account/sp-1", PROBLEM, false, false },
	{ "/sti-pa/account/sp-1", PROBLEM, false, false },
	{ "/.well-known/oauth-authorization-server", PROBLEM, false, false },
	{ "/secrets/report", PROBLEM, false, false },
	{ "/", PROBLEM, false, false },
	{ "", PROBLEM, false, false },
};

static int form_of(const char *path)
{
	const struct problem_form *form = face_form_of(path);

	if (form == &problem_document)
		return PROBLEM;
	return form == face_form_of("/oauth2/token") ? OAUTH : DEPLOYED;
}

static void test_each_path_has_its_face(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct face *face = face_of(paths[i].path);

		CU_ASSERT_EQUAL(form_of(paths[i].path), paths[i].form);
		CU_ASSERT_EQUAL(face->forbids, paths[i].forbids);
		CU_ASSERT_EQUAL(face->deployed, paths[i].deployed);
	}
}

static const struct {
	const char *path;
	int status;
	const char *code, *detail, *body;
} problems[] = {
	{ "/api/v1/x", 404, NULL, "no such path",
	  "{\"status\":\"error\",\"message\":\"no such path\",\"errorCode\":\"not-found\"}" },
	{ "/api/v1/x", 500, NULL, NULL,
	  "{\"status\":\"error\",\"message\":\"Internal Server "
	  "Error\",\"errorCode\":\"internal-server-"
	  "error\"}" },
	{ "/api/v1/x", 503, "unavailable", "later",
	  "{\"status\":\"error\",\"message\":\"later\",\"errorCode\":\"unavailable\"}" },
	{ "/oauth2/x", 400, "invalid_scope", "scope: \"a\\b\"",
	  "{\"error\":\"invalid_scope\",\"error_description\":\"scope: 'a'b'\"}" },
	{ "/oauth2/x", 401, "invalid_client", "no",
	  "{\"error\":\"invalid_client\",\"error_description\":\"no\"}" },
	{ "/oauth2/x", 405, NULL, "the path does not have this method",
	  "{\"error\":\"invalid_request\",\"error_description\":\"the path does not have this "
	  "method\"}" },
	{ "/oauth2/x", 429, "too-many-requests", "too many requests",
	  "{\"error\":\"temporarily_unavailable\",\"error_description\":\"too many requests\"}" },
	{ "/oauth2/x", 503, "unavailable", NULL, "{\"error\":\"temporarily_unavailable\"}" },
	{ "/oauth2/x", 500, NULL, NULL, "{\"error\":\"server_error\"}" },
};

static void test_each_form_has_its_words(void)
{
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		struct problem problem;
		char *body;

		problem_of_status(&problem, problems[i].status, problems[i].detail, "r-1");
		problem.code = problems[i].code;
		body = face_form_of(problems[i].path)->write(&problem);
		CU_ASSERT_PTR_NOT_NULL_FATAL(body);
		CU_ASSERT_STRING_EQUAL(body, problems[i].body);
		free(body);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "each path has its face", test_each_path_has_its_face },
		{ "each form has its words", test_each_form_has_its_words },
		CU_TEST_INFO_NULL,
	};

	return run_suite("face", tests);
}
