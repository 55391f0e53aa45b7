/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../../../src/stipactl/when.h"
#include "../suite.h"

#define NOW 1767268800 /* 2026-01-01T12:00:00Z */

static const struct {
	const char *text;
	enum when_direction direction;
	const char *utc; /* NULL: refused */
} cases[] = {
	{ "2026-03-01", WHEN_AHEAD, "2026-03-01T00:00:00Z" },
	{ "2028-02-29", WHEN_AHEAD, "2028-02-29T00:00:00Z" },
	{ "2026-03-01T10:20:30Z", WHEN_AHEAD, "2026-03-01T10:20:30Z" },
	{ "2026-03-01t10:20:30z", WHEN_AHEAD, "2026-03-01T10:20:30Z" },
	{ "2026-03-01 10:20:30Z", WHEN_AHEAD, "2026-03-01T10:20:30Z" },
	{ "2026-03-01T10:20:30.123Z", WHEN_AHEAD, "2026-03-01T10:20:30Z" },
	{ "2026-03-01T00:20:30+01:30", WHEN_AHEAD, "2026-02-28T22:50:30Z" },
	{ "2026-03-01T10:20:30-05:00", WHEN_BACK, "2026-03-01T15:20:30Z" },
	{ "90d", WHEN_AHEAD, "2026-04-01T12:00:00Z" },
	{ "12h", WHEN_AHEAD, "2026-01-02T00:00:00Z" },
	{ "12h", WHEN_BACK, "2026-01-01T00:00:00Z" },
	{ "2w", WHEN_BACK, "2025-12-18T12:00:00Z" },
	{ "30m", WHEN_AHEAD, "2026-01-01T12:30:00Z" },
	{ "5s", WHEN_BACK, "2026-01-01T11:59:55Z" },
	{ "", WHEN_AHEAD, NULL },
	{ "d", WHEN_AHEAD, NULL },
	{ "0d", WHEN_AHEAD, NULL },
	{ "-1d", WHEN_AHEAD, NULL },
	{ "90", WHEN_AHEAD, NULL },
	{ "90y", WHEN_AHEAD, NULL },
	{ "90dd", WHEN_AHEAD, NULL },
	{ " 90d", WHEN_AHEAD, NULL },
	{ "1d12h", WHEN_AHEAD, NULL },
	{ "99999999999999999999d", WHEN_AHEAD, NULL },
	{ "9223372036854775807w", WHEN_AHEAD, NULL },
	{ "2026-02-29", WHEN_AHEAD, NULL },
	{ "2026-13-01", WHEN_AHEAD, NULL },
	{ "2026-00-01", WHEN_AHEAD, NULL },
	{ "2026-1-1", WHEN_AHEAD, NULL },
	{ "26-01-01", WHEN_AHEAD, NULL },
	{ "2026-01-01T", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:30", WHEN_AHEAD, NULL }, /* of which zone? */
	{ "2026-01-01T24:00:00Z", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:61Z", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:30+24:00", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:30+0100", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:30ZZ", WHEN_AHEAD, NULL },
	{ "2026-01-01T10:20:30.Z", WHEN_AHEAD, NULL },
	{ "0026-01-01", WHEN_AHEAD, NULL },
	{ "9999-12-31T23:59:59Z", WHEN_AHEAD, "9999-12-31T23:59:59Z" },
	{ "9999-12-31T23:59:59-23:59", WHEN_AHEAD, NULL }, /* in UTC the year 10000 */
	{ "1900-01-01T00:00:00+00:01", WHEN_AHEAD, NULL },
	{ "366000d", WHEN_BACK, NULL },
	{ "tomorrow", WHEN_AHEAD, NULL },
};

static void test_times(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char utc[WHEN_TEXT_MAX] = "refused";
		const char *want = cases[i].utc != NULL ? cases[i].utc : "refused";
		struct error error = { 0 };
		bool ok = when_parse(cases[i].text, cases[i].direction, NOW, utc, &error);

		if (ok != (cases[i].utc != NULL) || strcmp(utc, want) != 0 ||
		    (!ok && strstr(error.detail, "not a time: write") == NULL)) {
			printf("\n    '%s': %s, not %s (%s)", cases[i].text, utc, want,
			       error.detail);
			CU_FAIL("see the line above");
		}
	}
}

static void test_intervals(void)
{
	struct error error = { 0 };
	char interval[WHEN_TEXT_MAX];

	CU_ASSERT_TRUE(when_interval("10m", interval, &error));
	CU_ASSERT_STRING_EQUAL(interval, "600 seconds");
	CU_ASSERT_TRUE(when_interval("1d", interval, &error));
	CU_ASSERT_STRING_EQUAL(interval, "86400 seconds");
	CU_ASSERT_FALSE(when_interval("2026-01-01", interval, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "times", test_times },
		{ "intervals", test_intervals },
		CU_TEST_INFO_NULL,
	};

	return run_suite("when", tests);
}
