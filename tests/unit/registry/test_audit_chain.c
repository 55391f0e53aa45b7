/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "registry/audit_chain.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define H1    "3cd5176c172e57c309c2646a09e9ffcebd674ec2519d6bc007393eb98c698ea2"
#define H2    "24badd579c14c5119839b99409a908d6e1178bcd3024eff2fb124166d985d773"
#define H3    "43b5c42f6c3af97af2e9af102b881a34fc4b33f1e90aed58902667385aa96a0a"

/* The hashes were made by Python's hashlib and struct, from what the header says. */
static const struct audit_row rows[] = {
	{ .id = 1,
	  .at = "2026-01-31T12:00:00.000001Z",
	  .actor = "anna",
	  .action = "account_add",
	  .subject = "sp-1",
	  .reason = "Stra\xc3\x9f"
		    "e",
	  .evidence = "{}",
	  .previous = ZEROS,
	  .hash = H1 },
	{ .id = 2,
	  .at = "1999-12-31T23:59:59.999999Z",
	  .actor = "b",
	  .action = "c",
	  .subject = "d",
	  .reason = "e",
	  .evidence = "{\"a\": 1}",
	  .previous = H1,
	  .hash = H2 },
	{ .id = 3,
	  .at = "2026-02-01T00:00:00.000000Z",
	  .actor = "",
	  .action = "",
	  .subject = "",
	  .reason = "",
	  .evidence = "",
	  .previous = H2,
	  .hash = H3 },
};

static bool add(struct audit_chain *chain, size_t i, struct error *error)
{
	return audit_chain_add(chain, &rows[i], error);
}

static void test_a_whole_chain(void)
{
	struct audit_chain chain = { .expected = H2 };
	char head[2 * SHA256_LEN + 1];
	struct error error = { 0 };

	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE(add(&chain, i, &error));
	CU_ASSERT_TRUE(audit_chain_end(&chain, &error));
	audit_chain_head(&chain, head);
	CU_ASSERT_STRING_EQUAL(head, H3);
	CU_ASSERT_EQUAL(chain.first, 1);
	CU_ASSERT_EQUAL(chain.last, 3);
}

static void test_a_part_begins_anywhere_and_then_goes_on(void)
{
	struct audit_chain part = { .is_part = true }, whole = { 0 };
	struct error error = { 0 };

	CU_ASSERT_TRUE(add(&part, 1, &error));
	CU_ASSERT_TRUE(add(&part, 2, &error));
	CU_ASSERT_EQUAL(part.first, 2);
	CU_ASSERT_FALSE(add(&whole, 1, &error));
	CU_ASSERT_STRING_EQUAL(error.code, AUDIT_BROKEN);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "event 1 is missing"));
}

static void test_a_noted_head_must_be_met(void)
{
	struct audit_chain chain = { .expected = H3 };
	struct error error = { 0 };

	CU_ASSERT_TRUE(add(&chain, 0, &error));
	CU_ASSERT_TRUE(add(&chain, 1, &error));
	CU_ASSERT_FALSE(audit_chain_end(&chain, &error));
	CU_ASSERT_STRING_EQUAL(error.code, AUDIT_BROKEN);
}

static void test_order_and_gaps(void)
{
	static const size_t orders[][3] = { { 0, 2, 1 }, { 0, 0, 1 }, { 1, 0, 2 } };

	for (size_t n = 0; n < sizeof(orders) / sizeof(orders[0]); n++) {
		struct audit_chain chain = { 0 };
		struct error error = { 0 };
		bool ok = true;

		for (size_t i = 0; ok && i < 3; i++)
			ok = add(&chain, orders[n][i], &error);
		CU_ASSERT_FALSE(ok);
	}
}

/* Each member of the second event, changed. */
static void test_any_change_is_found(void)
{
	const struct audit_row right = rows[1];
	struct audit_row bad[] = { right, right, right, right, right, right,
				   right, right, right, right, right };

	bad[0].at = "1999-12-31T23:59:59.999998Z";
	bad[1].at = "1999-12-31T23:59:59Z";
	bad[2].actor = "";
	bad[3].action = "cc";
	bad[4].subject = "D";
	bad[5].reason = "e ";
	bad[6].evidence = "{\"a\":1}";
	bad[7].previous = H2;
	bad[8].hash = H1;
	bad[9].hash = "none";
	bad[10].id = 3;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct audit_chain chain = { 0 };
		struct error error = { 0 };

		CU_ASSERT_TRUE(add(&chain, 0, &error));
		CU_ASSERT_FALSE(audit_chain_add(&chain, &bad[i], &error));
		CU_ASSERT_STRING_EQUAL(error.code, AUDIT_BROKEN);
		CU_ASSERT_EQUAL(chain.last, 1);
	}
}

/* Texts have lengths: what moves from one to the next is seen. */
static void test_texts_do_not_run_together(void)
{
	struct audit_row moved = rows[1];
	struct audit_chain chain = { .is_part = true };
	struct error error = { 0 };

	moved.actor = "bc";
	moved.action = "";
	CU_ASSERT_FALSE(audit_chain_add(&chain, &moved, &error));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a whole chain", test_a_whole_chain },
		{ "a part begins anywhere and then goes on",
		  test_a_part_begins_anywhere_and_then_goes_on },
		{ "a noted head must be met", test_a_noted_head_must_be_met },
		{ "order and gaps", test_order_and_gaps },
		{ "any change is found", test_any_change_is_found },
		{ "texts do not run together", test_texts_do_not_run_together },
		CU_TEST_INFO_NULL,
	};

	return run_suite("audit_chain", tests);
}
