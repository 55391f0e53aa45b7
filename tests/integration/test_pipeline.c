/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "db/pipeline.h"

static const struct db_statement insert_token = {
	.name = "insert_token",
	.sql = "INSERT INTO spc_token (jti, spc) VALUES ($1, $2)",
	.params = 2,
};

static const struct db_statement insert_late = {
	.name = "insert_late",
	.sql = "INSERT INTO checked_at_commit (jti) VALUES ($1)",
	.params = 1,
};

static const struct db_statement wait_long = { .name = "wait_long", .sql = "SELECT pg_sleep(60)" };

static const struct db_statement sum_all = {
	.name = "sum_all",
	.sql = "SELECT length($1::bytea) + $2::int8 + $3 + $4 + $5 + $6 + $7 + $8 + $9 + $10"
	       " + $11 + $12 + $13 + $14 + $15 + $16::int8",
	.params = 16,
	.result = DB_BINARY,
};

static const struct db_statement unsendable = { .name = NULL, .params = 1 };

static const struct db_statement *const statements[] = {
	&insert_token,
	&insert_late,
	&wait_long,
	&sum_all,
};

static char commit_name[] = "commit", lost_name[] = "lost", sum_name[] = "sum";

static PGconn *control; /* looks on, and meddles */
static PGconn *pg;
static struct event_base *base;
static struct db_pipeline *link_;
static char story[256]; /* what was told, in order; a failure carries a '!' */
static bool sending;

static void tell(void *name, const struct error *error)
{
	size_t n = strlen(story);

	CU_ASSERT_FALSE(sending);
	CU_ASSERT(error->kind == ERROR_NONE || error->kind == ERROR_UNAVAILABLE);
	snprintf(story + n, sizeof(story) - n, "%s%s ", (const char *)name,
		 error->kind == ERROR_NONE ? "" : "!");
}

static void tell_and_stop(void *name, const struct error *error)
{
	tell(name, error);
	event_base_loopbreak(base);
}

static struct db_call call(const struct db_statement *statement, const char *name)
{
	return (struct db_call){
		.statement = statement, .value = { name, "281K" }, .done = tell, .arg = (void *)name
	};
}

static struct db_call commit_call(done_fn done)
{
	return (struct db_call){ .done = done, .arg = commit_name };
}

static void send_all(struct db_call *calls, int n, struct db_call *commit)
{
	sending = true;
	for (int i = 0; i < n; i++)
		db_send(link_, &calls[i]);
	db_commit(link_, commit);
	sending = false;
}

static void clear_all(struct db_call *calls, int n)
{
	for (int i = 0; i < n; i++)
		PQclear(calls[i].result);
}

static void on_hang(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	CU_FAIL("hangs");
	event_base_loopbreak(base);
}

/* Run the loop until a callback stops it. */
static void run_loop(void)
{
	const struct timeval limit = { .tv_sec = 60 };
	struct event *hang = evtimer_new(base, on_hang, NULL);

	evtimer_add(hang, &limit);
	event_base_dispatch(base);
	event_free(hang);
}

static int rows(void)
{
	PGresult *r = PQexec(control, "SELECT count(*) FROM spc_token");
	int n = atoi(PQgetvalue(r, 0, 0));

	PQclear(r);
	return n;
}

static void test_a_batch_commits_as_one(void)
{
	struct db_call calls[] = { call(&insert_token, "a"), call(&insert_token, "b") };
	struct db_call commit = commit_call(tell_and_stop);

	send_all(calls, 2, &commit);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "a b commit ");
	CU_ASSERT_EQUAL(rows(), 2);
	clear_all(calls, 2);
}

static void test_one_bad_row_undoes_the_batch(void)
{
	struct db_call calls[] = { call(&insert_token, "a"), call(&insert_token, "a"),
				   call(&insert_token, "c") };
	struct db_call commit = commit_call(tell_and_stop);

	send_all(calls, 3, &commit);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "a a! c! commit! ");
	CU_ASSERT_STRING_EQUAL(calls[1].sqlstate, "23505");
	CU_ASSERT_EQUAL(rows(), 0);
	clear_all(calls, 3);
}

