/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "desk_server.h"

/* Two lanes of somebody who asks numbers, and an errand beside them.  Whatever happens to the
 * connection: each is answered once, in the end, and nothing is told twice. */

#define ASKS_MAX  40
#define QUEUE_MAX 5
#define ANSWER_MS 2000
#define POISON	  13

static struct event_base *base;
static struct db_desk *desk;
static struct db_lane *lane_a, *lane_b;

struct number {
	struct db_ask ask;
	int number;
	int decided, failed;
	struct error why;
};

static struct number asked[ASKS_MAX + 1];

/* ---- who asks ---- */

static const struct db_statement statement_a = { .name = "A", .params = 1, .result = DB_BINARY };
static const struct db_statement statement_b = { .name = "B", .params = 1, .result = DB_BINARY };
static const enum db_type arrays[] = { DB_TYPE_INT8 };
static int unwritable; /* a number that cannot be put into an array */

static bool add(void *arg, struct db_ask *ask, int64_t unix_us, struct db_array *array,
		struct error *error)
{
	struct number *one = (struct number *)ask;

	(void)arg;
	(void)unix_us;
	if (one->number == unwritable)
		return error_set(error, ERROR_INTERNAL, "cannot be written");
	db_array_add_int8(&array[0], one->number);
	return true;
}

static void decided(void *arg, struct db_asks *asks, PGresult *rows)
{
	struct number *one;

	(void)arg;
	tell("decided:");
	for (int i = 0; !STAILQ_EMPTY(asks); i++) {
		one = (struct number *)STAILQ_FIRST(asks);
		STAILQ_REMOVE_HEAD(asks, link);
		CU_ASSERT(i < PQntuples(rows));
		one->decided++;
		tell("%s%d", i > 0 ? "," : "", one->number);
	}
	tell(" ");
	PQclear(rows);
}

static void failed(void *arg, struct db_ask *ask, const struct error *error)
{
	struct number *one = (struct number *)ask;

	(void)arg;
	one->failed++;
	one->why = *error;
}

static unsigned int committed_n;

static void committed(void *arg, unsigned int n, int64_t us)
{
	(void)arg;
	CU_ASSERT(us >= 0);
	committed_n += n;
}

static const struct db_lane_kind kind_a = {
	.statement = &statement_a,
	.arrays = arrays,
	.batch_max = 4,
	.answer_ms = ANSWER_MS,
	.add = add,
	.committed = committed,
	.decided = decided,
	.failed = failed,
};
static const struct db_lane_kind kind_b = {
	.statement = &statement_b,
	.arrays = arrays,
	.batch_max = 4,
	.answer_ms = ANSWER_MS,
	.add = add,
	.decided = decided,
	.failed = failed,
};

static void ask(struct db_lane *lane, int from, int to)
{
	for (int i = from; i <= to; i++) {
		asked[i] = (struct number){ .number = i };
		db_ask_start(lane, &asked[i].ask);
		CU_ASSERT(asked[i].decided + asked[i].failed == 0);
	}
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* ---- what has become of them ---- */

static bool all_are_decided(int from, int to)
{
	for (int i = from; i <= to; i++)
		if (asked[i].decided != 1 || asked[i].failed != 0)
			return false;
	return true;
}

static bool all_have_failed(int from, int to, enum error_kind kind, const char *why)
{
	for (int i = from; i <= to; i++)
		if (asked[i].decided != 0 || asked[i].failed != 1 || asked[i].why.kind != kind ||
		    strstr(asked[i].why.detail, why) == NULL)
			return false;
	return true;
}

static bool all_wait(int from, int to)
{
	for (int i = from; i <= to; i++)
		if (asked[i].decided + asked[i].failed != 0)
			return false;
	return true;
}

/* As many rows as there are numbers in the call. */
static PGresult *rows_for_all(void)
{
	int n = 1;

	for (const char *c = array_text(server.call); *c != '\0'; c++)
		n += *c == ',';
	return numbers(n, 0);
}

static void commit_one(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(server.commit);
	server_answer(rows_for_all());
}

/* The server takes all but the poison, until nobody asks. */
static void commit_all(void)
{
	for (turn(); server.commit != NULL; turn()) {
		if (server.call->statement->params == 0)
			server_answer(numbers(1, 0));
		else if (strstr(array_text(server.call), "13") != NULL)
			server_refuse("22021");
		else
			commit_one();
	}
}

#define STORY_IS(text) CU_ASSERT_STRING_EQUAL(server.story, text)

/* ---- order ---- */

static void test_what_arrives_together_goes_together(void)
{
	ask(lane_a, 1, 3);
	STORY_IS("");
	turn();
	STORY_IS("A:1,2,3 ");
	CU_ASSERT_EQUAL(db_lane_waiting(lane_a), 0);
	CU_ASSERT_TRUE(all_wait(1, 3));
	commit_one();
	STORY_IS("A:1,2,3 decided:1,2,3 ");
	CU_ASSERT_TRUE(all_are_decided(1, 3));
	CU_ASSERT_EQUAL(committed_n, 3);
}

static void test_what_arrives_meanwhile_is_the_next_batch(void)
{
	ask(lane_a, 1, 1);
	turn();
	ask(lane_a, 2, 4);
	turn();
	STORY_IS("A:1 ");
	CU_ASSERT_EQUAL(db_lane_waiting(lane_a), 3);
	commit_one(); /* the next leaves before anything is made of this one */
	STORY_IS("A:1 A:2,3,4 decided:1 ");
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(1, 4));
}

