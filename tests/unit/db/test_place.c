/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "db/place.h"

#define FOLDER "database: want host=/folder or hostaddr=address"
#define NAME   "is a name, want a socket folder or hostaddr"

static const struct {
	const char *conninfo;
	const char *unix_inet_inet6_reads;
	const char *wrong; /* NULL: good */
} cases[] = {
	{ "host=/run/postgresql dbname=stipa", "1000", NULL },
	{ "host=@abstract", "1000", NULL },
	{ "host=/run/postgresql passfile=/etc/stipa/pass", "1001", NULL },
	{ "hostaddr=192.0.2.1", "0101", NULL },
	{ "hostaddr=192.0.2.1 host=db.example sslmode=verify-full", "0101", NULL },
	{ "hostaddr=2001:db8::1", "0011", NULL },
	{ "hostaddr=fe80::1%eth0", "0011", NULL },
	{ "hostaddr=192.0.2.1,2001:db8::1", "0111", NULL },
	{ "hostaddr=192.0.2.1, host=db.example,/run/postgresql", "1101", NULL },
	{ "host=/run/a,/run/b", "1000", NULL },
	{ "dbname=stipa", NULL, FOLDER },
	{ "", NULL, FOLDER },
	{ "host=db.example", NULL, "host=db.example " NAME },
	{ "host=127.0.0.1", NULL, "host=127.0.0.1 " NAME },
	{ "host=/run/postgresql,db.example", NULL, "host=db.example " NAME },
	{ "hostaddr=192.0.2.1, host=a.example,b.example", NULL, "host=b.example " NAME },
	{ "hostaddr=192.0.2.1,", NULL, FOLDER },
	{ "hostaddr=db.example", NULL, "hostaddr=db.example is no address" },
	{ "hostaddr=192.0.2.1 service=stipa", NULL, "no service files here" },
	{ "nonsense", NULL, "missing \"=\" after \"nonsense\"" },
};

static bool as_expected(size_t i)
{
	struct error error = { 0 };
	struct db_place place;
	char what[5];

	if (!db_place_of(cases[i].conninfo, &place, &error))
		return cases[i].wrong != NULL && error.kind == ERROR_INVALID &&
		       strstr(error.detail, cases[i].wrong) != NULL;
	snprintf(what, sizeof(what), "%d%d%d%d", place.by_unix, place.by_inet, place.by_inet6,
		 place.reads);
	return cases[i].wrong == NULL && strcmp(what, cases[i].unix_inet_inet6_reads) == 0;
}

static void test_where_it_leads(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = as_expected(i);

		if (!good)
			printf("\n  %s\n", cases[i].conninfo);
		CU_ASSERT_TRUE(good);
	}
}

static void test_what_is_left_out_comes_from_the_environment(void)
{
	struct error error = { 0 };
	struct db_place place;

	setenv("PGHOSTADDR", "192.0.2.1", 1);
	CU_ASSERT_TRUE(db_place_of("host=/run/postgresql", &place, &error));
	CU_ASSERT_TRUE(place.by_inet && !place.by_unix);
	CU_ASSERT_TRUE(db_place_of("hostaddr=2001:db8::1", &place, &error));
	CU_ASSERT_TRUE(place.by_inet6 && !place.by_inet);
	unsetenv("PGHOSTADDR");
	setenv("PGSERVICE", "stipa", 1);
	CU_ASSERT_FALSE(db_place_of("host=/run/postgresql", &place, &error));
	unsetenv("PGSERVICE");
}

int main(void)
{
	static const char *const variables[] = { "PGHOST", "PGHOSTADDR", "PGSERVICE",
						 "PGPASSFILE" };
	static CU_TestInfo tests[] = {
		{ "where it leads", test_where_it_leads },
		{ "what is left out comes from the environment",
		  test_what_is_left_out_comes_from_the_environment },
		CU_TEST_INFO_NULL,
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	return run_suite("place", tests);
}