static void test_the_connection_goes_on_after_a_failed_batch(void)
{
	struct db_call bad[] = { call(&insert_token, "a"), call(&insert_token, "a") };
	struct db_call good[] = { call(&insert_token, "b") };
	struct db_call commit[] = { commit_call(tell), commit_call(tell_and_stop) };

	send_all(bad, 2, &commit[0]);
	send_all(good, 1, &commit[1]);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "a a! commit! b commit ");
	CU_ASSERT_EQUAL(rows(), 1);
	clear_all(bad, 2);
	clear_all(good, 1);
}

static void test_an_error_of_the_commit_itself_fails_the_commit(void)
{
	struct db_call late[] = { call(&insert_late, "x"), call(&insert_late, "x") };
	struct db_call good[] = { call(&insert_token, "b") };
	struct db_call commit[] = { commit_call(tell), commit_call(tell_and_stop) };

	send_all(late, 2, &commit[0]);
	send_all(good, 1, &commit[1]);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "x x commit! b commit ");
	CU_ASSERT_STRING_EQUAL(commit[0].sqlstate, "23505");
	clear_all(late, 2);
	clear_all(good, 1);
}

static void on_poll(evutil_socket_t fd, short what, void *sql)
{
	(void)fd;
	(void)what;
	PQclear(PQexec(control, sql));
}

static void run_loop_and_poll(const char *sql)
{
	const struct timeval interval = { .tv_usec = 20000 };
	struct event *poll = event_new(base, -1, EV_PERSIST, on_poll, (void *)sql);

	event_add(poll, &interval);
	run_loop();
	event_free(poll);
}

/* The row is there and the server says COMMIT: only the warning tells that no standby has it. */
static void test_a_cancelled_wait_for_the_standby_fails_the_commit(void)
{
	struct db_call calls[] = { call(&insert_token, "a") };
	struct db_call commit = commit_call(tell_and_stop);

	PQexitPipelineMode(pg);
	PQclear(PQexec(pg, "SET synchronous_commit = on"));
	PQenterPipelineMode(pg);
	send_all(calls, 1, &commit);
	run_loop_and_poll("SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
			  " WHERE wait_event = 'SyncRep'");
	CU_ASSERT_STRING_EQUAL(story, "a commit! ");
	CU_ASSERT_PTR_NOT_NULL(strstr(commit.error.detail, "warning 01000"));
	CU_ASSERT_EQUAL(rows(), 1);
	clear_all(calls, 1);
}

static void test_a_call_that_cannot_be_sent_fails_all_that_wait(void)
{
	struct db_call calls[] = { call(&insert_token, "a"), call(&unsendable, "bad"),
				   call(&insert_token, "c") };
	struct db_call commit = commit_call(tell);

	send_all(calls, 3, &commit);
	CU_ASSERT_STRING_EQUAL(story, "");
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "a! bad! c! commit! lost! ");
	CU_ASSERT_EQUAL(rows(), 0);
}

static void test_a_lost_connection_fails_all_that_wait(void)
{
	struct db_call calls[] = { call(&wait_long, "wait"), call(&insert_token, "b") };
	struct db_call later[] = { call(&insert_token, "c") };
	struct db_call commit[] = { commit_call(tell), commit_call(tell) };

	send_all(calls, 2, &commit[0]);
	send_all(later, 1, &commit[1]);
	run_loop_and_poll("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			  " WHERE wait_event = 'PgSleep'");
	CU_ASSERT_STRING_EQUAL(story, "wait! b! commit! c! commit! lost! ");
	CU_ASSERT_EQUAL(rows(), 0);
}

static void test_a_call_after_the_loss_fails_too(void)
{
	struct db_call call_after[] = { call(&insert_token, "a") };
	struct db_call commit = commit_call(tell_and_stop);

	PQclear(PQexec(control, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				" WHERE application_name = 'pipeline'"));
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "lost! ");
	send_all(call_after, 1, &commit);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "lost! a! commit! ");
}

