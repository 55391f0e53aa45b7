/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <event2/event.h>
#include <libpq-fe.h>

#include "crypto/digest.h"
#include "db/desk.h"
#include "issue/issuer.h"
#include "issue/schema.h"
#include "jose/jws.h"
#include "keys/signer.h"
#include "mark/keeper.h"

/* A real database with tests/db/fixture.sql; only the signer is faked. */

#define MANY 1000

struct asked {
	struct answer answer;
	enum error_kind kind;
	int answers;
};

static struct event_base *base;
static char state[] = "/tmp/stipa-state-XXXXXX";
static struct mark_keeper *mark; /* one for all tests: each goes on with the ledger of the last */
static struct db_desk *desk;
static struct issuer *issuer;
static PGconn *control; /* looks on, and meddles */
static const struct log quiet = { .fd = -1, .least = LOG_LEVEL_ERROR + 1 };

static bool is_ready;
static char why_not[200];
static int answered;
static struct asked asked[MANY];

#define PATIENCE_S 60 /* on a slow machine */

/* ---- the signer ---- */

static uint8_t certificate_sha256[32]; /* of the fixture's */

struct signing {
	struct event *later;
	struct signer_job *job;
	done_fn done;
	void *arg;
};

const char *signer_kid(const struct signer *signer)
{
	(void)signer;
	return "test";
}

const uint8_t *signer_certificate_sha256(const struct signer *signer)
{
	(void)signer;
	return certificate_sha256;
}

static void on_signed(evutil_socket_t fd, short what, void *arg)
{
	struct signing *signing = arg;
	const struct error none = { 0 };

	(void)fd;
	(void)what;
	memset(signing->job->sig, 's', sizeof(signing->job->sig));
	event_free(signing->later);
	signing->done(signing->arg, &none);
	free(signing);
}

void signer_sign_start(struct signer *signer, struct signer_job *job, done_fn done, void *arg)
{
	struct signing *signing = calloc(1, sizeof(*signing));

	(void)signer;
	signing->job = job;
	signing->done = done;
	signing->arg = arg;
	signing->later = event_new(base, -1, 0, on_signed, signing);
	event_active(signing->later, EV_TIMEOUT, 1);
}

/* ---- looking on ---- */

static void on_ready(void *arg, const char *why)
{
	(void)arg;
	is_ready = why == NULL;
	snprintf(why_not, sizeof(why_not), "%s", why == NULL ? "" : why);
}

static char *ask_sql(const char *sql)
{
	static char value[256];
	PGresult *result = PQexec(control, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		printf("\n  %s", PQresultErrorMessage(result));
	snprintf(value, sizeof(value), "%s",
		 PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return value;
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	bool *late = arg;

	(void)fd;
	(void)what;
	*late = true;
}

static bool all_are_answered(int n)
{
	return answered >= n;
}

static bool is_ready_as(int wanted)
{
	return is_ready == (wanted != 0);
}

/* Run the loop until it is so, or for PATIENCE_S. */
static bool runs_until(bool (*is_so)(int n), int n)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };
	bool late = false, so;
	struct event *timer = evtimer_new(base, on_limit, &late);

	evtimer_add(timer, &limit);
	while (!(so = is_so(n)) && !late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	return so;
}

static void on_answer(void *arg, const struct error *error)
{
	struct asked *one = arg;

	one->kind = error->kind;
	one->answers++;
	answered++;
}

/* Account sp-N asks by client-N for the SPC 1000 + N, N from 1 to 20. */
static struct order order_of(int n)
{
	struct order order = { .kind = ORDER_ISSUE, .form = TOKEN_FORM_ATC };
	char client[32];

	snprintf(client, sizeof(client), "client-%d", n);
	sha256(client, strlen(client), order.credential);
	snprintf(order.account, sizeof(order.account), "sp-%d", n);
	snprintf(order.spc, sizeof(order.spc), "%d", 1000 + n);
	snprintf(order.tkvalue, sizeof(order.tkvalue), "MAigBhYEMTAwMQ==");
	snprintf(order.fingerprint, sizeof(order.fingerprint), "SHA256 00");
	for (int i = 0; i < 31; i++)
		strcat(order.fingerprint, ":00");
	snprintf(order.request_id, sizeof(order.request_id), "request-%d", n);
	return order;
}

static void ask(int i, const struct order *order)
{
	issuer_order_start(issuer, order, &asked[i].answer, on_answer, &asked[i]);
}

static int count(enum error_kind kind, enum verdict verdict)
{
	int n = 0;

	for (int i = 0; i < MANY; i++)
		n += asked[i].answers > 0 && asked[i].kind == kind &&
		     (kind != ERROR_NONE || asked[i].answer.verdict == verdict);
	return n;
}

static bool none_is_answered_twice(void)
{
	for (int i = 0; i < MANY; i++)
		if (asked[i].answers > 1)
			return false;
	return true;
}

/* The payload of each token begins with its exp and jti. */
static bool is_in_the_ledger(const struct answer *answer)
{
	struct jws_parts parts;
	struct error error = { 0 };
	char sql[160];
	const char *jti;

	if (!jws_parse(answer->text, &parts, &error))
		return false;
	jti = strstr(parts.payload, "\"jti\":\"");
	if (jti == NULL)
		return false;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM stipa.token WHERE jti = '%.36s'", jti + 7);
	return strcmp(ask_sql(sql), "1") == 0;
}

static bool all_tokens_are_in_the_ledger(void)
{
	for (int i = 0; i < MANY; i++)
		if (asked[i].answers > 0 && asked[i].kind == ERROR_NONE &&
		    asked[i].answer.verdict == VERDICT_ISSUED &&
		    !is_in_the_ledger(&asked[i].answer))
			return false;
	return true;
}

static void kill_backend(void)
{
	ask_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		" WHERE application_name = 'stipad authority'");
}

