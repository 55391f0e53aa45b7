/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "../suite.h"
#include "http/proxy.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* Octal escapes, as a hexadecimal one would go on with the digits that follow. */
#define RAW(bytes) bytes, sizeof(bytes) - 1
#define SIGNATURE  "\r\n\r\n\0\r\nQUIT\n"
#define LOCAL	   SIGNATURE "\040"
#define PROXY	   SIGNATURE "\041"
#define TCP4	   "\021"
#define TCP6	   "\041"
#define PORTS	   "\060\071\001\273"
#define FROM4	   "\313\000\161\007" /* 203.0.113.7 */
#define TO4	   "\300\000\002\001"
#define PAIR4	   FROM4 TO4 PORTS
#define DB8	   "\040\001\015\270"
#define ZERO8	   "\0\0\0\0\0\0\0\0"
#define FROM6	   DB8 ZERO8 "\0\0\0\007" /* 2001:db8::7 */
#define TO6	   DB8 ZERO8 "\0\0\0\001"
#define PAIR6	   FROM6 TO6 PORTS
#define ALPN	   "\001\000\002h2"
#define AUTHORITY  "\002\000\011localhost"

#define NOT_V2	  "not a PROXY protocol header of version 2"
#define NO_ORDER  "neither LOCAL nor PROXY of version 2"
#define NO_FAMILY "neither TCP over IPv4 nor over IPv6"
#define TOO_LONG  "longer than 536 bytes"
#define TOO_SHORT "too short for its addresses"
#define NOBODY	  "the source is no address"

static const struct {
	const char *name, *raw;
	size_t len;
	const char *source; /* NULL: LOCAL */
	size_t header_len;
} taken[] = {
	{ "TCP over IPv4", RAW(PROXY TCP4 "\000\014" PAIR4), "::ffff:203.0.113.7", 28 },
	{ "TCP over IPv6", RAW(PROXY TCP6 "\000\044" PAIR6), "2001:db8::7", 52 },
	{ "TLS behind it", RAW(PROXY TCP4 "\000\014" PAIR4 "\026\003\001"), "::ffff:203.0.113.7",
	  28 },
	{ "a second header behind it", RAW(PROXY TCP4 "\000\014" PAIR4 LOCAL "\0\0\0"),
	  "::ffff:203.0.113.7", 28 },
	{ "a TLV", RAW(PROXY TCP4 "\000\021" PAIR4 ALPN), "::ffff:203.0.113.7", 33 },
	{ "two TLVs", RAW(PROXY TCP6 "\000\065" PAIR6 ALPN AUTHORITY), "2001:db8::7", 69 },
	{ "a TLV that is none", RAW(PROXY TCP4 "\000\015" PAIR4 "\001"), "::ffff:203.0.113.7", 29 },
	{ "a TLV longer than the header", RAW(PROXY TCP4 "\000\017" PAIR4 "\001\377\377"),
	  "::ffff:203.0.113.7", 31 },
	{ "an IPv4 address over IPv6",
	  RAW(PROXY TCP6 "\000\044" ZERO8 "\0\0\377\377" FROM4 TO6 PORTS), "::ffff:203.0.113.7",
	  52 },
	{ "the proxy's own address",
	  RAW(PROXY TCP4 "\000\014"
			 "\177\0\0\001" TO4 PORTS),
	  "::ffff:127.0.0.1", 28 },
	{ "port 0", RAW(PROXY TCP4 "\000\014" FROM4 TO4 "\0\0\0\0"), "::ffff:203.0.113.7", 28 },
	{ "no destination", RAW(PROXY TCP4 "\000\014" FROM4 "\0\0\0\0" PORTS), "::ffff:203.0.113.7",
	  28 },
	{ "LOCAL", RAW(LOCAL "\0\0\0"), NULL, 16 },
	{ "LOCAL with TLS behind it", RAW(LOCAL "\0\0\0\026\003\001"), NULL, 16 },
	{ "LOCAL with addresses", RAW(LOCAL TCP4 "\000\014" PAIR4), NULL, 28 },
	{ "LOCAL too short for its addresses", RAW(LOCAL TCP6 "\000\001x"), NULL, 17 },
	{ "LOCAL of an unknown family", RAW(LOCAL "\377\000\001x"), NULL, 17 },
	{ "LOCAL with a TLV", RAW(LOCAL "\000\000\005" ALPN), NULL, 21 },
};