static void test_closing_fails_what_waits(void)
{
	struct db_call calls[] = { call(&insert_token, "a") };
	struct db_call commit = commit_call(tell);

	send_all(calls, 1, &commit);
	db_pipeline_free(link_);
	link_ = NULL;
	CU_ASSERT_STRING_EQUAL(story, "a! commit! ");
}

static void test_sixteen_binary_parameters_and_a_binary_result(void)
{
	const uint64_t one = htobe64(1);
	struct db_call sum = { .statement = &sum_all, .done = tell, .arg = sum_name };
	struct db_call commit = commit_call(tell_and_stop);
	uint64_t got;

	for (int i = 0; i < sum_all.params; i++) {
		sum.value[i] = i == 0 ? "a\0b" : (const char *)&one;
		sum.length[i] = i == 0 ? 3 : sizeof(one);
		sum.format[i] = DB_BINARY;
	}
	send_all(&sum, 1, &commit);
	run_loop();
	CU_ASSERT_STRING_EQUAL(story, "sum commit ");
	CU_ASSERT_EQUAL_FATAL(PQgetlength(sum.result, 0, 0), (int)sizeof(got));
	memcpy(&got, PQgetvalue(sum.result, 0, 0), sizeof(got));
	CU_ASSERT_EQUAL(be64toh(got), 3 + 15);
	PQclear(sum.result);
}

static PGconn *connect_as(const char *name)
{
	PGconn *conn = PQconnectdb(getenv("TEST_PGCONN"));
	PGresult *set = PQexecParams(conn, "SELECT set_config('application_name', $1, false)", 1,
				     NULL, &name, NULL, NULL, 0);

	PQclear(set);
	return conn;
}

static void before_each(void)
{
	PQclear(PQexec(control, "TRUNCATE spc_token, checked_at_commit"));
	pg = connect_as("pipeline");
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		PQclear(PQprepare(pg, statements[i]->name, statements[i]->sql, 0, NULL));
	link_ = db_pipeline_new(base, pg, tell_and_stop, lost_name);
	story[0] = '\0';
}

static void after_each(void)
{
	db_pipeline_free(link_);
	PQfinish(pg);
}

static int setup(void)
{
	control = connect_as("control");
	PQclear(PQexec(control, "CREATE TABLE spc_token"
				" (jti text PRIMARY KEY, spc text NOT NULL)"));
	PQclear(PQexec(control, "CREATE TABLE checked_at_commit (jti text,"
				" UNIQUE (jti) DEFERRABLE INITIALLY DEFERRED)"));
	base = event_base_new();
	return PQstatus(control) != CONNECTION_OK || base == NULL;
}

static int teardown(void)
{
	event_base_free(base);
	PQfinish(control);
	return 0;
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a batch commits as one", test_a_batch_commits_as_one },
		{ "one bad row undoes the batch", test_one_bad_row_undoes_the_batch },
		{ "the connection goes on", test_the_connection_goes_on_after_a_failed_batch },
		{ "sixteen binary parameters", test_sixteen_binary_parameters_and_a_binary_result },
		{ "an error of the commit", test_an_error_of_the_commit_itself_fails_the_commit },
		{ "a cancelled wait", test_a_cancelled_wait_for_the_standby_fails_the_commit },
		{ "an unsendable call", test_a_call_that_cannot_be_sent_fails_all_that_wait },
		{ "a lost connection", test_a_lost_connection_fails_all_that_wait },
		{ "a call after the loss", test_a_call_after_the_loss_fails_too },
		{ "closing fails what waits", test_closing_fails_what_waits },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "pipeline",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pSetUpFunc = before_each,
		  .pTearDownFunc = after_each,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0 || CU_get_number_of_suites_failed() != 0;
}
