/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../suite.h"
#include "db/chore.h"
#include "desk_server.h"

/* A bounded chore at a desk, between the batches of a lane. */

#define HOUR_MS 3600000
#define MOST	10

static struct event_base *base;
static struct db_desk *desk;
static struct db_lane *lane;
static struct db_chore chore;
static FILE *log_file;
static struct log log_ = { .fd = -1, .least = LOG_LEVEL_DEBUG, .process = "test" };

static const struct db_statement statement_lane = { .name = "A", .params = 1 };
static const struct db_statement statement_chore = { .name = "forget", .result = DB_BINARY };
static const enum db_type arrays[] = { DB_TYPE_INT8 };

static bool add(void *arg, struct db_ask *ask, int64_t unix_us, struct db_array *array,
		struct error *error)
{
	(void)arg;
	(void)ask;
	(void)unix_us;
	(void)error;
	db_array_add_int8(&array[0], 1);
	return true;
}

static void decided(void *arg, struct db_asks *asks, PGresult *rows)
{
	(void)arg;
	STAILQ_INIT(asks);
	tell("decided ");
	PQclear(rows);
}

static void failed(void *arg, struct db_ask *ask, const struct error *error)
{
	(void)arg;
	(void)ask;
	(void)error;
	tell("failed ");
}

static const struct db_lane_kind lane_kind = {
	.statement = &statement_lane,
	.arrays = arrays,
	.batch_max = 1,
	.answer_ms = 2000,
	.add = add,
	.decided = decided,
	.failed = failed,
};

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Time goes on, and somebody looks what is due. */
static void after_ms(int64_t ms)
{
	server.steady_ms += ms;
	db_desk_look(desk);
	turn();
}

/* What was logged since the last time, all of it. */
static const char *logged(void)
{
	static char text[2000];
	ssize_t len = pread(fileno(log_file), text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	CU_ASSERT_EQUAL_FATAL(ftruncate(fileno(log_file), 0), 0);
	lseek(fileno(log_file), 0, SEEK_SET);
	return text;
}

static void test_it_runs_at_once_and_each_hour(void)
{
	CU_ASSERT_STRING_EQUAL(server.story, "forget ");
	server_answer(numbers(1, 3));
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(), "\"forgotten\",\"rows\":3"));
	after_ms(HOUR_MS - 1);
	CU_ASSERT_STRING_EQUAL(server.story, "forget ");
	after_ms(1);
	CU_ASSERT_STRING_EQUAL(server.story, "forget forget ");
	server_answer(numbers(1, 0));
}

static void test_nothing_to_do_is_not_told(void)
{
	server_answer(numbers(0, 0));
	CU_ASSERT_STRING_EQUAL(logged(), "");
	turn();
	CU_ASSERT_STRING_EQUAL(server.story, "forget ");
}

/* A backlog goes in steps, and whoever waits comes between two of them. */
static void test_a_backlog_goes_between_the_batches(void)
{
	struct db_ask ask[3];

	server_answer(numbers(1, MOST));
	turn();
	for (int i = 0; i < 3; i++)
		db_ask_start(lane, &ask[i]);
	server_answer(numbers(1, MOST));
	for (turn(); server.call->statement == &statement_lane; turn())
		server_answer(numbers(1, 1));
	server_answer(numbers(1, MOST));
	for (turn(); server.call->statement == &statement_lane; turn())
		server_answer(numbers(1, 1));
	server_answer(numbers(1, MOST - 1));
	turn();
	CU_ASSERT_STRING_EQUAL(server.story, "forget forget A:1 forget decided A:1 forget decided "
					     "A:1 ");
	server_answer(numbers(1, 1));
	turn();
	CU_ASSERT_PTR_NULL(server.call); /* the rest waits for the hour */
}

static void test_a_refusal_waits_for_the_next_hour(void)
{
	server_refuse("57014");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(), "\"reason\":\"as the test wants\""));
	after_ms(HOUR_MS - 1);
	CU_ASSERT_PTR_NULL(server.call);
	CU_ASSERT_EQUAL(server.breaks, 0);
	after_ms(1);
	CU_ASSERT_STRING_EQUAL(server.story, "forget forget ");
	server_answer(numbers(1, 0));
}

/* Nobody knows what the server did. */
static void test_a_loss_is_a_loss(void)
{
	server_lose("reset by peer");
	CU_ASSERT_PTR_NOT_NULL(strstr(logged(), "reset by peer"));
	server_connect();
	turn();
	CU_ASSERT_PTR_NULL(server.call);
	CU_ASSERT_EQUAL(server.breaks, 0);
}

static void before_each(void)
{
	const struct db_desk_options options = { .base = base, .conninfo = "host=/nowhere" };
	struct error error = { 0 };

	server_reset();
	desk = db_desk_new(&options, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk);
	lane = db_lane_new(desk, &lane_kind, 10, NULL);
	chore = (struct db_chore){
		.done = "forgotten",
		.failed = "not forgotten",
		.counts = "rows",
		.statement = &statement_chore,
		.most = MOST,
		.log = &log_,
	};
	db_chore_add(desk, &chore);
	server_connect();
	turn();
}

static void after_each(void)
{
	db_desk_free(desk);
	logged();
}

static int setup(void)
{
	base = event_base_new();
	log_file = tmpfile();
	if (base == NULL || log_file == NULL)
		return 1;
	log_.fd = fileno(log_file);
	return 0;
}

static int teardown(void)
{
	event_base_free(base);
	return fclose(log_file);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "at once and each hour", test_it_runs_at_once_and_each_hour },
		{ "nothing to do", test_nothing_to_do_is_not_told },
		{ "a backlog", test_a_backlog_goes_between_the_batches },
		{ "a refusal", test_a_refusal_waits_for_the_next_hour },
		{ "a loss", test_a_loss_is_a_loss },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "chore",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pSetUpFunc = before_each,
		  .pTearDownFunc = after_each,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