/* ---- the tests ---- */

static void before_each(void)
{
	char conninfo[200];
	struct error error = { 0 };
	const struct db_desk_options at = { .base = base,
					    .conninfo = conninfo,
					    .application_name = "stipad authority",
					    .greeting = &schema_greeting,
					    .on_greeting = schema_greeting_check };
	struct issuer_options options = {
		.base = base, .mark = mark, .log = &quiet, .queue_max = 4096, .on_ready = on_ready
	};

	snprintf(conninfo, sizeof(conninfo), "%s user=stipa_authority", getenv("TEST_PGCONN"));
	memset(asked, 0, sizeof(asked));
	answered = 0;
	is_ready = false;
	sha256("\x30\x03\x02\x01\x01", 5, certificate_sha256);
	options.desk = desk = db_desk_new(&at, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk);
	issuer = issuer_new(&options, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(issuer);
	CU_ASSERT_TRUE_FATAL(runs_until(is_ready_as, 1));
}

static void test_an_order_becomes_a_token(void)
{
	struct order order = order_of(1);
	struct jws_parts parts;
	struct error error = { 0 };

	ask(0, &order);
	CU_ASSERT_FALSE(asked[0].answers);
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 1));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_NONE);
	CU_ASSERT_EQUAL(asked[0].answer.verdict, VERDICT_ISSUED);
	CU_ASSERT_STRING_EQUAL(asked[0].answer.spc, "1001");
	CU_ASSERT_TRUE_FATAL(jws_parse(asked[0].answer.text, &parts, &error));
	CU_ASSERT_STRING_EQUAL(parts.header,
			       "{\"alg\":\"ES256\",\"typ\":\"JWT\","
			       "\"x5u\":\"https://localhost/sti-pa/certs/test.pem\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(parts.payload, "\"tkvalue\":\"MAigBhYEMTAwMQ==\""));
	CU_ASSERT_TRUE(is_in_the_ledger(&asked[0].answer));
}

static void test_each_order_gets_its_own_verdict(void)
{
	struct order orders[] = { order_of(1), order_of(2), order_of(3),
				  order_of(4), order_of(5), order_of(6) };
	static const enum verdict want[] = { VERDICT_STRANGER,	    VERDICT_NO_SUCH_ACCOUNT,
					     VERDICT_MALFORMED,	    VERDICT_SPC_NOT_HELD,
					     VERDICT_NO_DELEGATION, VERDICT_ISSUED };

	memset(orders[0].credential, 0, sizeof(orders[0].credential));
	strcpy(orders[1].account, "sp-3");
	orders[2].defect = DEFECT_TKVALUE_DER;
	strcpy(orders[3].spc, "1009");
	orders[4].ca = 1;
	for (int i = 0; i < 6; i++)
		ask(i, &orders[i]);
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 6));
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(asked[i].kind, ERROR_NONE);
		CU_ASSERT_EQUAL(asked[i].answer.verdict, want[i]);
		CU_ASSERT_EQUAL(asked[i].answer.text[0] != '\0', want[i] == VERDICT_ISSUED);
	}
	CU_ASSERT_EQUAL(asked[2].answer.defect, DEFECT_TKVALUE_DER);
}

