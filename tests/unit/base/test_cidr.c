/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include "../suite.h"
#include "base/cidr.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

static void address_of(const char *text, uint8_t address[16])
{
	memset(address, 0, 16);
	if (strchr(text, ':') != NULL) {
		CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, address), 1);
		return;
	}
	address[10] = address[11] = 0xff;
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET, text, address + 12), 1);
}

static const struct {
	const char *block, *address;
	bool within;
} rows[] = {
	{ "192.0.2.0/24", "192.0.2.0", true },
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/24", "192.0.1.255", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.7", "192.0.2.7", true },
	{ "192.0.2.7", "192.0.2.6", false },
	{ "192.0.2.7/32", "192.0.2.7", true },
	{ "192.0.2.6/31", "192.0.2.7", true },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "0.0.0.0/0", "::", false },
	{ "0.0.0.0/0", "::ffff:203.0.113.9", true }, /* the same address */
	{ "128.0.0.0/1", "127.255.255.255", false },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::1", "2001:db8::2", false },
	{ "2001:db8:0:8000::/49", "2001:db8:0:7fff::1", false },
	{ "2001:db8:0:8000::/49", "2001:db8:0:ffff::1", true },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "192.0.2.1", false },
	{ "::/64", "192.0.2.1", false },
	{ "::1/128", "::1", true },
	{ "::1/128", "127.0.0.1", false },
};

static void test_a_block_holds_its_addresses_and_no_other(void)
{
	for (size_t i = 0; i < N(rows); i++) {
		struct error error = { 0 };
		struct cidr cidr;
		uint8_t address[16];
		bool right;

		CU_ASSERT_FATAL(cidr_parse(rows[i].block, &cidr, &error));
		address_of(rows[i].address, address);
		right = cidr_contains(&cidr, address) == rows[i].within;
		if (!right)
			printf("\n  %s in %s\n", rows[i].address, rows[i].block);
		CU_ASSERT_TRUE(right);
	}
}

#define WANT_ADDRESSES "want addresses: 192.0.2.0/24, 2001:db8::/32 or one address"

static const struct {
	const char *text, *detail;
} bads[] = {
	{ "", WANT_ADDRESSES },
	{ "/24", WANT_ADDRESSES },
	{ "localhost", WANT_ADDRESSES },
	{ "192.0.2/24", WANT_ADDRESSES },
	{ "192.0.2.0.0/24", WANT_ADDRESSES },
	{ "192.0.2.256/32", WANT_ADDRESSES },
	{ " 192.0.2.0/24", WANT_ADDRESSES },
	{ "192.0.2.0 /24", WANT_ADDRESSES },
	{ "192.0.2.1:443", WANT_ADDRESSES },
	{ "[2001:db8::1]", WANT_ADDRESSES },
	{ "2001:db8::1%lo", WANT_ADDRESSES },
	{ "2001:db8:::/32", WANT_ADDRESSES },
	{ "::ffff:192.0.2.0/120", WANT_ADDRESSES },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", WANT_ADDRESSES },
	{ "192.0.2.0/", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/33", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/-1", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/+24", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/024", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/24 ", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/24/8", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/255.255.255.0", "want a prefix of 0 to 32 bits" },
	{ "192.0.2.0/4294967320", "want a prefix of 0 to 32 bits" },
	{ "2001:db8::/129", "want a prefix of 0 to 128 bits" },
	{ "192.0.2.1/24", "bits are set beyond the prefix of 24 bits" },
	{ "192.0.2.1/0", "bits are set beyond the prefix of 0 bits" },
	{ "2001:db8::1/127", "bits are set beyond the prefix of 127 bits" },
};

static void test_what_is_no_block(void)
{
	for (size_t i = 0; i < N(bads); i++) {
		struct error error = { 0 };
		struct cidr cidr;

		CU_ASSERT_FALSE(cidr_parse(bads[i].text, &cidr, &error));
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
		if (strcmp(error.detail, bads[i].detail) != 0)
			printf("\n  %s: %s\n", bads[i].text, error.detail);
		CU_ASSERT_STRING_EQUAL(error.detail, bads[i].detail);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a block holds its addresses and no other",
		  test_a_block_holds_its_addresses_and_no_other },
		{ "what is no block", test_what_is_no_block },
		CU_TEST_INFO_NULL,
	};

	return run_suite("cidr", tests);
}
