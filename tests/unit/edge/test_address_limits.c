/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/address_limits.h"
#include "fakes.h"

#define S 1000000

static const struct address_rate rates[ADDRESS_LIMIT_COUNT] = {
	[ADDRESS_REQUESTS] = { 10, 1, 4 },
	[ADDRESS_FAILURES] = { 10, 60, 2 },
};

static struct address_limits *limits;

static int start(void)
{
	limits = address_limits_new(rates, 64);
	return limits == NULL;
}

static void stop(void)
{
	address_limits_free(limits);
}

static const uint8_t *ipv4(uint32_t n)
{
	static uint8_t address[16];

	memset(address, 0, sizeof(address));
	address[10] = address[11] = 0xff;
	for (int i = 0; i < 4; i++)
		address[12 + i] = (uint8_t)(n >> (24 - 8 * i));
	return address;
}

static const uint8_t *ipv6(uint8_t seventh, uint8_t eighth)
{
	static uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	address[6] = seventh;
	address[7] = eighth;
	return address;
}

static bool has(enum address_limit which, const uint8_t *address, int64_t now_us)
{
	return address_limits_wait_us(limits, which, address, now_us) == 0;
}

static int taken(enum address_limit which, const uint8_t *address, int64_t now_us, int tries)
{
	int n = 0;

	for (int i = 0; i < tries; i++)
		n += address_limits_take(limits, which, address, now_us);
	return n;
}

static void test_a_bucket_empties_and_fills(void)
{
	int64_t now = 1000 * (int64_t)S;

	CU_ASSERT_EQUAL_FATAL(start(), 0);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), now, 10), 4);
	CU_ASSERT_FALSE(has(ADDRESS_REQUESTS, ipv4(1), now));
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), now + S / 10 - 1, 10), 0);
	CU_ASSERT_TRUE(has(ADDRESS_REQUESTS, ipv4(1), now + S / 10));
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), now + S / 10, 10), 1);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), now + S / 2, 10), 4);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), now + 100 * S, 10), 4); /* no more */
	stop();
}

static void test_the_rate_holds_over_time(void)
{
	int64_t now = 0;
	int n = 0;

	CU_ASSERT_EQUAL_FATAL(start(), 0);
	for (; now < 10 * S; now += S / 100)
		n += address_limits_take(limits, ADDRESS_REQUESTS, ipv4(1), now);
	CU_ASSERT(n >= 100 && n <= 104);
	stop();
}

static void test_buckets_are_each_addresss_and_each_limits_own(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), 0, 10), 4);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(2), 0, 10), 4);
	CU_ASSERT_EQUAL(taken(ADDRESS_FAILURES, ipv4(1), 0, 10), 2);
	CU_ASSERT_EQUAL(taken(ADDRESS_FAILURES, ipv4(1), 6 * S, 10), 1);
	stop();
}

static void test_ipv6_counts_by_56_bits(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv6(1, 1), 0, 3), 3);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv6(1, 2), 0, 3), 1);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv6(2, 1), 0, 10), 4);
	stop();
}

static void test_asking_whether_takes_nothing(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_TRUE(has(ADDRESS_FAILURES, ipv4(1), 0));
	CU_ASSERT_EQUAL(taken(ADDRESS_FAILURES, ipv4(1), 0, 10), 2);
	stop();
}

static void test_the_local_socket_and_no_rate_have_no_limit(void)
{
	static const struct address_rate none[ADDRESS_LIMIT_COUNT];
	static const uint8_t local[16];

	CU_ASSERT_EQUAL_FATAL(start(), 0);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, local, 0, 1000), 1000);
	stop();
	limits = address_limits_new(none, 64);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), 0, 1000), 1000);
	CU_ASSERT_TRUE(has(ADDRESS_FAILURES, ipv4(1), 0));
	stop();
}

static void test_how_long_to_wait(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	CU_ASSERT_EQUAL(taken(ADDRESS_FAILURES, ipv4(1), 0, 10), 2);
	CU_ASSERT_EQUAL(address_limits_wait_us(limits, ADDRESS_FAILURES, ipv4(1), 0), 6 * S);
	CU_ASSERT_EQUAL(address_limits_wait_us(limits, ADDRESS_FAILURES, ipv4(1), 5 * S), S);
	CU_ASSERT_TRUE(has(ADDRESS_FAILURES, ipv4(1), 6 * S));
	stop();
}