static void test_a_batch_has_its_size(void)
{
	ask(lane_a, 1, 5);
	commit_all();
	STORY_IS("A:1,2,3,4 A:5 decided:1,2,3,4 decided:5 ");
}

/* ---- lanes ---- */

static void test_lanes_take_turns(void)
{
	ask(lane_a, 1, 5);
	ask(lane_b, 21, 25);
	commit_all();
	STORY_IS("A:1,2,3,4 B:21,22,23,24 decided:1,2,3,4 A:5 decided:21,22,23,24 B:25 decided:5 "
		 "decided:25 ");
}

static void test_a_full_lane_is_full_alone(void)
{
	ask(lane_a, 1, QUEUE_MAX + 2);
	ask(lane_b, 21, 21);
	CU_ASSERT_EQUAL(db_lane_waiting(lane_a), QUEUE_MAX);
	turn();
	CU_ASSERT_TRUE(all_have_failed(6, 7, ERROR_UNAVAILABLE, "the queue is full"));
	CU_ASSERT_TRUE(all_wait(1, 5));
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(1, 5) && all_are_decided(21, 21));
	ask(lane_a, 8, 8); /* and there is room again */
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(8, 8));
}

static void test_a_shut_lane_is_shut_alone(void)
{
	ask(lane_a, 1, 1);
	ask(lane_b, 21, 21);
	db_lane_shut(lane_a, "not ready");
	turn();
	STORY_IS("B:21 ");
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "not ready"));
	ask(lane_a, 2, 2);
	turn();
	CU_ASSERT_TRUE(all_have_failed(2, 2, ERROR_UNAVAILABLE, "not ready"));
	db_lane_shut(lane_a, NULL);
	ask(lane_a, 3, 3);
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(3, 3) && all_are_decided(21, 21));
}

/* What has been sent is decided, also by a lane that was shut meanwhile. */
static void test_shutting_takes_nothing_back(void)
{
	ask(lane_a, 1, 2);
	turn();
	ask(lane_a, 3, 3);
	db_lane_shut(lane_a, "not ready");
	turn();
	CU_ASSERT_TRUE(all_wait(1, 2));
	CU_ASSERT_TRUE(all_have_failed(3, 3, ERROR_UNAVAILABLE, "not ready"));
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(1, 2));
}

static void test_nobody_waits_for_ever(void)
{
	ask(lane_b, 21, 21);
	turn();
	ask(lane_a, 1, 1);
	server.steady_ms += 1500;
	ask(lane_a, 2, 2);
	server.steady_ms += 501;
	turn();
	server_refuse("57014"); /* so that the clock does not count against it */
	commit_all();
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "waited too long"));
	CU_ASSERT_TRUE(all_are_decided(2, 2));
}

/* ---- what the server does not take ---- */

static void test_a_poisonous_one_fails_alone(void)
{
	ask(lane_a, 11, 14);
	ask(lane_b, 21, 21);
	commit_all();
	STORY_IS("A:11,12,13,14 B:21 A:11,12 decided:21 A:13,14 decided:11,12 A:13 A:14 "
		 "decided:14 ");
	CU_ASSERT_TRUE(all_have_failed(POISON, POISON, ERROR_INTERNAL, "as the test wants"));
	CU_ASSERT_TRUE(all_are_decided(11, 12) && all_are_decided(14, 14));
	CU_ASSERT_EQUAL(server.breaks, 0);
}