static void test_a_dry_run_leaves_no_row(void)
{
	static const char rows_of_all[] =
		"SELECT (SELECT count(*) FROM stipa.token)"
		" + (SELECT count(*) FROM stipa.token_refusal)"
		" + (SELECT coalesce(sum(refused), 0) FROM stipa.refusal_minute)";
	struct order good = order_of(1), bad = order_of(2);
	int before = atoi(ask_sql(rows_of_all));

	good.dry_run = bad.dry_run = 1;
	strcpy(bad.spc, "1009");
	ask(0, &good);
	ask(1, &bad);
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 2));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_NONE);
	CU_ASSERT_EQUAL(asked[0].answer.verdict, VERDICT_ISSUED);
	CU_ASSERT_STRING_EQUAL(asked[0].answer.text, "");
	CU_ASSERT_STRING_EQUAL(asked[0].answer.spc, "1001");
	CU_ASSERT(asked[0].answer.exp > 0);
	CU_ASSERT_EQUAL(asked[1].answer.verdict, VERDICT_SPC_NOT_HELD);
	CU_ASSERT_EQUAL(atoi(ask_sql(rows_of_all)), before);
}

/* The account is no UTF-8: PostgreSQL refuses the whole call, with SQLSTATE 22021. */
static void test_a_poisonous_order_fails_alone(void)
{
	for (int i = 0; i < 300; i++) {
		struct order order = order_of(i % 20 + 1);

		if (i == 77)
			strcpy(order.account, "sp-\xff");
		ask(i, &order);
	}
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 300));
	CU_ASSERT_EQUAL(asked[77].kind, ERROR_INTERNAL);
	CU_ASSERT_EQUAL(asked[77].answer.failed, 1);
	CU_ASSERT_EQUAL(count(ERROR_NONE, VERDICT_ISSUED), 299);
	CU_ASSERT_TRUE(all_tokens_are_in_the_ledger());
	CU_ASSERT_TRUE(none_is_answered_twice());
}

static void test_a_killed_backend_loses_no_order(void)
{
	int killed = 0;

	for (int i = 0; i < MANY; i++) {
		struct order order = order_of(i % 20 + 1);

		ask(i, &order);
		if (i % 100 == 50) {
			runs_until(all_are_answered, answered + 1);
			kill_backend();
			killed++;
			CU_ASSERT_TRUE(runs_until(is_ready_as, 0));
			CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
		}
	}
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, MANY));
	CU_ASSERT_EQUAL(killed, 10);
	CU_ASSERT_TRUE(none_is_answered_twice());
	CU_ASSERT_EQUAL(count(ERROR_NONE, VERDICT_ISSUED) + count(ERROR_UNAVAILABLE, 0), MANY);
	CU_ASSERT(count(ERROR_NONE, VERDICT_ISSUED) > 0);
	CU_ASSERT_TRUE(all_tokens_are_in_the_ledger());
}

/* Somebody takes rights away and does not come to an end. */
static void test_a_late_commit_is_no_token(void)
{
	struct order order = order_of(1);

	ask_sql("BEGIN");
	ask_sql("SELECT pg_advisory_xact_lock(stipa.rights_lock())");
	ask(0, &order);
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 1));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_UNAVAILABLE);
	CU_ASSERT_EQUAL(asked[0].answer.failed, 1);
	ask_sql("ROLLBACK");
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
	ask(1, &order);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 2));
	CU_ASSERT_EQUAL(asked[1].answer.verdict, VERDICT_ISSUED);
}

static pid_t backend(void)
{
	return atoi(ask_sql("SELECT pid FROM pg_stat_activity"
			    " WHERE application_name = 'stipad authority'"
			    " ORDER BY backend_start DESC LIMIT 1"));
}

/* The server stands still: only our own clock can tell. */
static void test_a_frozen_backend_is_left_behind(void)
{
	struct order order = order_of(1);
	pid_t frozen = backend();

	CU_ASSERT_FATAL(frozen > 1);
	kill(frozen, SIGSTOP);
	ask(0, &order);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 1));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_UNAVAILABLE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "no answer within"));
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
	ask(1, &order);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 2));
	CU_ASSERT_EQUAL(asked[1].answer.verdict, VERDICT_ISSUED);
	kill(frozen, SIGCONT);
}

static void on_warning(void *arg, const PGresult *result)
{
	int *warnings = arg;

	(void)result;
	(*warnings)++;
}

