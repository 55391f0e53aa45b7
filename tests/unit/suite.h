/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a unit test: main() names its tests and returns what these return. */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <CUnit/Basic.h>

/* Run @suites, ended by CU_SUITE_INFO_NULL.  0 when tests ran and none failed, else 1. */
static inline int run_suites(CU_SuiteInfo *suites)
{
	int failed;

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() == 0;
	CU_cleanup_registry();
	return failed;
}

/* The same for one suite that needs nothing around its tests. */
static inline int run_suite(const char *name, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = {
		{ .pName = name, .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}

#endif