static void test_a_poison_may_show_with_the_commit(void)
{
	ask(lane_a, 1, 2);
	turn();
	server_refuse_commit(numbers(2, 0), "23505");
	commit_all();
	STORY_IS("A:1,2 A:1 A:2 decided:1 decided:2 ");
}

static void test_a_refusal_of_all_is_nobody_s_fault(void)
{
	ask(lane_a, 1, 2);
	turn();
	server_refuse("25006");
	CU_ASSERT_TRUE(all_have_failed(1, 2, ERROR_UNAVAILABLE, "as the test wants"));
	ask(lane_a, 3, 3);
	commit_all();
	STORY_IS("A:1,2 A:3 decided:3 ");
	CU_ASSERT_EQUAL(server.breaks, 0);
}

static void test_what_cannot_be_written_is_not_sent(void)
{
	unwritable = 2;
	ask(lane_a, 1, 2);
	ask(lane_b, 21, 21);
	commit_all();
	STORY_IS("B:21 decided:21 ");
	CU_ASSERT_TRUE(all_have_failed(1, 2, ERROR_INTERNAL, "cannot be written"));
	CU_ASSERT_EQUAL(server.breaks, 0);
}

static const struct {
	const char *name;
	int rows;
	int64_t number;
	const char *why;
} odd_answers[] = {
	{ "too few", 1, 0, "A: 1 rows for 2" },
	{ "too many", 3, 0, "A: 3 rows for 2" },
	{ "none", 0, 0, "A: 0 rows for 2" },
	{ "one twice", 2, 1, "A: row 2 is of 1" },
};

/* Somebody's answer could be another's: nobody gets any, and the connection is given up. */
static void test_rows_that_do_not_fit(void)
{
	for (size_t i = 0; i < sizeof(odd_answers) / sizeof(odd_answers[0]); i++) {
		ask(lane_a, 1, 2);
		turn();
		server_answer(numbers(odd_answers[i].rows, odd_answers[i].number));
		if (!all_have_failed(1, 2, ERROR_INTERNAL, odd_answers[i].why))
			CU_FAIL("that does not fit");
		turn();
		CU_ASSERT_EQUAL(server.breaks, (int)i + 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(server.broken, odd_answers[i].why));
		server_connect();
	}
}

/* ---- the connection is lost, at each step ---- */

static void test_lost_before_it_was_there(void)
{
	server_lose("no route");
	ask(lane_a, 1, 2);
	turn();
	CU_ASSERT_TRUE(all_have_failed(1, 2, ERROR_UNAVAILABLE, "no route"));
	STORY_IS("");
}

static void test_lost_while_they_wait(void)
{
	ask(lane_a, 1, 1);
	turn();
	ask(lane_a, 2, 3);
	ask(lane_b, 21, 21);
	server_lose("reset by peer");
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "reset by peer"));
	turn();
	CU_ASSERT_TRUE(all_have_failed(2, 3, ERROR_UNAVAILABLE, "reset by peer"));
	CU_ASSERT_TRUE(all_have_failed(21, 21, ERROR_UNAVAILABLE, "reset by peer"));
	STORY_IS("A:1 ");
}

static void test_lost_between_the_rows_and_the_commit(void)
{
	ask(lane_a, 1, 2);
	turn();
	server_lose_commit(numbers(2, 0));
	turn();
	CU_ASSERT_TRUE(all_have_failed(1, 2, ERROR_UNAVAILABLE, "the server has gone"));
	CU_ASSERT_EQUAL(committed_n, 0);
	STORY_IS("A:1,2 ");
}

static void test_lost_between_two_halves(void)
{
	ask(lane_a, 12, 13);
	turn();
	server_refuse("22021");
	turn();
	STORY_IS("A:12,13 A:12 ");
	server_lose("reset by peer");
	turn();
	CU_ASSERT_TRUE(all_have_failed(12, 13, ERROR_UNAVAILABLE, "reset by peer"));
	STORY_IS("A:12,13 A:12 ");
}

static void test_lost_while_nobody_asks(void)
{
	turn();
	server_lose("reset by peer");
	turn();
	server_connect();
	ask(lane_a, 1, 1);
	commit_all();
	STORY_IS("A:1 decided:1 ");
}

