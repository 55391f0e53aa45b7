/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../../../src/stipactl/fetch.h"
#include "../suite.h"

static const struct {
	const char *answer;
	int status; /* 0: refused */
	const char *body;
} cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc" },
	{ "HTTP/1.0 404 Not Found\r\n\r\n", 404, "" },
	{ "HTTP/1.1 200 OK\r\n\r\nup to the end", 200, "up to the end" },
	{ "HTTP/1.1 200 OK\r\ncontent-length:4\r\n\r\nabc", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
	  "0\r\n\r\n",
	  200, "abc0123456789" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	  "chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
	  0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 200, "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n-FFFFFFFFFFFFFFFD\r\nabc\r\n0\r\n\r\n",
	  0, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -18446744073709551613\r\n\r\nabc", 0, NULL },
	{ "HTTP/1.1 -20 OK\r\n\r\n", 0, NULL },
	{ "HTTP/1.1\r\n\r\n200", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", 0, NULL },
	{ "HTTP/2 200\r\n\r\n", 0, NULL },
	{ "SSH-2.0-OpenSSH\r\n\r\n", 0, NULL },
	{ "", 0, NULL },
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fetched_auto fetched = { .answer = strdup(cases[i].answer) };
		struct error error = { 0 };
		bool right = fetched_parse(&fetched, strlen(cases[i].answer), &error);

		CU_ASSERT_EQUAL(right, cases[i].status != 0);
		if (!right || cases[i].status == 0)
			continue;
		CU_ASSERT_EQUAL(fetched.status, cases[i].status);
		CU_ASSERT_EQUAL(fetched.len, strlen(cases[i].body));
		CU_ASSERT_STRING_EQUAL(fetched.body, cases[i].body);
	}
}

static void test_urls_that_are_none(void)
{
	static const char *const urls[] = { "http://a/", "https://", "https:///x", "ftp://a" };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		fetched_auto fetched = { 0 };
		struct error error = { 0 };

		CU_ASSERT_FALSE(fetch_https(urls[i], NULL, &fetched, &error));
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	}
}

static void test_nobody_listens(void)
{
	fetched_auto fetched = { 0 };
	struct error error = { 0 }, local = { 0 };

	/* port 1 of loopback: refused at once */
	CU_ASSERT_FALSE(fetch_https("https://127.0.0.1:1/x", NULL, &fetched, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAVAILABLE);
	CU_ASSERT_FALSE(fetch_local("/nowhere/socket", "/readyz", &fetched, &local));
	CU_ASSERT_EQUAL(local.kind, ERROR_UNAVAILABLE);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "answers", test_answers },
		{ "urls that are none", test_urls_that_are_none },
		{ "nobody listens", test_nobody_listens },
		CU_TEST_INFO_NULL,
	};

	return run_suite("fetch", tests);
}
