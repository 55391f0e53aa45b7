/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "http/head.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* A request as text; the length counts, as some hold a NUL. */
#define RAW(text)  text, sizeof(text) - 1
#define HOST	   "Host: pa.example\r\n"
#define END	   "\r\n"
#define GET(rest)  RAW("GET / HTTP/1.1\r\n" rest)
#define TARGET(t)  RAW("GET " t " HTTP/1.1\r\n" HOST END)
#define POST(rest) RAW("POST /t HTTP/1.1\r\n" HOST rest)

static const struct {
	const char *name, *raw;
	size_t len;
	int status;
} refused[] = {
	/* framing of lines */
	{ "empty line first", RAW("\r\nGET / HTTP/1.1\r\n" HOST END), 400 },
	{ "bare LF first", RAW("\nGET / HTTP/1.1\r\n" HOST END), 400 },
	{ "bare LF after the request line", RAW("GET / HTTP/1.1\n" HOST END), 400 },
	{ "bare LF after a field", GET("Host: a\nX: y\r\n\r\n"), 400 },
	{ "bare LF everywhere", RAW("GET / HTTP/1.1\nHost: a\n\n"), 400 },
	{ "bare LF at the end", GET(HOST "\n"), 400 },
	{ "bare CR in a value", GET(HOST "X: a\rb\r\n\r\n"), 400 },
	{ "bare CR in the request line", RAW("GET /\rX HTTP/1.1\r\n" HOST END), 400 },
	{ "CR CR LF", GET("Host: a\r\r\n\r\n"), 400 },
	{ "a line folded by a blank", GET(HOST "X: a\r\n b\r\n\r\n"), 400 },
	{ "a line folded by a tab", GET(HOST "X: a\r\n\tb\r\n\r\n"), 400 },
	{ "a folded Content-Length", POST("Content-Length:\r\n 3\r\n\r\nabc"), 400 },
	{ "a folded Transfer-Encoding", POST("Transfer-Encoding:\r\n chunked\r\n\r\n"), 501 },
	{ "a blank before the first field", GET(" " HOST END), 400 },
	{ "NUL at the start of a field", GET("Host: a\r\n\0X: y\r\n\r\n"), 400 },
	{ "NUL in a value", GET(HOST "X: a\0b\r\n\r\n"), 400 },
	{ "NUL in Content-Length", POST("Content-Length: 3\0\r\n\r\nabc"), 400 },
	{ "NUL in the target", RAW("GET /\0 HTTP/1.1\r\n" HOST END), 400 },
	{ "a control byte in a value", GET(HOST "X: a\001b\r\n\r\n"), 400 },
	{ "a vertical tab in a value", GET(HOST "X: \vb\r\n\r\n"), 400 },
	{ "DEL in a value", GET(HOST "X: a\177\r\n\r\n"), 400 },
	{ "an 8-bit value", GET(HOST "X: \303\244\r\n\r\n"), 400 },
	{ "TLS to a plain port", RAW("\026\003\001\002\000\001"), 400 },

	/* the request line */
	{ "no version", RAW("GET /\r\n" HOST END), 400 },
	{ "nothing but a method", RAW("GET\r\n" HOST END), 400 },
	{ "two blanks before the target", RAW("GET  / HTTP/1.1\r\n" HOST END), 400 },
	{ "two blanks before the version", RAW("GET /  HTTP/1.1\r\n" HOST END), 400 },
	{ "a blank after the version", RAW("GET / HTTP/1.1 \r\n" HOST END), 400 },
	{ "a blank before the method", RAW(" GET / HTTP/1.1\r\n" HOST END), 400 },
	{ "tabs for blanks", RAW("GET\t/\tHTTP/1.1\r\n" HOST END), 400 },
	{ "a method that is no token", RAW("G@T / HTTP/1.1\r\n" HOST END), 400 },
	{ "a method in lower case", RAW("get / HTTP/1.1\r\n" HOST END), 501 },
	{ "OPTIONS", RAW("OPTIONS * HTTP/1.1\r\n" HOST END), 501 },
	{ "TRACE", RAW("TRACE / HTTP/1.1\r\n" HOST END), 501 },
	{ "CONNECT", RAW("CONNECT a:443 HTTP/1.1\r\n" HOST END), 501 },
	{ "a method of ours with a tail", RAW("GETX / HTTP/1.1\r\n" HOST END), 501 },
	{ "the preface of HTTP/2", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 501 },
	{ "HTTP/1.0", RAW("GET / HTTP/1.0\r\n" HOST END), 505 },
	{ "HTTP/1.0 with chunks", RAW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  505 },
	{ "HTTP/2.0", RAW("GET / HTTP/2.0\r\n" HOST END), 505 },
	{ "HTTP/1.2", RAW("GET / HTTP/1.2\r\n" HOST END), 505 },
	{ "HTTP/1.10", RAW("GET / HTTP/1.10\r\n" HOST END), 505 },
	{ "HTTP/01.1", RAW("GET / HTTP/01.1\r\n" HOST END), 505 },
	{ "HTTP/4294967297.1", RAW("GET / HTTP/4294967297.1\r\n" HOST END), 505 },
	{ "a version in lower case", RAW("GET / http/1.1\r\n" HOST END), 505 },
	{ "ICY", RAW("GET / ICY/1.1\r\n" HOST END), 505 },

	/* the target */
	{ "absolute form", TARGET("http://pa.example/"), 400 },
	{ "asterisk form", TARGET("*"), 400 },
	{ "authority form", TARGET("pa.example:443"), 400 },
	{ "no slash first", TARGET("x/y"), 400 },
	{ "two slashes first", TARGET("//x"), 400 },
	{ "two slashes within", TARGET("/a//b"), 400 },
	{ "two slashes last", TARGET("/a//"), 400 },
	{ "a dot segment", TARGET("/a/./b"), 400 },
	{ "two dots", TARGET("/a/../b"), 400 },
	{ "two dots last", TARGET("/a/.."), 400 },
	{ "one dot last", TARGET("/a/."), 400 },
	{ "two dots before a query", TARGET("/..?x"), 400 },
	{ "escaped dots", TARGET("/%2e%2e/b"), 400 },
	{ "one escaped dot", TARGET("/.%2E/b"), 400 },
	{ "an escaped slash", TARGET("/a%2fb"), 400 },
	{ "an escaped backslash", TARGET("/a%5cb"), 400 },
	{ "an escaped percent", TARGET("/a%252fb"), 400 },
	{ "an escaped NUL", TARGET("/a%00"), 400 },
	{ "an escaped LF", TARGET("/a%0ab"), 400 },
	{ "an escaped DEL", TARGET("/a%7f"), 400 },
	{ "an overlong slash", TARGET("/a%c0%af"), 400 },
	{ "an escape that is none", TARGET("/a%zz"), 400 },
	{ "half an escape", TARGET("/a%4"), 400 },
	{ "a percent last", TARGET("/a%"), 400 },
	{ "half an escape before a query", TARGET("/a%4?1"), 400 },
	{ "a fragment", TARGET("/a#b"), 400 },
	{ "a backslash", TARGET("/a\\b"), 400 },
	{ "an 8-bit byte in the path", TARGET("/\303\244"), 400 },
	{ "a brace", TARGET("/{id}"), 400 },
	{ "a quote", TARGET("/\""), 400 },
	{ "an escape in the query that is none", TARGET("/?a=%g0"), 400 },
	{ "an escaped NUL in the query", TARGET("/?a=%00"), 400 },
	{ "a fragment after the query", TARGET("/?a#b"), 400 },
	{ "a blank in the query", TARGET("/?a b"), 400 },

	/* names of fields */
	{ "no name", GET(HOST ": y\r\n\r\n"), 400 },
	{ "a blank in a name", GET(HOST "X Y: y\r\n\r\n"), 400 },
	{ "an 8-bit name", GET(HOST "X\303\244: y\r\n\r\n"), 400 },
	{ "an underscore in a name", GET(HOST "Content_Length: 3\r\n\r\n"), 400 },
	{ "a blank before the colon", POST("Content-Length : 3\r\n\r\nabc"), 400 },
	{ "a tab before the colon", POST("Transfer-Encoding\t: chunked\r\n\r\n"), 400 },
	{ "no colon", GET(HOST "nonsense\r\n\r\n"), 400 },
	{ "a brace in a name", GET(HOST "X{}: y\r\n\r\n"), 400 },

	/* Host */
	{ "no Host", GET("X: y\r\n\r\n"), 400 },
	{ "no field at all", GET("\r\n"), 400 },
	{ "two Hosts", GET("Host: a\r\nHost: b\r\n\r\n"), 400 },
	{ "the same Host twice", GET("Host: a\r\nhost: a\r\n\r\n"), 400 },
	{ "an empty Host", GET("Host:\r\n\r\n"), 400 },
	{ "junk for a Host", GET("Host: a b\r\n\r\n"), 400 },
	{ "a Host with a path", GET("Host: a/b\r\n\r\n"), 400 },
	{ "a Host with a user", GET("Host: x@a\r\n\r\n"), 400 },
	{ "a list of Hosts", GET("Host: a, b\r\n\r\n"), 400 },
	{ "a Host with an empty port", GET("Host: a:\r\n\r\n"), 400 },
	{ "a Host with a wrong port", GET("Host: a:x\r\n\r\n"), 400 },
	{ "a Host with port 65536", GET("Host: a:65536\r\n\r\n"), 400 },
	{ "a Host that is a port", GET("Host: :80\r\n\r\n"), 400 },
	{ "an IPv6 Host without brackets", GET("Host: ::1\r\n\r\n"), 400 },
	{ "an open bracket", GET("Host: [::1\r\n\r\n"), 400 },

	/* what frames a body */
	{ "chunks", POST("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 501 },
	{ "Transfer-Encoding: identity", POST("Transfer-Encoding: identity\r\n\r\n"), 501 },
	{ "Transfer-Encoding: gzip", POST("Transfer-Encoding: gzip\r\n\r\n"), 501 },
	{ "Transfer-Encoding: xchunked", POST("Transfer-Encoding: xchunked\r\n\r\n"), 501 },
	{ "Transfer-Encoding and length",
	  POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 501 },
	{ "length and Transfer-Encoding",
	  POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), 501 },
	{ "Transfer-Encoding with GET", GET(HOST "Transfer-Encoding: chunked\r\n\r\n"), 501 },
	{ "an empty Transfer-Encoding", POST("Transfer-Encoding:\r\n\r\n"), 501 },
	{ "TE", GET(HOST "TE: trailers\r\n\r\n"), 501 },
	{ "Trailer", POST("Content-Length: 0\r\nTrailer: X\r\n\r\n"), 501 },
	{ "Upgrade", GET(HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"), 501 },
	{ "two different lengths", POST("Content-Length: 3\r\nContent-Length: 30\r\n\r\n"), 400 },
	{ "two equal lengths", POST("Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), 400 },
	{ "a list of lengths", POST("Content-Length: 3, 3\r\n\r\n"), 400 },
	{ "length +3", POST("Content-Length: +3\r\n\r\n"), 400 },
	{ "length -0", POST("Content-Length: -0\r\n\r\n"), 400 },
	{ "length -1", POST("Content-Length: -1\r\n\r\n"), 400 },
	{ "length 03", POST("Content-Length: 03\r\n\r\n"), 400 },
	{ "length 00", POST("Content-Length: 00\r\n\r\n"), 400 },
	{ "length 0x3", POST("Content-Length: 0x3\r\n\r\n"), 400 },
	{ "length 3 3", POST("Content-Length: 3 3\r\n\r\n"), 400 },
	{ "length 3.0", POST("Content-Length: 3.0\r\n\r\n"), 400 },
	{ "a length after a vertical tab", POST("Content-Length: \v3\r\n\r\n"), 400 },
	{ "an empty length", POST("Content-Length:\r\n\r\n"), 400 },
	{ "a length of eight digits", POST("Content-Length: 10000000\r\n\r\n"), 413 },
	{ "a length over 64 bits", POST("Content-Length: 18446744073709551619\r\n\r\n"), 413 },
	{ "POST without length", POST("\r\n"), 411 },
	{ "PUT without length", RAW("PUT /t HTTP/1.1\r\n" HOST END), 411 },
	{ "PATCH without length", RAW("PATCH /t HTTP/1.1\r\n" HOST END), 411 },
	{ "GET with a body", GET(HOST "Content-Length: 3\r\n\r\nabc"), 400 },
	{ "HEAD with a body", RAW("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"), 400 },
	{ "DELETE with a body", RAW("DELETE / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
	  400 },

	/* other fields */
	{ "Expect of something else", POST("Content-Length: 0\r\nExpect: 200-ok\r\n\r\n"), 417 },
	{ "an empty Expect", POST("Content-Length: 0\r\nExpect:\r\n\r\n"), 417 },
	{ "two Content-Types",
	  POST("Content-Length: 0\r\nContent-Type: a/b\r\n"
	       "content-type: c/d\r\n\r\n"),
	  400 },
	{ "two Authorizations", GET(HOST "Authorization: a\r\nAuthorization: b\r\n\r\n"), 400 },
	{ "two Cookies", GET(HOST "Cookie: a=1\r\nCookie: b=2\r\n\r\n"), 400 },
	{ "two Origins", GET(HOST "Origin: a\r\nOrigin: b\r\n\r\n"), 400 },
	{ "two Connections", GET(HOST "Connection: close\r\nConnection: close\r\n\r\n"), 400 },
	{ "two Idempotency-Keys", GET(HOST "Idempotency-Key: a\r\nIDEMPOTENCY-KEY: b\r\n\r\n"),
	  400 },
};

static const struct {
	const char *name, *raw;
	size_t len;
	size_t rest; /* bytes after the head */
	enum http_method method;
	const char *path, *query, *host;
	size_t content_length;
	bool expects_continue, close;
} taken[] = {
	{ "a plain GET", GET(HOST END), 0, HTTP_GET, "/", "", "pa.example" },
	{ "HEAD", RAW("HEAD /a HTTP/1.1\r\n" HOST END), 0, HTTP_HEAD, "/a", "", "pa.example" },
	{ "DELETE", RAW("DELETE /a HTTP/1.1\r\n" HOST END), 0, HTTP_DELETE, "/a", "",
	  "pa.example" },
	{ "DELETE that says it has no body",
	  RAW("DELETE /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 0, HTTP_DELETE, "/a", "",
	  "pa.example" },
	{ "a query", TARGET("/a/b?c=d/e?f%20g&h"), 0, HTTP_GET, "/a/b", "c=d/e?f%20g&h",
	  "pa.example" },
	{ "an empty query", TARGET("/a?"), 0, HTTP_GET, "/a", "", "pa.example" },
	{ "UTF-8 in the query", TARGET("/a?n=%c3%a4"), 0, HTTP_GET, "/a", "n=%c3%a4",
	  "pa.example" },
	{ "a slash last", TARGET("/api/v1/account/1/token/"), 0, HTTP_GET,
	  "/api/v1/account/1/token/", "", "pa.example" },
	{ "a slash before the query", TARGET("/a/?b"), 0, HTTP_GET, "/a/", "b", "pa.example" },
	{ "dots that are no segment", TARGET("/.well-known/a..b/...c"), 0, HTTP_GET,
	  "/.well-known/a..b/...c", "", "pa.example" },
	{ "escapes", TARGET("/%61%20%3f"), 0, HTTP_GET, "/%61%20%3f", "", "pa.example" },
	{ "every character of a path", TARGET("/a-._~!$&'()*+,;=:@Z9"), 0, HTTP_GET,
	  "/a-._~!$&'()*+,;=:@Z9", "", "pa.example" },
	{ "POST with a body", POST("Content-Length: 3\r\n\r\nabc"), 3, HTTP_POST, "/t", "",
	  "pa.example", 3 },
	{ "POST with an empty body", POST("Content-Length: 0\r\n\r\n"), 0, HTTP_POST, "/t", "",
	  "pa.example" },
	{ "seven digits", POST("content-length:\t9999999 \t\r\n\r\n"), 0, HTTP_POST, "/t", "",
	  "pa.example", 9999999 },
	{ "PUT", RAW("PUT /t HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n"), 0, HTTP_PUT, "/t",
	  "", "pa.example", 10 },
	{ "PATCH", RAW("PATCH /t HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"), 1, HTTP_PATCH,
	  "/t", "", "pa.example", 1 },
	{ "Expect", POST("Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n"), 0, HTTP_POST, "/t",
	  "", "pa.example", 5, true },
	{ "Connection: close",
	  GET("hOST:pa.example:8443\r\nConnection: keep-alive , Close\r\n\r\n"), 0, HTTP_GET, "/",
	  "", "pa.example", 0, false, true },
	{ "Connection: not close", GET(HOST "Connection: keep-alive, closed\r\n\r\n"), 0, HTTP_GET,
	  "/", "", "pa.example" },
	{ "an address with a port", GET("Host: 127.0.0.1:8443\r\n\r\n"), 0, HTTP_GET, "/", "",
	  "127.0.0.1" },
	{ "an address", GET("Host: 127.0.0.1\r\n\r\n"), 0, HTTP_GET, "/", "", "127.0.0.1" },
	{ "an IPv6 address", GET("Host: [::1]:80\r\n\r\n"), 0, HTTP_GET, "/", "", "[::1]" },
	{ "a value with tabs, quotes and 0x7e",
	  GET(HOST "X!#$%&'*+-.^`|~: \"a\tb\" ~\r\nAccept:\r\n\r\n"), 0, HTTP_GET, "/", "",
	  "pa.example" },
	{ "fields that may stand twice", GET(HOST "Accept: a/b\r\nAccept: c/d\r\n\r\n"), 0,
	  HTTP_GET, "/", "", "pa.example" },
	{ "a second request behind", GET(HOST END "GET / HTTP/1.1\r\n"), 16, HTTP_GET, "/", "",
	  "pa.example" },
};

/* CUnit tells the line only; the row is what one wants to know. */
static void check(bool ok, const char *name, const char *what)
{
	if (!ok)
		printf("\n    row: %s (%s)", name, what);
	CU_ASSERT(ok);
}

static bool span_is(const char *raw, struct http_span span, const char *text)
{
	return span.len == strlen(text) && memcmp(raw + span.at, text, span.len) == 0;
}

static void test_what_we_do_not_speak_is_refused(void)
{
	struct http_head head;

	for (size_t i = 0; i < N(refused); i++) {
		enum http_head_result result =
			http_head_parse(refused[i].raw, refused[i].len, &head);

		check(result == HTTP_HEAD_REFUSED, refused[i].name, "refused");
		check(head.status == refused[i].status, refused[i].name, head.why);
		check(head.why != NULL && head.why[0] != '\0', refused[i].name, "says why");
	}
}

static void test_what_we_speak_is_taken(void)
{
	struct http_head head;

	for (size_t i = 0; i < N(taken); i++) {
		const char *raw = taken[i].raw, *name = taken[i].name;
		bool ok = http_head_parse(raw, taken[i].len, &head) == HTTP_HEAD_COMPLETE;

		check(ok, name, head.why != NULL ? head.why : "complete");
		if (!ok)
			continue;
		check(head.len == taken[i].len - taken[i].rest, name, "len");
		check(head.method == taken[i].method, name, http_method_name(head.method));
		check(span_is(raw, head.path, taken[i].path), name, "path");
		check(span_is(raw, head.query, taken[i].query), name, "query");
		check(span_is(raw, head.host, taken[i].host), name, "host");
		check(head.content_length == taken[i].content_length, name, "content length");
		check(head.expects_continue == taken[i].expects_continue, name, "expects");
		check(head.close == taken[i].close, name, "close");
	}
}

/* What was said about a beginning holds for the whole, and nothing is taken without its end. */
static void check_prefixes(const char *raw, size_t len, const char *name)
{
	enum http_head_result said = HTTP_HEAD_MORE;
	struct http_head first = { 0 }, head;

	for (size_t n = 0; n <= len; n++) {
		char *exact = malloc(n == 0 ? 1 : n); /* so that a sanitizer sees the end */
		enum http_head_result result;

		memcpy(exact, raw, n);
		result = http_head_parse(exact, n, &head);
		free(exact);
		if (said != HTTP_HEAD_MORE) {
			check(result == said, name, "says the same");
			check(memcmp(&head, &first, sizeof(head)) == 0, name, "in the same words");
		} else if (result == HTTP_HEAD_COMPLETE) {
			check(head.len == n, name, "takes it as soon as it is complete");
			check(n >= 4 && memcmp(raw + n - 4, "\r\n\r\n", 4) == 0, name, "CRLF CRLF");
		}
		said = result;
		first = head;
	}
}

static void test_a_prefix_never_says_something_else(void)
{
	for (size_t i = 0; i < N(refused); i++)
		check_prefixes(refused[i].raw, refused[i].len, refused[i].name);
	for (size_t i = 0; i < N(taken); i++)
		check_prefixes(taken[i].raw, taken[i].len, taken[i].name);
}

/* A head of @fields fields and @len bytes, as far as both can be had. */
static size_t make_head(char *raw, size_t fields, size_t len)
{
	size_t at = (size_t)sprintf(raw, "GET / HTTP/1.1\r\nHost: a\r\n");

	for (size_t i = 1; i < fields; i++)
		at += (size_t)sprintf(raw + at, "X: %zu\r\n", i);
	if (len > at + 2) {
		raw[at - 2] = ' ';
		memset(raw + at - 1, ' ', len - at - 1);
		at = len - 2;
		memcpy(raw + at - 2, "\r\n", 2);
	}
	return at + (size_t)sprintf(raw + at, "\r\n");
}

static void test_a_head_has_48_fields_and_8_kib(void)
{
	char raw[HTTP_HEAD_MAX + 64];
	struct http_head head;
	size_t len;

	len = make_head(raw, HTTP_FIELDS_MAX, 0);
	CU_ASSERT_EQUAL(http_head_parse(raw, len, &head), HTTP_HEAD_COMPLETE);
	CU_ASSERT_EQUAL(head.n_fields, HTTP_FIELDS_MAX);
	len = make_head(raw, HTTP_FIELDS_MAX + 1, 0);
	CU_ASSERT_EQUAL(http_head_parse(raw, len, &head), HTTP_HEAD_REFUSED);
	CU_ASSERT_EQUAL(head.status, 431);

	len = make_head(raw, 2, HTTP_HEAD_MAX);
	CU_ASSERT_EQUAL_FATAL(len, HTTP_HEAD_MAX);
	CU_ASSERT_EQUAL(http_head_parse(raw, len, &head), HTTP_HEAD_COMPLETE);
	check_prefixes(raw, len + 10, "8 KiB");
	len = make_head(raw, 2, HTTP_HEAD_MAX + 1);
	CU_ASSERT_EQUAL(http_head_parse(raw, len, &head), HTTP_HEAD_REFUSED);
	CU_ASSERT_EQUAL(head.status, 431);
	check_prefixes(raw, len, "8 KiB and a byte");
	memset(raw, 'A', sizeof(raw));
	CU_ASSERT_EQUAL(http_head_parse(raw, HTTP_HEAD_MAX - 1, &head), HTTP_HEAD_MORE);
	CU_ASSERT_EQUAL(http_head_parse(raw, HTTP_HEAD_MAX, &head), HTTP_HEAD_REFUSED);
	CU_ASSERT_EQUAL(head.status, 431);
}

static void test_fields_are_found_without_their_blanks(void)
{
	static const char raw[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Y:  b c\t \r\nEmpty: \t\r\n\r\n";
	struct http_head head;

	CU_ASSERT_FATAL(http_head_parse(raw, sizeof(raw) - 1, &head) == HTTP_HEAD_COMPLETE);
	CU_ASSERT_EQUAL_FATAL(head.n_fields, 3);
	CU_ASSERT(span_is(raw, head.fields[1].name, "X-Y"));
	CU_ASSERT(span_is(raw, head.fields[1].value, "b c"));
	CU_ASSERT(span_is(raw, head.fields[2].value, ""));
}

static void test_a_path_is_decoded_once(void)
{
	char decoded[32];

	http_path_decode("/%61b%20%3fc/d", 14, decoded);
	CU_ASSERT_STRING_EQUAL(decoded, "/ab ?c/d");
	http_path_decode("/", 1, decoded);
	CU_ASSERT_STRING_EQUAL(decoded, "/");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "what we do not speak is refused", test_what_we_do_not_speak_is_refused },
		{ "what we speak is taken", test_what_we_speak_is_taken },
		{ "a prefix never says something else", test_a_prefix_never_says_something_else },
		{ "a head has 48 fields and 8 KiB", test_a_head_has_48_fields_and_8_kib },
		{ "fields are found without their blanks",
		  test_fields_are_found_without_their_blanks },
		{ "a path is decoded once", test_a_path_is_decoded_once },
		CU_TEST_INFO_NULL,
	};

	return run_suite("head", tests);
}
