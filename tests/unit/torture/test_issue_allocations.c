/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the issuer, its desk and their batches fails, from the start to the end: each
 * order is answered once, no token leaves that the database has not recorded, nothing is left
 * behind, and with memory again there are tokens again.  The neighbours are faked by linking, as in
 * tests/unit/issue/test_issuer.c: the connection, the pipeline, the signer, the mark, the clock. */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "db/desk.h"
#include "failing.h"
#include "ipc/verdict.h"
#include "issue/issuer.h"
#include "issue/schema.h"
#include "jose/jws.h"
#include "keys/signer.h"
#include "mark/keeper.h"

#define ORDERS	  12
#define POISONOUS 3 /* the server does not take it */
#define DRY	  4 /* is not signed */
#define LAST	  9 /* with memory again */

static struct event_base *base;
static struct db_desk *desk;
static struct issuer *issuer;
static struct log log_ = { .least = LOG_LEVEL_DEBUG, .process = "test" };

/* ---- the clock stands still ---- */

int64_t clock_steady_ms(void)
{
	return 0;
}

int64_t clock_running_us(void)
{
	return 0;
}

int64_t clock_running_ms(void)
{
	return 0;
}

int64_t clock_unix_us(void)
{
	return INT64_C(1767225600000000);
}

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

/* ---- the connection ---- */

static struct db_link_options link_options;
static bool connected;

/* What has been sent and waits for its answer. */
static struct {
	struct db_call *call[3];
	int calls; /* three of a probe, none of a probe without memory */
	struct db_call *commit;
	int orders;
	bool extends, poisoned;
	uint8_t jti[ORDERS][16];
} sent;

static struct db_pipeline *const the_pipe = (struct db_pipeline *)&sent;

struct db_link *db_link_new(const struct db_link_options *options, struct error *error)
{
	(void)error;
	link_options = *options;
	return (struct db_link *)&link_options;
}

static void finish(struct db_call *call, const struct error *error, const char *sqlstate)
{
	if (call == NULL)
		return;
	call->error = *error;
	strcpy(call->sqlstate, sqlstate);
	if (call->done != NULL)
		call->done(call->arg, error);
}

static void answer(enum error_kind kind, const char *sqlstate)
{
	struct db_call *call[3] = { sent.call[0], sent.call[1], sent.call[2] };
	struct db_call *commit = sent.commit;
	struct error error = { .kind = kind, .detail = "as the test wants" };

	memset(&sent, 0, sizeof(sent));
	for (int i = 0; i < 3; i++)
		finish(call[i], &error, sqlstate);
	finish(commit, &error, "");
}

static void lose_connection(void)
{
	const struct error error = { .kind = ERROR_UNAVAILABLE, .detail = "gone" };

	if (!connected)
		return;
	connected = false;
	answer(ERROR_UNAVAILABLE, "");
	link_options.on_lost(link_options.arg, &error);
}

static void make_connection(void)
{
	connected = true;
	link_options.on_ready(link_options.arg, the_pipe);
}

void db_link_break(struct db_link *link, const struct error *why)
{
	(void)link;
	(void)why;
	lose_connection();
}

void db_link_free(struct db_link *link)
{
	(void)link;
	connected = false;
	answer(ERROR_UNAVAILABLE, "");
}

/* The values of a binary array: behind its head, each behind its length. */
static const char *next_value(const char **at, uint32_t *len)
{
	const char *value = *at + 4;

	memcpy(len, *at, 4);
	*len = be32toh(*len);
	*at = value + *len;
	return value;
}

static void read_orders(const struct db_call *call)
{
	const char *accounts = call->value[3] + 20, *jtis = call->value[10] + 20;
	uint32_t n, len;

	memcpy(&n, call->value[3] + 12, 4);
	sent.orders = (int)be32toh(n);
	CU_ASSERT_FATAL(sent.orders <= ORDERS);
	for (int i = 0; i < sent.orders; i++) {
		const char *account = next_value(&accounts, &len);

		sent.poisoned |= len == 6 && memcmp(account, "poison", 6) == 0;
		memcpy(sent.jti[i], next_value(&jtis, &len), 16);
	}
}

void db_send(struct db_pipeline *pipe, struct db_call *call)
{
	(void)pipe;
	CU_ASSERT_FATAL(sent.calls < 3);
	sent.call[sent.calls++] = call;
	if (strcmp(call->statement->name, "issue_tokens") == 0)
		read_orders(call);
	sent.extends = strcmp(call->statement->name, "extend_ledger") == 0;
}

void db_commit(struct db_pipeline *pipe, struct db_call *commit)
{
	(void)pipe;
	CU_ASSERT_PTR_NULL_FATAL(sent.commit);
	sent.commit = commit;
}

/* ---- the server's answers ---- */

