/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/uuid.h"
#include "db/desk.h"
#include "fakes.h"
#include "ipc/verdict.h"
#include "issue/issuer.h"
#include "issue/schema.h"
#include "keys/signer.h"
#include "metrics/metrics.h"

/* The issuer at its desk.  The test plays the server: it looks at what was sent, and answers it. */

#define ORDERS_MAX 600

static struct event_base *base;
static struct db_desk *desk;
static struct issuer *issuer;
static FILE *log_file;
static int missing_rows; /* of the verdicts */
static struct log log_ = { .fd = -1, .least = LOG_LEVEL_DEBUG, .process = "test" };

/* ---- the server ---- */

static void commit_batch(void)
{
	CU_ASSERT_FATAL(sent.commit != NULL && sent.orders > 0);
	sent.call[0]->result = verdicts(sent.orders - missing_rows);
	answer(ERROR_NONE, "");
}

/* ---- who asks ---- */

static struct asked {
	struct answer answer;
	struct error error;
	int answers;
} asked[ORDERS_MAX];

static char told[200]; /* "ready", or why not */
static int tellings;

static void on_ready(void *arg, const char *why)
{
	(void)arg;
	snprintf(told, sizeof(told), "%s", why == NULL ? "ready" : why);
	tellings++;
}

static void on_answer(void *arg, const struct error *error)
{
	struct asked *one = arg;

	one->error = *error;
	one->answers++;
}

static bool dry_run;

static void ask(int i, const char *account)
{
	struct order order = { .kind = ORDER_ISSUE, .form = TOKEN_FORM_ATC };

	strcpy(order.account, account);
	strcpy(order.spc, "1001");
	strcpy(order.tkvalue, "MAigBhYEMTAwMQ==");
	strcpy(order.fingerprint, "SHA256 00");
	snprintf(order.request_id, sizeof(order.request_id), "request-%d", i);
	memset(order.credential, 'C', sizeof(order.credential));
	order.dry_run = dry_run;
	issuer_order_start(issuer, &order, &asked[i].answer, on_answer, &asked[i]);
	CU_ASSERT_EQUAL(asked[i].answers, 0);
}

