/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the issuer, its desk and their batches fails, from the start to the end: each
 * order is answered once, no token leaves that the database has not recorded, nothing is left
 * behind, and with memory again there are tokens again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "../issue/fakes.h"
#include "base/uuid.h"
#include "db/desk.h"
#include "failing.h"
#include "ipc/verdict.h"
#include "issue/issuer.h"
#include "issue/schema.h"
#include "jose/jws.h"

#define ORDERS	  12
#define POISONOUS 3 /* the server does not take it */
#define DRY	  4 /* is not signed */
#define LAST	  9 /* with memory again */

static struct event_base *base;
static struct db_desk *desk;
static struct issuer *issuer;
static struct log log_ = { .least = LOG_LEVEL_DEBUG, .process = "test" };

/* ---- what the server has recorded ---- */

struct record {
	struct record *next;
	uint8_t jti[16];
};

static struct record *records;
static bool server_is_careless; /* it says that all is well when it has no memory */
static long unrecorded;		/* tokens that left all the same */

static bool record(const uint8_t jti[16])
{
	struct record *one = malloc(sizeof(*one));

	if (one == NULL)
		return false;
	memcpy(one->jti, jti, sizeof(one->jti));
	one->next = records;
	records = one;
	return true;
}

static void drop_until(struct record *kept)
{
	while (records != kept) {
		struct record *one = records;

		records = one->next;
		free(one);
	}
}

static bool is_recorded(const char *jti)
{
	char text[UUID_TEXT_LEN + 1];

	for (const struct record *one = records; one != NULL; one = one->next) {
		uuid_to_text(one->jti, text);
		if (strcmp(text, jti) == 0)
			return true;
	}
	return false;
}

/* ---- the server's answers ---- */

/* All of them, or none. */
static void commit_batch(void)
{
	struct record *before = records;
	bool whole = true;

	for (int i = 0; i < sent.orders; i++)
		whole &= record(sent.jti[i]);
	if (!whole && !server_is_careless) {
		drop_until(before);
		answer(ERROR_UNAVAILABLE, "53200");
		return;
	}
	sent.call[0]->result = verdicts(sent.orders);
	answer(ERROR_NONE, "");
}

/* What the mark is told of must have been recorded. */
static void on_marked(const uint8_t jti[16])
{
	char text[UUID_TEXT_LEN + 1];

	uuid_to_text(jti, text);
	unrecorded += !is_recorded(text);
}

static void answer_what_was_sent(void)
{
	if (sent.poisoned) {
		answer(ERROR_UNAVAILABLE, "22021");
	} else if (sent.orders > 0) {
		commit_batch();
	} else if (sent.extends) {
		answer_extension();
	} else if (sent.calls == 3) {
		answer_probe();
	} else {
		answer(ERROR_NONE, ""); /* nothing was asked */
	}
}

/* ---- who asks ---- */

static struct asked {
	struct answer answer;
	bool failed;
	int answers;
} asked[ORDERS];

static void on_ready(void *arg, const char *why)
{
	(void)arg;
	(void)why;
}

static void on_answer(void *arg, const struct error *error)
{
	struct asked *one = arg;

	one->failed = error->kind != ERROR_NONE;
	one->answers++;
}

static void ask(int i)
{
	struct order order = { .kind = ORDER_ISSUE, .form = TOKEN_FORM_ATC };

	strcpy(order.account, i == POISONOUS ? "poison" : "sp-1");
	strcpy(order.spc, "1001");
	strcpy(order.tkvalue, "MAigBhYEMTAwMQ==");
	strcpy(order.fingerprint, "SHA256 00");
	snprintf(order.request_id, sizeof(order.request_id), "request-%d", i);
	order.dry_run = i == DRY;
	issuer_order_start(issuer, &order, &asked[i].answer, on_answer, &asked[i]);
}