static PGresult *table(int columns)
{
	static char name[] = "column";
	PGresAttDesc attributes[9];
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (int i = 0; i < columns; i++)
		attributes[i] = (PGresAttDesc){ .name = name, .format = 1 };
	PQsetResultAttrs(rows, columns, attributes);
	return rows;
}

static void set(PGresult *rows, int row, int column, const void *bytes, size_t len)
{
	PQsetvalue(rows, row, column, (char *)bytes, (int)len);
}

static void set_text(PGresult *rows, int row, int column, const char *text)
{
	PQsetvalue(rows, row, column, (char *)text, text == NULL ? -1 : (int)strlen(text));
}

static void set_int8(PGresult *rows, int row, int column, int64_t value)
{
	const uint64_t big = htobe64((uint64_t)value);

	set(rows, row, column, &big, sizeof(big));
}

static PGresult *verdicts(int n)
{
	PGresult *rows = table(9);

	for (int i = 0; i < n; i++) {
		set_int8(rows, i, 0, i + 1);
		set_int8(rows, i, 1, VERDICT_ISSUED);
		set_int8(rows, i, 2, 1767225600);
		set_int8(rows, i, 3, 1767312000);
		set_text(rows, i, 4, "1001");
		set_int8(rows, i, 5, 0);
		set_text(rows, i, 6, NULL);
		set_text(rows, i, 7, "sp-1");
		set_text(rows, i, 8, "client-1");
	}
	return rows;
}

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

static void answer_probe(void)
{
	const char ledger[16] = "this ledger", certificate[32] = { 0 }, known = 1;
	PGresult *of_mark = table(2), *signer = table(3), *state = table(1);

	set(of_mark, 0, 0, ledger, sizeof(ledger));
	set(of_mark, 0, 1, &known, 1);
	set_text(signer, 0, 0, "https://pa.example/certs/test.pem");
	set(signer, 0, 1, certificate, sizeof(certificate));
	set_text(signer, 0, 2, "active");
	set_text(state, 0, 0, NULL);
	sent.call[0]->result = of_mark;
	sent.call[1]->result = signer;
	sent.call[2]->result = state;
	answer(ERROR_NONE, "");
}

static void answer_what_was_sent(void)
{
	if (sent.poisoned) {
		answer(ERROR_UNAVAILABLE, "22021");
	} else if (sent.orders > 0) {
		commit_batch();
	} else if (sent.extends) {
		sent.call[0]->result = table(1);
		set_int8(sent.call[0]->result, 0, 0, 4);
		answer(ERROR_NONE, "");
	} else if (sent.calls == 3) {
		answer_probe();
	} else {
		answer(ERROR_NONE, ""); /* nothing was asked */
	}
}

/* ---- the mark ---- */

static struct mark mark;

const struct mark *mark_keeper_mark(const struct mark_keeper *keeper)
{
	(void)keeper;
	return &mark;
}

/* Only of what has been recorded. */
void mark_keeper_note_jti(struct mark_keeper *keeper, const uint8_t jti[16])
{
	char text[UUID_TEXT_LEN + 1];

	(void)keeper;
	uuid_to_text(jti, text);
	unrecorded += !is_recorded(text);
}

void mark_keeper_note_ledger(struct mark_keeper *keeper, const uint8_t ledger[16])
{
	(void)keeper;
	(void)ledger;
}

void mark_keeper_hurry(struct mark_keeper *keeper)
{
	(void)keeper;
}

const char *mark_keeper_why_late(const struct mark_keeper *keeper)
{
	(void)keeper;
	return NULL;
}

bool mark_has_jti(const struct mark *asked)
{
	return asked->jti[0] != 0;
}

/* ---- the signer ---- */

static struct {
	struct signer_job *job;
	done_fn done;
	void *arg;
} signing[4];
static int signings;

const char *signer_kid(const struct signer *signer)
{
	(void)signer;
	return "test";
}

const uint8_t *signer_certificate_sha256(const struct signer *signer)
{
	static const uint8_t sha256[32];

	(void)signer;
	return sha256;
}

void signer_sign_start(struct signer *signer, struct signer_job *job, done_fn done, void *arg)
{
	(void)signer;
	CU_ASSERT_FATAL(signings < 4);
	signing[signings].job = job;
	signing[signings].done = done;
	signing[signings++].arg = arg;
}

static void finish_signing(void)
{
	done_fn done = signing[0].done;
	void *arg = signing[0].arg;

	memset(signing[0].job->sig, 's', sizeof(signing[0].job->sig));
	memmove(&signing[0], &signing[1], sizeof(signing[0]) * 3);
	signings--;
	done(arg, &(struct error){ 0 });
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
			finish_signing();
		else
			answer_what_was_sent();
	}
}

static void reconnect(void)
{
	lose_connection();
	turn();
	make_connection();
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
		finish_signing();
}

static void issue_through_failures(void)
{
	make_connection();
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