static void ask_for(int from, int n)
{
	for (int i = from; i < from + n; i++)
		ask(i, "sp-1");
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* One that went well, or failed as it should: answered once. */
static bool is_issued(int i)
{
	return asked[i].answers == 1 && asked[i].error.kind == ERROR_NONE &&
	       asked[i].answer.verdict == VERDICT_ISSUED && !asked[i].answer.failed &&
	       strlen(asked[i].answer.text) > 200;
}

static bool has_failed(int i, enum error_kind kind, const char *detail)
{
	return asked[i].answers == 1 && asked[i].error.kind == kind && asked[i].answer.failed &&
	       asked[i].answer.text[0] == '\0' && strstr(asked[i].error.detail, detail) != NULL;
}

static bool all_are_issued(int from, int n)
{
	for (int i = from; i < from + n; i++)
		if (!is_issued(i))
			return false;
	return true;
}

static bool all_have_failed(int from, int n, enum error_kind kind, const char *detail)
{
	for (int i = from; i < from + n; i++)
		if (!has_failed(i, kind, detail))
			return false;
	return true;
}

/* Everything that is asked of the server and the signer is answered well, until nothing is. */
static void serve_all(void)
{
	for (turn(); sent.commit != NULL || signings > 0; turn()) {
		if (signings > 0)
			finish_signing(ERROR_NONE);
		else if (sent.extends)
			answer_extension();
		else if (sent.orders == 0)
			answer_probe();
		else if (sent.poisoned)
			answer(ERROR_UNAVAILABLE, "22021");
		else
			commit_batch();
	}
}

/* Run the loop in real time until it is so, for a minute at most. */
static void wait_for(const char *text, const char *part)
{
	const struct timeval slice = { .tv_usec = 20000 };

	for (int i = 0; i < 3000 && strstr(text, part) == NULL; i++) {
		event_base_loopexit(base, &slice);
		event_base_dispatch(base);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

/* ---- batches ---- */

static void test_orders_of_one_turn_are_one_batch(void)
{
	ask_for(0, 3);
	CU_ASSERT_STRING_EQUAL(story, "");
	turn();
	CU_ASSERT_STRING_EQUAL(story, "batch3 ");
	serve_all();
	CU_ASSERT_STRING_EQUAL(story, "batch3 sign3 ");
	CU_ASSERT_TRUE(all_are_issued(0, 3));
	CU_ASSERT_STRING_EQUAL(asked[0].answer.spc, "1001");
}

static void test_the_next_batch_is_sent_before_the_last_is_signed(void)
{
	ask_for(0, 2);
	turn();
	ask_for(2, 3);
	turn();
	CU_ASSERT_STRING_EQUAL(story, "batch2 ");
	commit_batch();
	CU_ASSERT_STRING_EQUAL(story, "batch2 batch3 sign2 ");
	CU_ASSERT_FALSE(asked[0].answers); /* committed, but not signed */
	serve_all();
	CU_ASSERT_TRUE(all_are_issued(0, 5));
}

static void test_a_batch_has_256_orders_at_most(void)
{
	ask_for(0, 300);
	turn();
	CU_ASSERT_STRING_EQUAL(story, "batch256 ");
	serve_all();
	CU_ASSERT_PTR_NOT_NULL(strstr(story, "batch44 "));
	CU_ASSERT_TRUE(all_are_issued(0, 300));
}

/* The first answers are on their way while the others are being signed. */
static void test_a_batch_is_signed_in_pieces(void)
{
	ask_for(0, 20);
	turn();
	commit_batch();
	CU_ASSERT_STRING_EQUAL(story, "batch20 sign16 ");
	finish_signing(ERROR_NONE);
	CU_ASSERT_STRING_EQUAL(story, "batch20 sign16 sign4 ");
	CU_ASSERT_TRUE(all_are_issued(0, 16));
	CU_ASSERT_FALSE(asked[16].answers);
	serve_all();
	CU_ASSERT_TRUE(all_are_issued(0, 20));
}

static void test_a_piece_that_cannot_be_signed_takes_the_rest_along(void)
{
	ask_for(0, 40);
	turn();
	commit_batch();
	finish_signing(ERROR_NONE);
	finish_signing(ERROR_INTERNAL);
	CU_ASSERT_TRUE(all_are_issued(0, 16));
	CU_ASSERT_TRUE(all_have_failed(16, 24, ERROR_INTERNAL, "the signer is broken"));
}

static struct metrics *metrics;

static bool counted(const char *line)
{
	size_t len;
	char *text = metrics_to_text(metrics, &len);
	bool found = strstr(text, line) != NULL;

	if (!found)
		printf("\n  no %s", line);
	free(text);
	return found;
}

static void test_batches_are_counted(void)
{
	ask_for(0, 300);
	serve_all();
	CU_ASSERT_TRUE(counted("stipa_batch_size_orders_count 2\n"));
	CU_ASSERT_TRUE(counted("stipa_batch_size_orders_sum 300.000000\n"));
	CU_ASSERT_TRUE(counted("stipa_commit_duration_seconds_count 2\n"));
	CU_ASSERT_TRUE(counted("stipa_sign_duration_seconds_count 2\n"));
}

static void test_a_full_queue_refuses(void)
{
	ask_for(0, 1);
	turn();
	ask_for(1, 402); /* 400 may wait */
	turn();
	CU_ASSERT_TRUE(all_have_failed(401, 2, ERROR_UNAVAILABLE, "queue is full"));
	CU_ASSERT_FALSE(asked[400].answers);
	serve_all();
	CU_ASSERT_TRUE(all_are_issued(0, 401));
}

static void test_a_refusal_is_not_signed(void)
{
	wanted_verdict = VERDICT_SPC_NOT_HELD;
	ask_for(0, 2);
	serve_all();
	CU_ASSERT_STRING_EQUAL(story, "batch2 ");
	CU_ASSERT_EQUAL(asked[0].answer.verdict, VERDICT_SPC_NOT_HELD);
	CU_ASSERT_EQUAL(asked[0].error.kind, ERROR_NONE);
	CU_ASSERT_STRING_EQUAL(asked[0].answer.text, "");
}

static bool has_dry_runs(const struct db_call *call, int n)
{
	const char *values = call->value[14] + 20; /* each a length of 4 and a byte */
	int dry = 0;

	for (int i = 0; i < n; i++)
		dry += values[i * 5 + 4];
	return dry > 0;
}

/* The verdict of the same call; what is not asked for is not signed. */
static void test_a_dry_run_is_not_signed(void)
{
	dry_run = true;
	ask_for(0, 2);
	dry_run = false;
	ask_for(2, 1);
	turn();
	CU_ASSERT_TRUE(has_dry_runs(sent.call[0], 3));
	serve_all();
	CU_ASSERT_STRING_EQUAL(story, "batch3 sign1 ");
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(asked[i].answer.verdict, VERDICT_ISSUED);
		CU_ASSERT_STRING_EQUAL(asked[i].answer.text, "");
		CU_ASSERT_STRING_EQUAL(asked[i].answer.spc, "1001");
		CU_ASSERT_EQUAL(asked[i].answer.exp, 1767312000);
	}
	CU_ASSERT_TRUE(is_issued(2));
	CU_ASSERT_EQUAL(asked[2].answer.exp, 1767312000);
}

static void test_an_ambiguous_one_names_the_choices(void)
{
	wanted_verdict = VERDICT_SPC_AMBIGUOUS;
	ask_for(0, 1);
	serve_all();
	CU_ASSERT_EQUAL(asked[0].answer.verdict, VERDICT_SPC_AMBIGUOUS);
	CU_ASSERT_STRING_EQUAL(asked[0].answer.text, "1001,1002");
	CU_ASSERT_STRING_EQUAL(asked[0].answer.spc, "");
}

/* ---- what goes wrong ---- */

static void test_a_commit_that_the_server_undid_is_no_token(void)
{
	ask_for(0, 2);
	turn();
	answer(ERROR_UNAVAILABLE, "40001");
	serve_all();
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_UNAVAILABLE, "as the test wants"));
	CU_ASSERT_STRING_EQUAL(story, "batch2 ");
	CU_ASSERT_STRING_EQUAL(broken, ""); /* the connection is as good as before */
}