static void test_a_new_connection_serves_who_still_waits(void)
{
	ask(lane_a, 1, 1);
	turn();
	ask(lane_a, 2, 2);
	server_lose("reset by peer");
	server_connect(); /* before the loop has told anybody */
	commit_all();
	STORY_IS("A:1 A:2 decided:2 ");
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "reset by peer"));
}

/* A later commit is no commit, although the server says that it is one. */
static void test_a_late_commit_is_none(void)
{
	ask(lane_a, 1, 1);
	turn();
	server.steady_ms += ANSWER_MS + 1;
	commit_one();
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "the commit came after 2001 ms"));
	CU_ASSERT_EQUAL(committed_n, 0);
	turn();
	CU_ASSERT_EQUAL(server.breaks, 1);
}

/* In real time: the desk's timer is the loop's. */
static void test_no_answer_costs_the_connection(void)
{
	const struct timeval slice = { .tv_usec = 20000 };

	ask(lane_a, 1, 1);
	turn();
	for (int i = 0; i < 500 && server.breaks == 0; i++) {
		event_base_loopexit(base, &slice);
		event_base_dispatch(base);
	}
	CU_ASSERT_EQUAL(server.breaks, 1);
	CU_ASSERT_STRING_EQUAL(server.broken, "database: no answer within 2000 ms");
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "no answer within 2000 ms"));
}

/* ---- nobody wants an answer any more ---- */

static void close_desk(void)
{
	db_desk_free(desk);
	desk = NULL;
}

static void test_closing_answers_who_waits(void)
{
	ask(lane_a, 1, 1);
	turn();
	ask(lane_a, 2, 8); /* two of them find it full */
	ask(lane_b, 21, 21);
	close_desk();
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "the pipeline was closed"));
	CU_ASSERT_TRUE(all_have_failed(2, 6, ERROR_UNAVAILABLE, "closing"));
	CU_ASSERT_TRUE(all_have_failed(7, 8, ERROR_UNAVAILABLE, "the queue is full"));
	CU_ASSERT_TRUE(all_have_failed(21, 21, ERROR_UNAVAILABLE, "closing"));
	STORY_IS("A:1 ");
}

static void test_closing_answers_both_halves(void)
{
	ask(lane_a, 12, 13);
	turn();
	server_refuse("22021");
	turn();
	close_desk();
	CU_ASSERT_TRUE(all_have_failed(12, 12, ERROR_UNAVAILABLE, "the pipeline was closed"));
	CU_ASSERT_TRUE(all_have_failed(13, 13, ERROR_UNAVAILABLE, "closing"));
}

static void test_closing_before_a_connection(void)
{
	server_lose("no route");
	ask(lane_a, 1, 1);
	close_desk();
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "closing"));
}

static void test_closing_a_connection_that_is_distrusted(void)
{
	ask(lane_a, 1, 1);
	turn();
	server_answer(numbers(3, 0));
	ask(lane_a, 2, 2);
	close_desk();
	CU_ASSERT_TRUE(all_have_failed(2, 2, ERROR_UNAVAILABLE, "closing"));
}

/* ---- errands ---- */

static const struct db_statement statement_errand = { .name = "errand", .result = DB_BINARY };
static struct db_errand errand;
static struct db_call errand_call;
static bool errand_is_due;
static int errands_heard;

static bool is_due(const struct db_errand *one, int64_t now_ms)
{
	(void)one;
	(void)now_ms;
	return errand_is_due;
}

static void send_errand(struct db_errand *one, struct db_pipeline *pipe)
{
	(void)one;
	errand_call = (struct db_call){ .statement = &statement_errand };
	db_send(pipe, &errand_call);
}

static enum db_fate hear_errand(struct db_errand *one, const struct error *error)
{
	(void)one;
	errands_heard++;
	PQclear(errand_call.result);
	errand_call.result = NULL;
	return error->kind != ERROR_NONE && errand_call.sqlstate[0] == '\0' ? DB_CONNECTION_SUSPECT
									    : DB_CONNECTION_FREE;
}

static void test_an_errand_goes_first(void)
{
	ask(lane_a, 1, 1);
	errand_is_due = true;
	turn();
	STORY_IS("errand ");
	errand_is_due = false;
	commit_all();
	STORY_IS("errand A:1 decided:1 ");
}

