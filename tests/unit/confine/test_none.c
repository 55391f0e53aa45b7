/* SPDX-License-Identifier: Apache-2.0 */
/* Of a build without confinement. */
#include <string.h>
#include <unistd.h>

#include "../suite.h"
#include "confine/confine.h"

static void test_it_says_that_nothing_is_confined(void)
{
	struct log log = { .least = LOG_LEVEL_INFO, .process = "test" };
	struct confine_profile profile = { .parts = CONFINE_SERVES, .log = &log };
	struct error error = { 0 };
	char line[1024] = "";
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	log.fd = ends[1];
	CU_ASSERT_FALSE(confine_is_built());
	CU_ASSERT_TRUE(confine_enter(&profile, &error));
	CU_ASSERT_TRUE(read(ends[0], line, sizeof(line) - 1) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"level\":\"warning\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "this build is without confinement"));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "it says that nothing is confined", test_it_says_that_nothing_is_confined },
		CU_TEST_INFO_NULL,
	};

	return run_suite("no confinement", tests);
}