/* A warning of class 01, or an answer out of step: the rows may be there. */
static void test_a_commit_that_nobody_understands_costs_the_connection(void)
{
	ask_for(0, 2);
	turn();
	sent.call[0]->result = verdicts(2);
	answer(ERROR_UNAVAILABLE, "");
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_UNAVAILABLE, "as the test wants"));
	turn();
	CU_ASSERT_STRING_EQUAL(broken, "as the test wants");
	CU_ASSERT_STRING_EQUAL(told, "as the test wants");
	CU_ASSERT_STRING_EQUAL(story, "batch2 ");
}

/* The process stood still: the commit is here before the timer runs. */
static void test_a_commit_that_is_read_late_is_no_token(void)
{
	ask_for(0, 2);
	turn();
	steady_ms += 2001;
	commit_batch();
	turn();
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_UNAVAILABLE, "the commit came after 2001 ms"));
	CU_ASSERT_EQUAL(signings, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(broken, "the commit came after"));
}

static void test_a_commit_that_does_not_come_costs_the_connection(void)
{
	ask_for(0, 2);
	turn();
	wait_for(broken, "no answer within 2000 ms");
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_UNAVAILABLE, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "no answer within"));
}

static void test_a_poisonous_order_fails_alone(void)
{
	ask_for(0, 5);
	ask(5, "poison");
	ask_for(6, 2);
	serve_all();
	CU_ASSERT_TRUE(has_failed(5, ERROR_INTERNAL, "as the test wants"));
	CU_ASSERT_TRUE(all_are_issued(0, 5));
	CU_ASSERT_TRUE(all_are_issued(6, 2));
	CU_ASSERT_STRING_EQUAL(broken, "");
	CU_ASSERT_EQUAL(strncmp(story, "batch8 batch4 ", 14), 0);
}