static const struct {
	const char *name, *raw;
	size_t len;
	const char *why;
	size_t judged_at; /* bytes that are enough for it */
} bads[] = {
	{ "version 1", RAW("PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n"), NOT_V2, 1 },
	{ "TLS", RAW("\026\003\001\002\000\001\000\001\374\003\003"), NOT_V2, 1 },
	{ "HTTP", RAW("GET / HTTP/1.1\r\n"), NOT_V2, 1 },
	{ "a byte before it", RAW("\0" PROXY TCP4 "\000\014" PAIR4), NOT_V2, 1 },
	{ "empty lines before HTTP", RAW("\r\n\r\nGET /"), NOT_V2, 5 },
	{ "the second byte is another", RAW("\r\r"), NOT_V2, 2 },
	{ "the last of the signature is another", RAW("\r\n\r\n\0\r\nQUIT\r"), NOT_V2, 12 },
	{ "version 0", RAW(SIGNATURE "\001" TCP4 "\000\014" PAIR4), NO_ORDER, 13 },
	{ "version 1 in the form of 2", RAW(SIGNATURE "\021" TCP4 "\000\014" PAIR4), NO_ORDER, 13 },
	{ "version 3", RAW(SIGNATURE "\061" TCP4 "\000\014" PAIR4), NO_ORDER, 13 },
	{ "command 2", RAW(SIGNATURE "\042" TCP4 "\000\014" PAIR4), NO_ORDER, 13 },
	{ "command 15", RAW(SIGNATURE "\057" TCP4 "\000\014" PAIR4), NO_ORDER, 13 },
	{ "no family", RAW(PROXY "\000\000\000"), NO_FAMILY, 14 },
	{ "no family, with addresses", RAW(PROXY "\000\000\014" PAIR4), NO_FAMILY, 14 },
	{ "IPv4 without a protocol", RAW(PROXY "\020\000\014" PAIR4), NO_FAMILY, 14 },
	{ "a protocol without a family", RAW(PROXY "\001\000\014" PAIR4), NO_FAMILY, 14 },
	{ "UDP over IPv4", RAW(PROXY "\022\000\014" PAIR4), NO_FAMILY, 14 },
	{ "UDP over IPv6", RAW(PROXY "\042\000\044" PAIR6), NO_FAMILY, 14 },
	{ "a unix stream", RAW(PROXY "\061\000\330"), NO_FAMILY, 14 },
	{ "a unix datagram", RAW(PROXY "\062\000\330"), NO_FAMILY, 14 },
	{ "family 4", RAW(PROXY "\101\000\014" PAIR4), NO_FAMILY, 14 },
	{ "protocol 3", RAW(PROXY "\023\000\014" PAIR4), NO_FAMILY, 14 },
	{ "537 bytes", RAW(PROXY TCP4 "\002\011"), TOO_LONG, 16 },
	{ "65551 bytes", RAW(PROXY TCP6 "\377\377"), TOO_LONG, 16 },
	{ "LOCAL of 537 bytes", RAW(LOCAL "\000\002\011"), TOO_LONG, 16 },
	{ "IPv4 with nothing", RAW(PROXY TCP4 "\000\000"), TOO_SHORT, 16 },
	{ "IPv4 with a byte too few", RAW(PROXY TCP4 "\000\013" PAIR4), TOO_SHORT, 16 },
	{ "IPv6 with the addresses of IPv4", RAW(PROXY TCP6 "\000\014" PAIR4), TOO_SHORT, 16 },
	{ "IPv6 with a byte too few", RAW(PROXY TCP6 "\000\043" PAIR6), TOO_SHORT, 16 },
	{ "from 0.0.0.0",
	  RAW(PROXY TCP4 "\000\014"
			 "\0\0\0\0" TO4 PORTS),
	  NOBODY, 28 },
	{ "from ::, which is the local socket", RAW(PROXY TCP6 "\000\044" ZERO8 ZERO8 TO6 PORTS),
	  NOBODY, 52 },
	{ "from ::, with a TLV", RAW(PROXY TCP6 "\000\051" ZERO8 ZERO8 TO6 PORTS ALPN), NOBODY,
	  57 },
};

