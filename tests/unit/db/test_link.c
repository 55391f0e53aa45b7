/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../suite.h"
#include "db/link.h"

/* What a link does without a server; with one, tests/integration/test_issuer.c uses it. */

static struct event_base *base;
static int lost;
static char why[200];

static void on_ready(void *arg, struct db_pipeline *pipe)
{
	(void)arg;
	(void)pipe;
	CU_FAIL("ready without a server");
}

static void on_greeting(void *arg, const PGresult *rows, struct error *error)
{
	(void)arg;
	(void)rows;
	(void)error;
	CU_FAIL("greeted without a server");
}

static void on_lost(void *arg, const struct error *error)
{
	(void)arg;
	CU_ASSERT_EQUAL(error->kind, ERROR_UNAVAILABLE);
	snprintf(why, sizeof(why), "%s", error->detail);
	lost++;
}

static struct db_link *link_to(const char *conninfo, struct error *error)
{
	static const struct db_statement greeting = { .name = "greeting", .sql = "SELECT 1" };
	static const struct db_statement *const statements[] = { NULL };
	const struct db_link_options options = { .base = base,
						 .conninfo = conninfo,
						 .application_name = "test",
						 .greeting = &greeting,
						 .on_greeting = on_greeting,
						 .statements = statements,
						 .on_ready = on_ready,
						 .on_lost = on_lost };

	lost = 0;
	why[0] = '\0';
	return db_link_new(&options, error);
}

static void test_where_the_database_may_be(void)
{
	static const struct {
		const char *conninfo;
		const char *refusal; /* NULL: taken */
	} cases[] = {
		{ "host=/run/postgresql dbname=stipa", NULL },
		{ "host=/run/a,/run/b", NULL },
		{ "host=@stipa", NULL },
		{ "hostaddr=127.0.0.1", NULL },
		{ "hostaddr=127.0.0.1 host=db.example",
		  NULL }, /* a name to verify, not to look up */
		{ "postgresql:///stipa?host=/run/postgresql", NULL },
		{ "host=db.example", "host=db.example is a name" },
		{ "host=/run/a,db.example", "is a name" },
		{ "host=127.0.0.1", "want a socket folder or hostaddr" },
		{ "postgresql://db.example/stipa", "is a name" },
		{ "dbname=stipa", "want host=/folder" },
		{ "", "want host=/folder" },
		{ "colour=red", "colour" },
		{ "host", "missing" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		struct db_link *link = link_to(cases[i].conninfo, &error);
		const char *refusal = cases[i].refusal;
		bool right = refusal == NULL ? link != NULL
					     : link == NULL && error.kind == ERROR_INVALID &&
						       strstr(error.detail, refusal) != NULL;

		if (!right)
			printf("\n  %s: %s", cases[i].conninfo, error.detail);
		CU_ASSERT_TRUE(right);
		db_link_free(link);
	}
}

#define PATIENCE_S 60 /* on a slow machine */
#define TRIES	   5  /* of what a machine that stands still makes too long */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Run the loop until so many attempts have failed; returns the seconds. */
static double run_until_lost(int times)
{
	double start = now();

	while (lost < times && now() - start < PATIENCE_S)
		event_base_loop(base, EVLOOP_ONCE);
	return now() - start;
}

/* How long it took until so many attempts had failed: never shorter than this. */
static double time_of_failures(const char *conninfo, int times, double least)
{
	struct error error = { 0 };
	struct db_link *link = link_to(conninfo, &error);
	double took;

	CU_ASSERT_PTR_NOT_NULL_FATAL(link);
	CU_ASSERT_EQUAL(lost, 0);
	took = run_until_lost(times);
	CU_ASSERT_EQUAL(lost, times);
	CU_ASSERT(took > least);
	db_link_free(link);
	return took;
}

static void test_nobody_there_is_tried_again(void)
{
	double took = PATIENCE_S;

	/* at once, after 250 ms, after another 500 ms */
	for (int i = 0; i < TRIES && took > 2; i++)
		took = time_of_failures("host=/nowhere", 3, 0.7);
	CU_ASSERT(took < 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere"));
	CU_ASSERT_PTR_NULL(strchr(why, '\n'));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
	return fd;
}

/* A server that takes the connection and says nothing. */
static void test_silence_is_not_waited_for(void)
{
	char folder[] = "/tmp/stipa-link.XXXXXX", path[64], conninfo[64];
	double took = PATIENCE_S;
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", folder);
	snprintf(conninfo, sizeof(conninfo), "host=%s port=5432", folder);
	fd = listen_at(path);
	for (int i = 0; i < TRIES && took > 2.5; i++)
		took = time_of_failures(conninfo, 1, 1.9);
	CU_ASSERT(took < 2.5);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no connection within 2000 ms"));
	close(fd);
	unlink(path);
	rmdir(folder);
}

static int setup(void)
{
	base = event_base_new();
	return base == NULL;
}

static int teardown(void)
{
	event_base_free(base);
	return 0;
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "where the database may be", test_where_the_database_may_be },
		{ "nobody there is tried again", test_nobody_there_is_tried_again },
		{ "silence is not waited for", test_silence_is_not_waited_for },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "link", .pInitFunc = setup, .pCleanupFunc = teardown, .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