static void test_halves_are_refused_when_the_connection_goes(void)
{
	ask_for(0, 3);
	ask(3, "poison");
	turn();
	answer(ERROR_UNAVAILABLE, "22021");
	lose_connection("gone");
	turn();
	CU_ASSERT_TRUE(all_have_failed(0, 4, ERROR_UNAVAILABLE, ""));
}

static void test_a_late_signature_is_dropped(void)
{
	ask_for(0, 2);
	turn();
	commit_batch();
	steady_ms += 1001;
	finish_signing(ERROR_NONE);
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_UNAVAILABLE, "signed 1001 ms after"));
}

static void test_a_signature_in_time_is_not(void)
{
	ask_for(0, 1);
	turn();
	commit_batch();
	steady_ms += 1000;
	finish_signing(ERROR_NONE);
	CU_ASSERT_TRUE(is_issued(0));
}

static void test_a_broken_signer_is_no_token(void)
{
	ask_for(0, 2);
	turn();
	commit_batch();
	finish_signing(ERROR_INTERNAL);
	CU_ASSERT_TRUE(all_have_failed(0, 2, ERROR_INTERNAL, "signer is broken"));
}

static void test_an_answer_of_another_shape_is_a_defect(void)
{
	ask_for(0, 3);
	missing_rows = 1;
	turn();
	commit_batch();
	CU_ASSERT_TRUE(all_have_failed(0, 3, ERROR_INTERNAL, "2 rows for 3"));
	CU_ASSERT_EQUAL(signings, 0);
}

static void test_an_unknown_verdict_is_a_defect(void)
{
	wanted_verdict = VERDICT_COUNT;
	ask_for(0, 1);
	serve_all();
	CU_ASSERT_TRUE(has_failed(0, ERROR_INTERNAL, "unknown verdict"));
}

static void test_who_has_waited_too_long_is_not_issued(void)
{
	ask_for(0, 1);
	turn();
	ask_for(1, 2);
	turn();
	steady_ms += 1999;
	ask_for(3, 1);
	turn();
	steady_ms += 1;
	commit_batch(); /* after 2000 ms: just in time */
	steady_ms += 1;
	serve_all();
	CU_ASSERT_TRUE(is_issued(0));
	CU_ASSERT_TRUE(all_are_issued(1, 3));

	ask_for(10, 1);
	turn();
	ask_for(11, 1);
	turn();
	steady_ms += 1500;
	answer(ERROR_UNAVAILABLE, "40001");
	steady_ms += 501;
	serve_all();
	CU_ASSERT_TRUE(has_failed(11, ERROR_UNAVAILABLE, "waited too long"));
}

/* ---- ready ---- */

static void reconnect(void)
{
	lose_connection("gone");
	turn();
	CU_ASSERT_STRING_EQUAL(told, "gone");
	connect_link();
	turn();
	story[0] = '\0';
}

static void test_no_connection_refuses_at_once(void)
{
	ask_for(0, 2);
	turn();
	ask_for(2, 2);
	lose_connection("gone");
	turn();
	CU_ASSERT_TRUE(all_have_failed(0, 4, ERROR_UNAVAILABLE, ""));
	ask_for(4, 1);
	turn();
	CU_ASSERT_TRUE(has_failed(4, ERROR_UNAVAILABLE, "gone"));
}

static void test_ready_again_after_a_signature(void)
{
	reconnect();
	ask_for(0, 1);
	turn();
	CU_ASSERT_TRUE(has_failed(0, ERROR_UNAVAILABLE, "gone"));
	answer_probe();
	CU_ASSERT_STRING_EQUAL(told, "gone"); /* the signer has yet to show that it can */
	CU_ASSERT_STRING_EQUAL(story, "sign1 ");
	finish_signing(ERROR_NONE);
	CU_ASSERT_STRING_EQUAL(told, "ready");
	ask_for(1, 1);
	serve_all();
	CU_ASSERT_TRUE(is_issued(1));
}