/* Nothing beyond @len is read: the sanitizer would see it. */
static enum proxy_result parse_exactly(const char *raw, size_t len, struct proxy_header *header)
{
	char *exact = malloc(len == 0 ? 1 : len);
	enum proxy_result result;

	CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
	memcpy(exact, raw, len);
	result = proxy_parse(exact, len, header);
	free(exact);
	return result;
}

static bool wants_more(const char *raw, size_t len, size_t in_the_end)
{
	struct proxy_header header;

	return parse_exactly(raw, len, &header) == PROXY_MORE && header.why == NULL &&
	       header.len == (len < 16 ? 16 : in_the_end);
}

static void test_headers_that_are_taken(void)
{
	for (size_t i = 0; i < N(taken); i++) {
		uint8_t source[16] = { 0 };
		struct proxy_header header;
		bool right;

		if (taken[i].source != NULL)
			CU_ASSERT_EQUAL(inet_pton(AF_INET6, taken[i].source, source), 1);
		right = parse_exactly(taken[i].raw, taken[i].len, &header) == PROXY_COMPLETE &&
			header.len == taken[i].header_len && header.why == NULL &&
			header.local == (taken[i].source == NULL) &&
			memcmp(header.source, source, 16) == 0;
		for (size_t n = 0; n < taken[i].header_len; n++)
			right = right && wants_more(taken[i].raw, n, taken[i].header_len);
		if (!right)
			printf("\n  %s\n", taken[i].name);
		CU_ASSERT_TRUE(right);
	}
}

static void test_headers_that_are_bad(void)
{
	for (size_t i = 0; i < N(bads); i++) {
		struct proxy_header header;
		bool right = true;

		for (size_t n = bads[i].judged_at; n <= bads[i].len; n++)
			right = right && parse_exactly(bads[i].raw, n, &header) == PROXY_BAD &&
				strcmp(header.why, bads[i].why) == 0;
		for (size_t n = 0; n < bads[i].judged_at; n++)
			right = right && parse_exactly(bads[i].raw, n, &header) == PROXY_MORE;
		if (!right)
			printf("\n  %s: %s\n", bads[i].name, header.why);
		CU_ASSERT_TRUE(right);
	}
}

static void test_the_longest_header(void)
{
	char raw[PROXY_HEADER_MAX + 1] = PROXY TCP4 "\002\010" PAIR4;
	struct proxy_header header;

	CU_ASSERT_EQUAL(proxy_parse(raw, PROXY_HEADER_MAX - 1, &header), PROXY_MORE);
	CU_ASSERT_EQUAL(header.len, PROXY_HEADER_MAX);
	CU_ASSERT_EQUAL(proxy_parse(raw, PROXY_HEADER_MAX, &header), PROXY_COMPLETE);
	CU_ASSERT_EQUAL(header.len, PROXY_HEADER_MAX);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "headers that are taken", test_headers_that_are_taken },
		{ "headers that are bad", test_headers_that_are_bad },
		{ "the longest header", test_the_longest_header },
		CU_TEST_INFO_NULL,
	};

	return run_suite("proxy", tests);
}