/* A reload reaches the server's processes one by one: it is done when a commit of ours waits.  The
 * statement's limit ends the wait, with a warning. */
static bool commits_wait(void)
{
	int warnings = 0;
	PQnoticeReceiver usual = PQsetNoticeReceiver(control, on_warning, &warnings);

	ask_sql("SET synchronous_commit = on");
	ask_sql("SET statement_timeout = 50");
	for (time_t end = time(NULL) + PATIENCE_S; warnings == 0 && time(NULL) < end;)
		ask_sql("DO $$BEGIN PERFORM pg_logical_emit_message(true, '', ''); COMMIT; END$$");
	ask_sql("RESET statement_timeout");
	ask_sql("SET synchronous_commit = local");
	PQsetNoticeReceiver(control, usual, NULL);
	return warnings > 0;
}

static void wait_for_standbys(const char *names)
{
	char sql[120];

	ask_sql("SET synchronous_commit = local");
	snprintf(sql, sizeof(sql), "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
	ask_sql(sql);
	ask_sql("SELECT pg_reload_conf()");
	CU_ASSERT_TRUE(names[0] == '\0' || commits_wait());
}

static void on_cancel(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ask_sql("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
		" WHERE wait_event = 'SyncRep'");
}

static int rows(void)
{
	return atoi(ask_sql("SELECT count(*) FROM stipa.token"));
}

static void pause_loop(void)
{
	const struct timeval pause = { .tv_usec = 50000 };

	event_base_loopexit(base, &pause);
	event_base_dispatch(base);
}

static bool has_rows(int n)
{
	pause_loop();
	return rows() == n;
}

/* False when the machine stood still for so long that the node had given up before. */
static bool its_wait_is_cancelled(void)
{
	const struct timeval beat = { .tv_usec = 50000 };
	struct event *cancel = event_new(base, -1, EV_PERSIST, on_cancel, NULL);
	struct order order = order_of(1);
	int before = rows();
	bool seen;

	wait_for_standbys("nobody");
	event_add(cancel, &beat);
	ask(0, &order);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 1));
	event_free(cancel);
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_UNAVAILABLE);
	CU_ASSERT_STRING_EQUAL(asked[0].answer.text, "");
	CU_ASSERT_TRUE(runs_until(is_ready_as, 0));
	seen = strstr(why_not, "warning 01000") != NULL;
	CU_ASSERT_TRUE(seen || strstr(why_not, "no answer within") != NULL);
	wait_for_standbys("");
	CU_ASSERT_TRUE(runs_until(has_rows, before + 1)); /* who waits is let go by and by */
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
	return seen;
}

/* The row is there, and the server says COMMIT with a warning: another may become primary that
 * does not have it. */
static void test_a_commit_that_no_standby_has_is_no_token(void)
{
	bool seen = false;

	for (int i = 0; i < 10 && !seen; i++) {
		answered = 0;
		memset(asked, 0, sizeof(asked));
		seen = its_wait_is_cancelled();
	}
	CU_ASSERT_TRUE(seen);
}

static void test_a_standby_that_does_not_answer_is_no_token(void)
{
	struct order order = order_of(1);

	wait_for_standbys("nobody");
	ask(0, &order);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 1));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_UNAVAILABLE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "no answer within"));
	wait_for_standbys("");
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
}

static bool control_is_gone(int unused)
{
	(void)unused;
	pause_loop();
	PQclear(PQexec(control, "SELECT"));
	return PQstatus(control) != CONNECTION_OK;
}

static bool control_is_back(int unused)
{
	(void)unused;
	pause_loop();
	PQreset(control);
	return PQstatus(control) == CONNECTION_OK;
}

/* SIGKILL of one backend makes the whole server start anew, and recover. */
static void test_a_crash_of_the_server_loses_no_token(void)
{
	int issued;

	for (int i = 0; i < 600; i++) {
		struct order order = order_of(i % 20 + 1);

		ask(i, &order);
	}
	CU_ASSERT_TRUE(runs_until(all_are_answered, 1));
	kill(backend(), SIGKILL);
	CU_ASSERT_TRUE(runs_until(all_are_answered, 600));
	issued = count(ERROR_NONE, VERDICT_ISSUED);
	CU_ASSERT(issued > 0);
	CU_ASSERT_EQUAL(issued + count(ERROR_UNAVAILABLE, 0), 600);
	CU_ASSERT_TRUE(none_is_answered_twice());
	CU_ASSERT_TRUE_FATAL(runs_until(control_is_gone, 0)); /* the server has noticed */
	CU_ASSERT_TRUE_FATAL(runs_until(control_is_back, 0));
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
	CU_ASSERT_TRUE(all_tokens_are_in_the_ledger());
}