static void test_what_stands_against_it_is_told(void)
{
	static const char *const reasons[] = { "test is not registered", "another certificate",
					       "the database takes no writes", "signer is broken" };

	for (int i = 0; i < 4; i++) {
		database.registered = i != 0;
		database.certificate[0] = i == 1;
		database.why_not = i == 2 ? "the database takes no writes" : NULL;
		reconnect();
		answer_probe();
		if (i == 3)
			finish_signing(ERROR_UNAVAILABLE);
		CU_ASSERT_PTR_NOT_NULL(strstr(told, reasons[i]));
		CU_ASSERT_EQUAL(signings, 0);
	}
}

static void test_a_question_that_fails_costs_the_connection(void)
{
	reconnect();
	answer(ERROR_UNAVAILABLE, "42501");
	turn();
	CU_ASSERT_STRING_EQUAL(broken, "as the test wants");
}

static void test_it_asks_again_and_again(void)
{
	int before = tellings;

	wait_for(story, "probe0");
	answer_probe();
	turn();
	CU_ASSERT_STRING_EQUAL(story, "probe0 "); /* no second signature */
	CU_ASSERT_EQUAL(tellings, before);	  /* nothing new */
	story[0] = '\0';
	wait_for(story, "probe0");
	database.why_not = "clock";
	answer_probe();
	CU_ASSERT_STRING_EQUAL(told, "clock");
	ask_for(0, 1);
	turn();
	CU_ASSERT_TRUE(has_failed(0, ERROR_UNAVAILABLE, "clock"));
}

/* The signer is slow, the connection is lost and made meanwhile: the old answer says nothing. */
static void test_a_probe_of_a_lost_connection_is_not_believed(void)
{
	reconnect();
	answer_probe();
	lose_connection("gone again");
	connect_link();
	turn();
	finish_signing(ERROR_NONE);
	CU_ASSERT_STRING_EQUAL(told, "gone again");
	serve_all();
	CU_ASSERT_STRING_EQUAL(told, "ready");
}

static void test_the_ledger_is_extended_each_hour(void)
{
	steady_ms += 3599999;
	ask_for(0, 1);
	turn();
	CU_ASSERT_STRING_EQUAL(story, "batch1 ");
	serve_all();
	steady_ms += 1;
	story[0] = '\0';
	ask_for(1, 1);
	turn();
	CU_ASSERT_STRING_EQUAL(story, "extend0 ");
	answer_extension();
	serve_all();
	CU_ASSERT_STRING_EQUAL(story, "extend0 batch1 sign1 ");
	CU_ASSERT_TRUE(all_are_issued(0, 2));
}

static void test_a_ledger_that_cannot_be_extended_still_issues(void)
{
	steady_ms += 3600000;
	ask_for(0, 1);
	turn();
	answer(ERROR_UNAVAILABLE, "42501");
	serve_all();
	CU_ASSERT_TRUE(is_issued(0));
	CU_ASSERT_STRING_EQUAL(broken, "");
	steady_ms += 3600000;
	ask_for(1, 1);
	turn();
	answer(ERROR_UNAVAILABLE, "");
	turn();
	CU_ASSERT_STRING_EQUAL(broken, "as the test wants");
	CU_ASSERT_TRUE(has_failed(1, ERROR_UNAVAILABLE, "as the test wants"));
}

/* ---- the end ---- */

static void test_closing_answers_everything(void)
{
	ask_for(0, 20);
	turn();
	commit_batch(); /* 0 to 15 are being signed, 16 to 19 are next */
	ask_for(20, 1);
	turn();		/* 20 is being recorded */
	ask_for(21, 1); /* 21 waits */
	db_desk_free(desk);
	desk = NULL;
	issuer_free(issuer);
	issuer = NULL;
	CU_ASSERT_TRUE(all_have_failed(0, 22, ERROR_UNAVAILABLE, ""));
	finish_signing(ERROR_NONE); /* answers nobody */
	CU_ASSERT_TRUE(all_have_failed(0, 22, ERROR_UNAVAILABLE, ""));
}