/* A hundred connections see the one that is left; all of them fail, and all of that is paid. */
static void test_what_is_done_side_by_side_is_owed(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_TRUE(has(ADDRESS_FAILURES, ipv4(1), 0));
	for (int i = 0; i < 100; i++)
		address_limits_charge(limits, ADDRESS_FAILURES, ipv4(1), 0);
	CU_ASSERT_FALSE(has(ADDRESS_FAILURES, ipv4(1), (99 - 1) * 6 * S - 1));
	CU_ASSERT_TRUE(has(ADDRESS_FAILURES, ipv4(1), (99 - 1) * 6 * S + 6 * S));
	stop();
}

static void fork_and_take(enum address_limit which, int tries)
{
	pid_t child = fork();
	int how;

	if (child == 0)
		_exit(taken(which, ipv4(1), 0, tries));
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &how, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == tries);
}

static void test_processes_share_a_limit(void)
{
	CU_ASSERT_EQUAL_FATAL(start(), 0);
	fork_and_take(ADDRESS_REQUESTS, 1);
	fork_and_take(ADDRESS_REQUESTS, 2);
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), 0, 10), 1);
	stop();
}

/* Four processes take what there is at once: no more than that, whoever is quicker. */
static void test_processes_take_no_more_than_there_is(void)
{
	static const struct address_rate large[ADDRESS_LIMIT_COUNT] = {
		[ADDRESS_REQUESTS] = { 1, 1, 100 },
	};
	int sum = 0, how;

	limits = address_limits_new(large, 64);
	CU_ASSERT_TRUE_FATAL(limits != NULL && has(ADDRESS_REQUESTS, ipv4(1), 0));
	CU_ASSERT_EQUAL(taken(ADDRESS_REQUESTS, ipv4(1), 0, 1), 1); /* it has its place */
	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			_exit(taken(ADDRESS_REQUESTS, ipv4(1), 0, 10000));
	while (wait(&how) > 0)
		sum += WEXITSTATUS(how);
	CU_ASSERT_EQUAL(sum, 99);
	stop();
}

/* A flood from 100,000 addresses which ask does not make the table forget who has failed. */
static void test_a_flood_of_addresses_leaves_those_that_failed(void)
{
	int remembered = 0;

	CU_ASSERT_EQUAL_FATAL(start(), 0);
	for (uint32_t i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(taken(ADDRESS_FAILURES, ipv4(i), 0, 10), 2);
	for (uint32_t i = 0; i < 100000; i++)
		address_limits_charge(limits, ADDRESS_REQUESTS, ipv4(1000 + i), i);
	for (uint32_t i = 0; i < 8; i++)
		remembered += !has(ADDRESS_FAILURES, ipv4(i), 100000);
	CU_ASSERT_EQUAL(remembered, 8);
	stop();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a bucket empties and fills", test_a_bucket_empties_and_fills },
		{ "the rate holds over time", test_the_rate_holds_over_time },
		{ "buckets are each address's and each limit's own",
		  test_buckets_are_each_addresss_and_each_limits_own },
		{ "IPv6 counts by 56 bits", test_ipv6_counts_by_56_bits },
		{ "asking whether takes nothing", test_asking_whether_takes_nothing },
		{ "the local socket and no rate have no limit",
		  test_the_local_socket_and_no_rate_have_no_limit },
		{ "how long to wait", test_how_long_to_wait },
		{ "what is done side by side is owed", test_what_is_done_side_by_side_is_owed },
		{ "processes share a limit", test_processes_share_a_limit },
		{ "processes take no more than there is",
		  test_processes_take_no_more_than_there_is },
		{ "a flood of addresses leaves those that failed",
		  test_a_flood_of_addresses_leaves_those_that_failed },
		CU_TEST_INFO_NULL,
	};

	return run_suite("address_limits", tests);
}
