/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "config/config.h"
#include "edge/token_answer.h"

#define BEFORE "{\"status\":\"success\",\"message\":\"SPC token for SPC 1234 created\","

static const struct {
	const char *name, *crl, *crl_download, *issuer, *body, *body_deployed;
} bodies[] = {
	{ "two URLs", "https://a/crl", "https://a/download/v1/crl", "CN=A",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/crl\",\"iss\":\"CN=A\"}",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/download/v1/crl\",\"iss\":\"CN=A\"}" },
	{ "one URL", "https://a/crl", NULL, "CN=A",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/crl\",\"iss\":\"CN=A\"}",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/crl\",\"iss\":\"CN=A\"}" },
	{ "nothing", NULL, NULL, NULL, BEFORE "\"token\":\"a.b.c\",\"crl\":\"\",\"iss\":\"\"}",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"\",\"iss\":\"\"}" },
	{ "to be escaped", "https://a/\\", NULL, "CN=\"A\"\n,O=\xc3\x89",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/\\\\\","
		 "\"iss\":\"CN=\\\"A\\\"\\n,O=\xc3\x89\"}",
	  BEFORE "\"token\":\"a.b.c\",\"crl\":\"https://a/\\\\\","
		 "\"iss\":\"CN=\\\"A\\\"\\n,O=\xc3\x89\"}" },
};

static struct token_answer *answer_of(const char *crl, const char *download, const char *issuer)
{
	const struct config config = { .crl_url = (char *)crl,
				       .crl_url_download = (char *)download,
				       .crl_issuer = (char *)issuer };
	struct error error = { 0 };
	struct token_answer *answer = token_answer_new(&config, &error);

	CU_ASSERT_EQUAL(answer == NULL, error.kind == ERROR_INVALID);
	return answer;
}

static void test_an_answer_is_the_json_of_its_parts(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct token_answer *answer =
			answer_of(bodies[i].crl, bodies[i].crl_download, bodies[i].issuer);

		CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
		for (int deployed = 0; deployed <= 1; deployed++) {
			size_t len;
			char *body = token_answer_write(answer, deployed, "1234", "a.b.c", &len);

			CU_ASSERT_PTR_NOT_NULL_FATAL(body);
			CU_ASSERT_EQUAL(len, strlen(body));
			CU_ASSERT_STRING_EQUAL(body,
					       deployed ? bodies[i].body_deployed : bodies[i].body);
			free(body);
		}
		token_answer_free(answer);
	}
}

static void test_what_is_not_utf8_is_refused_at_the_start(void)
{
	CU_ASSERT_PTR_NULL(answer_of("https://a/\xff", "https://a", "CN=A"));
	CU_ASSERT_PTR_NULL(answer_of("https://a", "https://a/\xff", "CN=A"));
	CU_ASSERT_PTR_NULL(answer_of("https://a", "https://a", "CN=\xc9"));
}

static void test_what_would_break_the_json_is_not_written(void)
{
	static const char *const bad[] = { "\"", "\\", "a\n", "\x7f", "\xc3\xa9" };
	struct token_answer *answer = answer_of("https://a", NULL, "CN=A");
	size_t len;

	CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_PTR_NULL(token_answer_write(answer, false, bad[i], "a.b.c", &len));
		CU_ASSERT_PTR_NULL(token_answer_write(answer, false, "1234", bad[i], &len));
	}
	token_answer_free(answer);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "an answer is the JSON of its parts", test_an_answer_is_the_json_of_its_parts },
		{ "what is not UTF-8 is refused at the start",
		  test_what_is_not_utf8_is_refused_at_the_start },
		{ "what would break the JSON is not written",
		  test_what_would_break_the_json_is_not_written },
		CU_TEST_INFO_NULL,
	};

	return run_suite("edge/token_answer", tests);
}