/* ---- the log ---- */

static char *read_log(void)
{
	static char text[8192];
	ssize_t n = pread(log_.fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_an_answer_is_one_line_without_secrets(void)
{
	const char *text, *line;

	CU_ASSERT_EQUAL(ftruncate(log_.fd, 0), 0);
	lseek(log_.fd, 0, SEEK_SET);
	ask_for(0, 1);
	serve_all();
	wanted_verdict = VERDICT_SPC_NOT_HELD;
	ask_for(1, 1);
	serve_all();
	text = read_log();
	line = strchr(text, '\n');
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"request\":\"request-0\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"verdict\":\"issued\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"account\":\"sp-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"client\":\"client-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"spc\":\"1001\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"jti\":\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"request\":\"request-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"verdict\":\"spc-not-held\""));
	CU_ASSERT_PTR_NULL(strstr(line, "\"jti\""));
	CU_ASSERT_PTR_NULL(strstr(text, "eyJ"));  /* a token */
	CU_ASSERT_PTR_NULL(strstr(text, "CCCC")); /* a credential */
	CU_ASSERT_PTR_NULL(strchr(strchr(line + 1, '\n') + 1, '\n'));
}

/* ---- the mark ---- */

static void probe_again(void)
{
	story[0] = '\0';
	wait_for(story, "probe0");
	serve_all();
}

static void test_the_mark_is_the_last_token_committed(void)
{
	char jti[UUID_TEXT_LEN + 1];
	uint8_t first[16];

	CU_ASSERT_EQUAL(memcmp(mark.ledger, this_ledger, 16), 0); /* of the first probe */
	CU_ASSERT_FALSE(mark_has_jti(&mark));
	CU_ASSERT_EQUAL(ftruncate(log_.fd, 0), 0);
	lseek(log_.fd, 0, SEEK_SET);
	ask_for(0, 1);
	serve_all();
	CU_ASSERT_TRUE(mark_has_jti(&mark));
	uuid_to_text(mark.jti, jti);
	CU_ASSERT_PTR_NOT_NULL(strstr(read_log(), jti));
	memcpy(first, mark.jti, sizeof(first));
	wanted_verdict = VERDICT_SPC_NOT_HELD;
	ask_for(1, 1);
	serve_all();
	CU_ASSERT_EQUAL(memcmp(first, mark.jti, sizeof(first)), 0); /* a refusal is no token */
}

static void test_a_token_of_a_failed_commit_is_no_mark(void)
{
	ask_for(0, 1);
	turn();
	answer(ERROR_UNAVAILABLE, "40001");
	turn();
	CU_ASSERT_FALSE(mark_has_jti(&mark));
}

static void test_a_database_without_the_mark_issues_nothing(void)
{
	char jti[UUID_TEXT_LEN + 1];

	ask_for(0, 1);
	serve_all();
	lose_connection("as the test wants");
	CU_ASSERT_TRUE(hurried);
	database.lacks_mark = true;
	database.registered = false; /* also: what an older copy says is told last */
	connect_link();
	serve_all();
	uuid_to_text(mark.jti, jti);
	CU_ASSERT_PTR_NOT_NULL(strstr(told, jti));
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "'stipactl mark accept'"));
	ask_for(1, 1);
	serve_all();
	CU_ASSERT_EQUAL(asked[1].error.kind, ERROR_UNAVAILABLE);
	database.lacks_mark = false;
	database.registered = true;
	probe_again();
	CU_ASSERT_STRING_EQUAL(told, "ready");
}

static void test_a_mark_that_cannot_be_written_stops_issuing(void)
{
	mark_late = "/var/lib/stipa/mark: Input/output error";
	probe_again();
	CU_ASSERT_STRING_EQUAL(told, "the mark cannot be written: /var/lib/stipa/mark: "
				     "Input/output error");
	mark_late = NULL;
	probe_again();
	CU_ASSERT_STRING_EQUAL(told, "ready");
}