/* One that has much to do is due again at once, and nobody waits for its end. */
static void test_an_errand_without_end_holds_up_nobody(void)
{
	errand_is_due = true;
	ask(lane_a, 1, 5);
	ask(lane_b, 21, 21);
	for (int i = 0; i < 8; i++) {
		turn();
		if (server.call->statement == &statement_errand)
			server_answer(numbers(1, 0));
		else
			commit_one();
	}
	STORY_IS("errand A:1,2,3,4 errand decided:1,2,3,4 B:21 errand decided:21 A:5 errand "
		 "decided:5 errand ");
	errand_is_due = false;
	commit_all();
}

static void test_an_errand_that_is_refused_costs_nothing(void)
{
	errand_is_due = true;
	db_desk_look(desk);
	turn();
	errand_is_due = false;
	server_refuse("57014");
	ask(lane_a, 1, 1);
	commit_all();
	CU_ASSERT_EQUAL(errands_heard, 1);
	CU_ASSERT_EQUAL(server.breaks, 0);
	STORY_IS("errand A:1 decided:1 ");
}

static void test_an_errand_is_told_of_the_loss(void)
{
	errand_is_due = true;
	db_desk_look(desk);
	turn();
	errand_is_due = false;
	ask(lane_a, 1, 1);
	server_lose("reset by peer");
	turn();
	CU_ASSERT_EQUAL(errands_heard, 1);
	CU_ASSERT_TRUE(all_have_failed(1, 1, ERROR_UNAVAILABLE, "reset by peer"));
	CU_ASSERT_EQUAL(server.breaks, 0); /* it is lost already */
	server_connect();
	ask(lane_a, 2, 2);
	commit_all();
	CU_ASSERT_TRUE(all_are_decided(2, 2));
}

/* ---- set-up ---- */

static void before(void)
{
	const struct db_desk_options options = { .base = base, .conninfo = "host=/nowhere" };
	struct error error = { 0 };

	server_reset();
	unwritable = errands_heard = 0;
	committed_n = 0;
	errand_is_due = false;
	desk = db_desk_new(&options, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk);
	lane_a = db_lane_new(desk, &kind_a, QUEUE_MAX, NULL);
	lane_b = db_lane_new(desk, &kind_b, QUEUE_MAX, NULL);
	errand = (struct db_errand){ .is_due = is_due, .ask = send_errand, .heard = hear_errand };
	db_errand_add(desk, &errand);
	server_connect();
}

static void after(void)
{
	close_desk();
	turn();
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
		{ "what arrives together goes together", test_what_arrives_together_goes_together },
		{ "what arrives meanwhile goes next",
		  test_what_arrives_meanwhile_is_the_next_batch },
		{ "a batch has its size", test_a_batch_has_its_size },
		{ "lanes take turns", test_lanes_take_turns },
		{ "a full lane is full alone", test_a_full_lane_is_full_alone },
		{ "a shut lane is shut alone", test_a_shut_lane_is_shut_alone },
		{ "shutting takes nothing back", test_shutting_takes_nothing_back },
		{ "nobody waits for ever", test_nobody_waits_for_ever },
		{ "a poisonous one fails alone", test_a_poisonous_one_fails_alone },
		{ "a poison shows with the commit", test_a_poison_may_show_with_the_commit },
		{ "a refusal of all is nobody's fault", test_a_refusal_of_all_is_nobody_s_fault },
		{ "what cannot be written", test_what_cannot_be_written_is_not_sent },
		{ "rows that do not fit", test_rows_that_do_not_fit },
		{ "lost before it was there", test_lost_before_it_was_there },
		{ "lost while they wait", test_lost_while_they_wait },
		{ "lost before the commit", test_lost_between_the_rows_and_the_commit },
		{ "lost between two halves", test_lost_between_two_halves },
		{ "lost while nobody asks", test_lost_while_nobody_asks },
		{ "a new connection", test_a_new_connection_serves_who_still_waits },
		{ "a late commit is none", test_a_late_commit_is_none },
		{ "no answer costs the connection", test_no_answer_costs_the_connection },
		{ "closing answers who waits", test_closing_answers_who_waits },
		{ "closing answers both halves", test_closing_answers_both_halves },
		{ "closing before a connection", test_closing_before_a_connection },
		{ "closing one that is distrusted", test_closing_a_connection_that_is_distrusted },
		{ "an errand goes first", test_an_errand_goes_first },
		{ "an errand without end", test_an_errand_without_end_holds_up_nobody },
		{ "an errand that is refused", test_an_errand_that_is_refused_costs_nothing },
		{ "an errand is told of the loss", test_an_errand_is_told_of_the_loss },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "desk",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pSetUpFunc = before,
		  .pTearDownFunc = after,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