static void test_another_certificate_is_not_ready(void)
{
	struct order order = order_of(1);

	certificate_sha256[0] ^= 1;
	CU_ASSERT_TRUE(runs_until(is_ready_as, 0));
	CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "another certificate"));
	ask(0, &order);
	CU_ASSERT_TRUE_FATAL(runs_until(all_are_answered, 1));
	CU_ASSERT_EQUAL(asked[0].kind, ERROR_UNAVAILABLE);
	certificate_sha256[0] ^= 1;
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
}

static void test_a_schema_of_another_version_is_refused(void)
{
	int version = atoi(ask_sql("SELECT stipa.schema_version()"));
	char sql[160];

	ask_sql("CREATE OR REPLACE FUNCTION stipa.schema_version() RETURNS int"
		" LANGUAGE sql IMMUTABLE RETURN 3");
	kill_backend();
	CU_ASSERT_TRUE(runs_until(is_ready_as, 0));
	for (int i = 0; i < 100 && strstr(why_not, "version 3") == NULL; i++)
		event_base_loop(base, EVLOOP_ONCE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "version 3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "stipactl db migrate"));
	snprintf(sql, sizeof(sql),
		 "CREATE OR REPLACE FUNCTION stipa.schema_version() RETURNS int"
		 " LANGUAGE sql IMMUTABLE RETURN %d",
		 version);
	ask_sql(sql);
	CU_ASSERT_TRUE(runs_until(is_ready_as, 1));
}

/* Somebody has to, and a node is always there. */
static void test_the_ledger_is_extended(void)
{
	static const char count_them[] = "SELECT count(*) FROM pg_inherits"
					 " WHERE inhparent = 'stipa.token'::regclass";
	int before = atoi(ask_sql(count_them));

	db_desk_free(desk);
	issuer_free(issuer);
	ask_sql("DO $$ DECLARE last text := (SELECT max(inhrelid::regclass::text)"
		" FROM pg_inherits WHERE inhparent = 'stipa.token'::regclass);"
		" BEGIN EXECUTE format('DROP TABLE %s', last); END $$");
	CU_ASSERT_EQUAL(atoi(ask_sql(count_them)), before - 1);
	before_each();
	CU_ASSERT_EQUAL(atoi(ask_sql(count_them)), before);
}

static void after_each(void)
{
	db_desk_free(desk);
	issuer_free(issuer);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static int setup(void)
{
	char conninfo[200];
	struct error error = { 0 };

	snprintf(conninfo, sizeof(conninfo), "%s user=postgres", getenv("TEST_PGCONN"));
	control = PQconnectdb(conninfo);
	base = event_base_new();
	if (base != NULL && mkdtemp(state) != NULL)
		mark = mark_keeper_new(base, state, &quiet, &error);
	return PQstatus(control) != CONNECTION_OK || mark == NULL;
}

static int teardown(void)
{
	char path[64];

	mark_keeper_free(mark);
	snprintf(path, sizeof(path), "%s/mark", state);
	unlink(path);
	rmdir(state);
	event_base_free(base);
	PQfinish(control);
	return 0;
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "an order becomes a token", test_an_order_becomes_a_token },
		{ "each order gets its own verdict", test_each_order_gets_its_own_verdict },
		{ "a dry run leaves no row", test_a_dry_run_leaves_no_row },
		{ "a poisonous order fails alone", test_a_poisonous_order_fails_alone },
		{ "a killed backend loses no order", test_a_killed_backend_loses_no_order },
		{ "a late commit is no token", test_a_late_commit_is_no_token },
		{ "a frozen backend", test_a_frozen_backend_is_left_behind },
		{ "a commit that no standby has", test_a_commit_that_no_standby_has_is_no_token },
		{ "a standby that does not answer",
		  test_a_standby_that_does_not_answer_is_no_token },
		{ "a crash of the server", test_a_crash_of_the_server_loses_no_token },
		{ "another certificate is not ready", test_another_certificate_is_not_ready },
		{ "a schema of another version", test_a_schema_of_another_version_is_refused },
		{ "the ledger is extended", test_the_ledger_is_extended },
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

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0 || CU_get_number_of_suites_failed() != 0;
}