/* ---- the frame ---- */

static void before_each(void)
{
	struct error error = { 0 };
	const struct db_desk_options at = { .base = base,
					    .greeting = &schema_greeting,
					    .on_greeting = schema_greeting_check };
	struct issuer_options options = {
		.base = base, .log = &log_, .queue_max = 400, .on_ready = on_ready
	};

	memset(asked, 0, sizeof(asked));
	memset(&sent, 0, sizeof(sent));
	memset(&database, 0, sizeof(database));
	memset(&mark, 0, sizeof(mark));
	mark_late = NULL;
	hurried = false;
	database.registered = true;
	wanted_verdict = VERDICT_ISSUED;
	missing_rows = signings = 0;
	broken[0] = told[0] = '\0';
	metrics = metrics_new(1);
	options.meter = metrics_meter(metrics, 0);
	options.desk = desk = db_desk_new(&at, &error);
	issuer = issuer_new(&options, &error);
	connect_link();
	serve_all();
	CU_ASSERT_STRING_EQUAL(told, "ready");
	story[0] = '\0';
}

static void after_each(void)
{
	db_desk_free(desk);
	issuer_free(issuer);
	while (signings > 0)
		finish_signing(ERROR_NONE);
	metrics_free(metrics);
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
		{ "orders of one turn", test_orders_of_one_turn_are_one_batch },
		{ "the next batch", test_the_next_batch_is_sent_before_the_last_is_signed },
		{ "256 at most", test_a_batch_has_256_orders_at_most },
		{ "in pieces", test_a_batch_is_signed_in_pieces },
		{ "a broken piece", test_a_piece_that_cannot_be_signed_takes_the_rest_along },
		{ "batches are counted", test_batches_are_counted },
		{ "a full queue", test_a_full_queue_refuses },
		{ "a refusal", test_a_refusal_is_not_signed },
		{ "a dry run", test_a_dry_run_is_not_signed },
		{ "an ambiguous one", test_an_ambiguous_one_names_the_choices },
		{ "a commit undone", test_a_commit_that_the_server_undid_is_no_token },
		{ "a commit not understood",
		  test_a_commit_that_nobody_understands_costs_the_connection },
		{ "a commit read late", test_a_commit_that_is_read_late_is_no_token },
		{ "no commit", test_a_commit_that_does_not_come_costs_the_connection },
		{ "a poisonous order", test_a_poisonous_order_fails_alone },
		{ "halves without a connection", test_halves_are_refused_when_the_connection_goes },
		{ "a late signature", test_a_late_signature_is_dropped },
		{ "a signature in time", test_a_signature_in_time_is_not },
		{ "a broken signer", test_a_broken_signer_is_no_token },
		{ "another shape", test_an_answer_of_another_shape_is_a_defect },
		{ "an unknown verdict", test_an_unknown_verdict_is_a_defect },
		{ "waited too long", test_who_has_waited_too_long_is_not_issued },
		{ "no connection", test_no_connection_refuses_at_once },
		{ "ready again", test_ready_again_after_a_signature },
		{ "not ready", test_what_stands_against_it_is_told },
		{ "a question that fails", test_a_question_that_fails_costs_the_connection },
		{ "again and again", test_it_asks_again_and_again },
		{ "the mark", test_the_mark_is_the_last_token_committed },
		{ "no mark of a failed commit", test_a_token_of_a_failed_commit_is_no_mark },
		{ "a database without the mark", test_a_database_without_the_mark_issues_nothing },
		{ "a mark that is not written", test_a_mark_that_cannot_be_written_stops_issuing },
		{ "an old probe", test_a_probe_of_a_lost_connection_is_not_believed },
		{ "each hour", test_the_ledger_is_extended_each_hour },
		{ "a ledger as it is", test_a_ledger_that_cannot_be_extended_still_issues },
		{ "closing", test_closing_answers_everything },
		{ "the log", test_an_answer_is_one_line_without_secrets },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "issuer",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pSetUpFunc = before_each,
		  .pTearDownFunc = after_each,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
