/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../suite.h"
#include "base/buckets.h"

static struct buckets *buckets;

static void name(unsigned int who, uint8_t digest[BUCKETS_DIGEST_LEN])
{
	memset(digest, 0, BUCKETS_DIGEST_LEN);
	memcpy(digest, &who, sizeof(who));
}

static bool takes(unsigned int who, int64_t now_ms)
{
	uint8_t digest[BUCKETS_DIGEST_LEN];

	name(who, digest);
	return buckets_take(buckets, digest, now_ms);
}

static void gives_back(unsigned int who)
{
	uint8_t digest[BUCKETS_DIGEST_LEN];

	name(who, digest);
	buckets_give_back(buckets, digest);
}

static int taken(unsigned int who, int n, int64_t now_ms)
{
	int good = 0;

	for (int i = 0; i < n; i++)
		good += takes(who, now_ms);
	return good;
}

static void make(unsigned int per_s, unsigned int burst, unsigned int max)
{
	const struct buckets_rate rate = { .per_min = per_s * 60, .burst = burst, .max = max };

	buckets = buckets_new(&rate);
	CU_ASSERT_PTR_NOT_NULL_FATAL(buckets);
}

static void after_each(void)
{
	buckets_free(buckets);
}

static void test_a_burst_then_the_rate(void)
{
	make(100, 200, 16);
	CU_ASSERT_EQUAL(taken(1, 300, 5000), 200);
	CU_ASSERT_EQUAL(taken(1, 300, 5009), 0);
	CU_ASSERT_EQUAL(taken(1, 300, 5010), 1);
	CU_ASSERT_EQUAL(taken(1, 300, 5110), 10);
	CU_ASSERT_EQUAL(taken(1, 300, 9999999), 200); /* no more than full */
}

static void test_a_second_is_not_lost_in_pieces(void)
{
	int n = 0;

	make(3, 1, 16);
	takes(1, 0);
	for (int64_t ms = 1; ms <= 10000; ms++)
		n += takes(1, ms);
	CU_ASSERT(n == 29 || n == 30);
}

static void test_ten_a_minute(void)
{
	const struct buckets_rate rate = { .per_min = 10, .burst = 2, .max = 4 };

	buckets = buckets_new(&rate);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 2);
	CU_ASSERT_EQUAL(taken(1, 5, 5999), 0);
	CU_ASSERT_EQUAL(taken(1, 5, 6000), 1);
	CU_ASSERT_EQUAL(taken(1, 5, 60000), 2);
}

static void test_what_is_given_back(void)
{
	make(1, 2, 16);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 2);
	gives_back(1);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 1);
	for (int i = 0; i < 5; i++)
		gives_back(1);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 2); /* no more than full */
	gives_back(2);			    /* unknown */
	CU_ASSERT_EQUAL(taken(2, 5, 0), 2);
}

static void test_each_has_its_own(void)
{
	make(1, 2, 16);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 2);
	CU_ASSERT_EQUAL(taken(2, 5, 0), 2);
	CU_ASSERT_EQUAL(taken(1, 5, 0), 0);
}

static void test_without_a_limit(void)
{
	make(0, 1, 16);
	CU_ASSERT_EQUAL(taken(1, 1000, 0), 1000);
}

/* The one that has been silent for longest makes room. */
static void test_the_table_is_bounded(void)
{
	make(1, 1, 4);
	for (unsigned int who = 1; who <= 4; who++)
		CU_ASSERT_TRUE(takes(who, 0));
	CU_ASSERT_FALSE(takes(1, 0)); /* still known, and the youngest now */
	CU_ASSERT_TRUE(takes(5, 0));  /* in the place of 2 */
	CU_ASSERT_FALSE(takes(1, 0));
	CU_ASSERT_FALSE(takes(3, 0));
	CU_ASSERT_FALSE(takes(4, 0));
	CU_ASSERT_FALSE(takes(5, 0));
	CU_ASSERT_TRUE(takes(2, 0));
}

static void test_a_flood_of_strangers(void)
{
	make(1, 1, 1000);
	for (unsigned int who = 0; who < 200000; who++)
		CU_ASSERT_TRUE(takes(who, 0));
	CU_ASSERT_FALSE(takes(199999, 0));
	CU_ASSERT_FALSE(takes(199000, 0));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a burst, then the rate", test_a_burst_then_the_rate },
		{ "in pieces", test_a_second_is_not_lost_in_pieces },
		{ "ten a minute", test_ten_a_minute },
		{ "given back", test_what_is_given_back },
		{ "each its own", test_each_has_its_own },
		{ "without a limit", test_without_a_limit },
		{ "a bounded table", test_the_table_is_bounded },
		{ "a flood", test_a_flood_of_strangers },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "buckets", .pTearDownFunc = after_each, .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