static void ask_for(int from, int to)
{
	for (int i = from; i < to; i++)
		ask(i);
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void serve_all(void)
{
	for (turn(); sent.commit != NULL || signings > 0; turn()) {
		if (signings > 0)
			finish_signing(ERROR_NONE);
		else
			answer_what_was_sent();
	}
}

static void reconnect(void)
{
	lose_connection("gone");
	turn();
	connect_link();
	serve_all();
}

/* ---- what was handed out ---- */

static long issued; /* tokens of all runs together */

static void judge_token(const char *text)
{
	char jti[UUID_TEXT_LEN + 1] = "";
	struct jws_parts parts;
	struct error error = { 0 };
	const char *at;

	issued++;
	CU_ASSERT_TRUE_FATAL(jws_parse(text, &parts, &error));
	at = strstr(parts.payload, "\"jti\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(jti, sizeof(jti), "%s", at + 7);
	unrecorded += !is_recorded(jti);
}

static void judge(int orders)
{
	for (int i = 0; i < orders; i++) {
		const struct asked *one = &asked[i];

		CU_ASSERT_EQUAL(one->answers, 1);
		CU_ASSERT_EQUAL(one->failed, one->answer.failed);
		if (one->failed || i == POISONOUS || i == DRY)
			CU_ASSERT_STRING_EQUAL(one->answer.text, "");
		if (one->answer.text[0] != '\0')
			judge_token(one->answer.text);
	}
}

/* ---- the scenario ---- */

static bool open_desk(void)
{
	const struct db_desk_options at = { .base = base,
					    .greeting = &schema_greeting,
					    .on_greeting = schema_greeting_check };
	struct issuer_options options = {
		.base = base, .log = &log_, .queue_max = 400, .on_ready = on_ready
	};
	struct error error = { 0 };

	desk = db_desk_new(&at, &error);
	options.desk = desk;
	issuer = desk == NULL ? NULL : issuer_new(&options, &error);
	CU_ASSERT_EQUAL(issuer == NULL, error.kind == ERROR_UNAVAILABLE);
	return issuer != NULL;
}

/* Two are being signed and one waits. */
static void close_desk(void)
{
	db_desk_free(desk);
	issuer_free(issuer);
	while (signings > 0)
		finish_signing(ERROR_NONE);
}

static void issue_through_failures(void)
{
	connect_link();
	serve_all();
	ask_for(0, 6);
	turn();
	ask_for(6, 8);
	serve_all();
	reconnect();
	ask(8);
	serve_all();
}

static void issue(void)
{
	memset(asked, 0, sizeof(asked));
	if (open_desk()) {
		issue_through_failures();
		failing_stop();
		reconnect();
		ask(LAST);
		serve_all();
		CU_ASSERT(asked[LAST].answer.text[0] != '\0');
		ask(LAST + 1);
		turn();
		answer_what_was_sent();
		ask(LAST + 2);
		close_desk();
		judge(ORDERS);
	} else {
		failing_stop();
		close_desk();
	}
	drop_until(NULL);
}

#define TOKENS 8 /* of an undisturbed run: 0, 1, 2, 5, 6, 7, 8 and the last */

static struct torture torture_issuer(enum failing how)
{
	struct torture seen;

	unrecorded = issued = 0;
	seen = torture(issue, how);
	printf("\n  %ld allocations fail, %ld tokens all the same, %ld without a record",
	       seen.allocations, issued, unrecorded);
	return seen;
}

static void test_no_memory_no_token_without_record(void)
{
	for (enum failing how = FAILING_ONE; how <= FAILING_ONWARD; how++) {
		struct torture seen = torture_issuer(how);

		CU_ASSERT(seen.allocations > 30);
		CU_ASSERT_EQUAL(seen.lost, 0);
		CU_ASSERT_EQUAL(unrecorded, 0);
		CU_ASSERT(issued >= 3 * TOKENS);
		CU_ASSERT(issued < (seen.allocations + 3) * TOKENS);
	}
}

/* A server that acknowledges what it had no memory to record. */
static void test_a_token_without_record_is_noticed(void)
{
	server_is_careless = true;
	torture_issuer(FAILING_ONE);
	server_is_careless = false;
	CU_ASSERT(unrecorded > 0);
}

static int setup(void)
{
	log_.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	base = event_base_new();
	database.registered = true;
	marked = on_marked;
	return base == NULL || log_.fd < 0;
}

static int teardown(void)
{
	event_base_free(base);
	return close(log_.fd);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "no memory, no token without record", test_no_memory_no_token_without_record },
		{ "control: one without record", test_a_token_without_record_is_noticed },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "allocations of issuing", setup, teardown, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };

	if (!failing_set_hooks())
		return 1;
	return run_suites(suites);
}
