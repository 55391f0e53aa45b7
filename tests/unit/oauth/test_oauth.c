/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "crypto/password.h"
#include "db/desk.h"
#include "loop/workpool.h"
#include "metrics/metrics.h"
#include "oauth/oauth.h"

/* The orders with their neighbours faked by linking: the desk, the threads and argon2id.  The
 * story is what was asked of them. */

static char story[256];
static struct oauth *oauth;
static const struct log quiet = { .fd = -1, .least = LOG_LEVEL_ERROR + 1 };

static void tell(const char *what)
{
	strcat(story, what);
	strcat(story, " ");
}

/* ---- the desk ---- */

struct db_lane {
	const struct db_lane_kind *kind;
	void *arg;
	const char *shut;
};

static struct db_lane lanes[8];
static int n_lanes;
static struct db_lane *asked_lane; /* who waits, and where */
static struct db_ask *asking;

struct db_lane *db_lane_new(struct db_desk *desk, const struct db_lane_kind *kind,
			    unsigned int queue_max, void *arg)
{
	(void)desk;
	CU_ASSERT_EQUAL(queue_max, 7);
	lanes[n_lanes] = (struct db_lane){ .kind = kind, .arg = arg };
	return &lanes[n_lanes++];
}

void db_lane_shut(struct db_lane *lane, const char *why)
{
	lane->shut = why;
}

void db_ask_start(struct db_lane *lane, struct db_ask *ask)
{
	tell(lane->kind->statement->name);
	asked_lane = lane;
	asking = ask;
}

static PGresult *row(int columns)
{
	static char name[] = "column";
	PGresAttDesc attributes[6];
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (int i = 0; i < columns; i++)
		attributes[i] = (PGresAttDesc){ .name = name, .format = 1 };
	PQsetResultAttrs(rows, columns, attributes);
	return rows;
}

static void set_int8(PGresult *rows, int column, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	PQsetvalue(rows, 0, column, (char *)&big, sizeof(big));
}

static void set_text(PGresult *rows, int column, const char *text)
{
	PQsetvalue(rows, 0, column, (char *)text, text == NULL ? -1 : (int)strlen(text));
}

static void decide(PGresult *rows)
{
	struct db_asks asks = STAILQ_HEAD_INITIALIZER(asks);
	struct db_lane *lane = asked_lane;

	CU_ASSERT_PTR_NOT_NULL_FATAL(lane);
	STAILQ_INSERT_TAIL(&asks, asking, link);
	asked_lane = NULL;
	lane->kind->decided(lane->arg, &asks, rows);
}

static void decide_text(const char *text)
{
	PGresult *rows = row(2);

	set_int8(rows, 0, 1);
	set_text(rows, 1, text);
	decide(rows);
}

static void decide_key(const char *kid, const char *spki)
{
	PGresult *rows = row(3);

	set_int8(rows, 0, 1);
	set_text(rows, 1, kid);
	set_text(rows, 2, spki);
	decide(rows);
}

static void decide_number(int64_t number)
{
	PGresult *rows = row(2);

	set_int8(rows, 0, 1);
	set_int8(rows, 1, number);
	decide(rows);
}

static void decide_grant(int64_t verdict, int64_t scopes)
{
	PGresult *rows = row(6);

	set_int8(rows, 0, 1);
	set_int8(rows, 1, verdict);
	set_int8(rows, 2, 1767225600);
	set_int8(rows, 3, scopes);
	set_text(rows, 4, "client-1");
	set_text(rows, 5, "sp-1");
	decide(rows);
}

static void fail(enum error_kind kind)
{
	const struct error error = { .kind = kind, .detail = "as the test wants" };
	struct db_lane *lane = asked_lane;

	CU_ASSERT_PTR_NOT_NULL_FATAL(lane);
	asked_lane = NULL;
	lane->kind->failed(lane->arg, asking, &error);
}

/* ---- threads and argon2id ---- */

static struct work *working[32];
static int n_working;
static bool pool_is_full;
static enum error_kind verification;

struct workpool *workpool_new(struct event_base *base, int threads, int queue_max)
{
	(void)base;
	CU_ASSERT_EQUAL(threads, 1);
	CU_ASSERT_EQUAL(queue_max, 17);
	return (struct workpool *)working;
}

void workpool_give_way(struct workpool *pool, int percent)
{
	(void)pool;
	CU_ASSERT_EQUAL(percent, 25);
}

void workpool_free(struct workpool *pool)
{
	(void)pool;
}

bool workpool_submit(struct workpool *pool, struct work *work)
{
	(void)pool;
	if (!pool_is_full)
		working[n_working++] = work;
	return !pool_is_full;
}

const char password_hash_of_nobody[] = "nobody";

bool password_hash_check(const char *hash, struct error *error)
{
	return strcmp(hash, "too costly") != 0 || error_set(error, ERROR_INVALID, "too costly");
}

bool password_verify(const char *hash, const struct secret *password, struct error *error)
{
	CU_ASSERT_STRING_EQUAL(password->bytes, "correct horse");
	tell(hash);
	return verification == ERROR_NONE || error_set(error, verification, "as the test wants");
}

static void work_once(void)
{
	struct work *work = working[--n_working];

	work->perform(work);
	work->apply(work);
}

/* ---- metrics ---- */

void meter_count(struct meter *meter, enum metric metric, unsigned int label)
{
	CU_ASSERT_PTR_EQUAL(meter, (struct meter *)story);
	CU_ASSERT_EQUAL(metric, METRIC_LIMITS_HIT);
	tell(label == METRIC_LIMIT_PASSWORD_QUEUE  ? "queue-full"
	     : label == METRIC_LIMIT_USER_FAILURES ? "too-many-guesses"
						   : "?");
}

/* ---- who asks ---- */

static struct grant_answer granted;
static struct access_answer done_;
static enum error_kind kind;
static int answers;

static void on_answer(void *arg, const struct error *error)
{
	(void)arg;
	kind = error->kind;
	answers++;
}

static void login(uint8_t method)
{
	struct login_order order = { .method = method, .user = "user-1" };

	if (method == METHOD_PASSWORD)
		order.password_len = 13;
	memcpy(order.password, "correct horse", order.password_len);
	oauth_login_start(oauth, &order, &granted, on_answer, NULL);
}

static void grant(uint8_t method)
{
	const struct grant_order order = { .proof = { .method = method, .client = "client-1" } };

	oauth_grant_start(oauth, &order, &granted, on_answer, NULL);
}

static bool is_granted(void)
{
	return answers == 1 && kind == ERROR_NONE && !granted.failed &&
	       granted.verdict == VERDICT_ISSUED && granted.scopes == SCOPE_ALL &&
	       granted.exp == 1767225600 && strncmp(granted.text, "stipa_demo_at_", 14) == 0;
}

static bool is_refused(enum verdict verdict)
{
	return answers == 1 && kind == ERROR_NONE && !granted.failed &&
	       granted.verdict == verdict && granted.text[0] == '\0';
}

static bool has_failed(enum error_kind want)
{
	return answers == 1 && kind == want && granted.failed && granted.text[0] == '\0';
}

/* ---- the tests ---- */

static void test_a_grant_is_one_call(void)
{
	grant(METHOD_SECRET);
	CU_ASSERT_EQUAL(answers, 0);
	decide_grant(VERDICT_ISSUED, SCOPE_ALL);
	CU_ASSERT_TRUE(is_granted());
	CU_ASSERT_STRING_EQUAL(story, "grant_tokens ");
}

static void test_no_token_leaves_without_a_commit(void)
{
	grant(METHOD_SECRET);
	fail(ERROR_UNAVAILABLE);
	CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
}

static void test_what_the_database_does_not_take(void)
{
	grant(METHOD_SECRET);
	fail(ERROR_INTERNAL);
	CU_ASSERT_TRUE(has_failed(ERROR_INTERNAL));
}

static void test_an_unknown_verdict_is_a_defect(void)
{
	grant(METHOD_SECRET);
	decide_grant(VERDICT_COUNT, SCOPE_ALL);
	CU_ASSERT_TRUE(has_failed(ERROR_INTERNAL));
}

static void test_a_token_for_nothing_is_a_defect(void)
{
	grant(METHOD_SECRET);
	decide_grant(VERDICT_ISSUED, 0);
	CU_ASSERT_TRUE(has_failed(ERROR_INTERNAL));
}

static void test_an_assertion_without_a_key_is_a_stranger_s(void)
{
	grant(METHOD_ASSERTION);
	decide_key(NULL, NULL);
	CU_ASSERT_TRUE(is_refused(VERDICT_STRANGER));
	CU_ASSERT_STRING_EQUAL(story, "client_keys ");
}

static void test_a_key_that_cannot_be_read_is_a_stranger_s(void)
{
	grant(METHOD_ASSERTION);
	decide_key("k", "no key");
	CU_ASSERT_TRUE(is_refused(VERDICT_STRANGER));
}

static void test_a_password_of_ours_needs_no_thread(void)
{
	login(METHOD_LOGIN);
	decide_grant(VERDICT_ISSUED, SCOPE_ALL);
	CU_ASSERT_TRUE(is_granted());
	CU_ASSERT_STRING_EQUAL(story, "grant_tokens ");
}

static void test_a_password_of_his_own(void)
{
	login(METHOD_PASSWORD);
	decide_text("hash");
	work_once();
	decide_grant(VERDICT_ISSUED, SCOPE_ALL);
	CU_ASSERT_TRUE(is_granted());
	CU_ASSERT_STRING_EQUAL(story, "login_hash hash grant_tokens ");
}

/* Whatever is wrong: one verification, the same answer, and the database is not asked again. */
static void test_who_is_refused_costs_one_verification(void)
{
	static const struct {
		const char *hash, *story;
		enum error_kind verification;
	} cases[] = {
		{ "hash", "login_hash hash ", ERROR_UNAUTHORIZED },
		{ NULL, "login_hash nobody ", ERROR_UNAUTHORIZED },
		{ NULL, "login_hash nobody ", ERROR_NONE }, /* even so */
		{ "too costly", "login_hash nobody ", ERROR_UNAUTHORIZED },
	};

	for (int i = 0; i < 4; i++) {
		story[0] = '\0';
		answers = 0;
		verification = cases[i].verification;
		login(METHOD_PASSWORD);
		decide_text(cases[i].hash);
		work_once();
		CU_ASSERT_TRUE(is_refused(VERDICT_STRANGER));
		CU_ASSERT_STRING_EQUAL(story, cases[i].story);
	}
}

static void test_no_memory_to_verify_is_no_refusal(void)
{
	verification = ERROR_UNAVAILABLE;
	login(METHOD_PASSWORD);
	decide_text("hash");
	work_once();
	CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
}

static void test_a_full_pool_is_unavailable(void)
{
	pool_is_full = true;
	login(METHOD_PASSWORD);
	decide_text("hash");
	CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
}

/* Seventeen are on their way; each that ends makes room, however it ends. */
static void test_the_eighteenth_is_not_even_looked_up(void)
{
	for (int i = 0; i < 17; i++) {
		login(METHOD_PASSWORD);
		decide_text("hash");
	}
	story[0] = '\0';
	login(METHOD_PASSWORD);
	CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
	CU_ASSERT_STRING_EQUAL(story, "queue-full ");
	story[0] = '\0';
	verification = ERROR_UNAUTHORIZED;
	work_once();
	login(METHOD_PASSWORD);
	CU_ASSERT_STRING_EQUAL(story, "hash login_hash ");
	fail(ERROR_UNAVAILABLE);
	login(METHOD_PASSWORD);
	CU_ASSERT_STRING_EQUAL(story, "hash login_hash login_hash ");
	fail(ERROR_UNAVAILABLE);
	while (n_working > 0)
		work_once();
}

static void guess(enum error_kind how)
{
	answers = 0;
	story[0] = '\0';
	verification = how;
	login(METHOD_PASSWORD);
	if (asked_lane == NULL)
		return;
	decide_text(how == ERROR_UNAVAILABLE ? NULL : "hash");
	work_once();
	if (asked_lane != NULL)
		decide_grant(VERDICT_CLIENT_DISABLED, 0);
}

/* Twenty wrong ones, known or not; the right one is no guess, nor is one that was not judged. */
static void test_a_name_is_guessed_at_so_often_only(void)
{
	for (int i = 0; i < 30; i++) {
		guess(ERROR_NONE);
		CU_ASSERT_TRUE(is_refused(VERDICT_CLIENT_DISABLED));
		guess(ERROR_UNAVAILABLE);
		CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
	}
	for (int i = 0; i < 20; i++) {
		guess(ERROR_UNAUTHORIZED);
		CU_ASSERT_TRUE(is_refused(VERDICT_STRANGER));
	}
	guess(ERROR_NONE);
	CU_ASSERT_TRUE(is_refused(VERDICT_RATE));
	CU_ASSERT_STRING_EQUAL(story, "too-many-guesses ");
	answers = 0;
	login(METHOD_LOGIN); /* a password of ours is no guess */
	decide_grant(VERDICT_ISSUED, SCOPE_ALL);
	CU_ASSERT_TRUE(is_granted());
}

static void test_closing_answers_who_is_being_verified(void)
{
	login(METHOD_PASSWORD);
	decide_text("hash");
	oauth_free(oauth);
	oauth = NULL;
	CU_ASSERT_TRUE(has_failed(ERROR_UNAVAILABLE));
}

/* Taking rights is what a node that does not issue must still do. */
static void test_only_grants_are_shut(void)
{
	oauth_shut(oauth, "the database is older");
	for (int i = 0; i < n_lanes; i++) {
		bool grants = strcmp(lanes[i].kind->statement->name, "grant_tokens") == 0;

		CU_ASSERT_EQUAL(lanes[i].shut != NULL, grants);
	}
	oauth_shut(oauth, NULL);
	for (int i = 0; i < n_lanes; i++)
		CU_ASSERT_PTR_NULL(lanes[i].shut);
}

static void test_a_revocation(void)
{
	const struct revoke_order order = { .proof = { .method = METHOD_TOKEN } };

	oauth_revoke_start(oauth, &order, &done_, on_answer, NULL);
	decide_number(VERDICT_INVALID_TOKEN);
	CU_ASSERT_EQUAL(answers, 1);
	CU_ASSERT_EQUAL(done_.verdict, VERDICT_INVALID_TOKEN);
	CU_ASSERT_EQUAL(done_.failed, 0);
	CU_ASSERT_STRING_EQUAL(story, "revoke_tokens ");
	oauth_revoke_start(oauth, &order, &done_, on_answer, NULL);
	fail(ERROR_UNAVAILABLE);
	CU_ASSERT_EQUAL(done_.failed, 1); /* RFC 7009 section 2.2.1: 503 is not revoked */
}

static void test_a_report_tells_nothing(void)
{
	const struct report_order order = { .secret = { 1 } };

	for (int hit = 0; hit < 2; hit++) {
		answers = 0;
		oauth_report_start(oauth, &order, &done_, on_answer, NULL);
		decide_number(hit);
		CU_ASSERT_EQUAL(answers, 1);
		CU_ASSERT_EQUAL(done_.verdict, VERDICT_ISSUED);
		CU_ASSERT_EQUAL(done_.failed, 0);
	}
}

/* ---- the frame ---- */

static void before_each(void)
{
	const struct oauth_options options = { .log = &quiet,
					       .meter = (struct meter *)story,
					       .environment = "demo",
					       .queue_max = 7,
					       .failures_per_user_min = 1,
					       .failures_per_user_burst = 20,
					       .password_cpu_percent = 25 };
	struct error error = { 0 };

	story[0] = '\0';
	n_lanes = n_working = answers = 0;
	pool_is_full = false;
	verification = ERROR_NONE;
	asked_lane = NULL;
	memset(&granted, 0xff, sizeof(granted));
	oauth = oauth_new(&options, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(oauth);
}

static void after_each(void)
{
	oauth_free(oauth);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a grant", test_a_grant_is_one_call },
		{ "no commit", test_no_token_leaves_without_a_commit },
		{ "not taken", test_what_the_database_does_not_take },
		{ "an unknown verdict", test_an_unknown_verdict_is_a_defect },
		{ "a token for nothing", test_a_token_for_nothing_is_a_defect },
		{ "no key", test_an_assertion_without_a_key_is_a_stranger_s },
		{ "a broken key", test_a_key_that_cannot_be_read_is_a_stranger_s },
		{ "a password of ours", test_a_password_of_ours_needs_no_thread },
		{ "a password of his own", test_a_password_of_his_own },
		{ "one verification", test_who_is_refused_costs_one_verification },
		{ "no memory to verify", test_no_memory_to_verify_is_no_refusal },
		{ "a full pool", test_a_full_pool_is_unavailable },
		{ "the eighteenth", test_the_eighteenth_is_not_even_looked_up },
		{ "guesses", test_a_name_is_guessed_at_so_often_only },
		{ "closing", test_closing_answers_who_is_being_verified },
		{ "only grants are shut", test_only_grants_are_shut },
		{ "a revocation", test_a_revocation },
		{ "a report", test_a_report_tells_nothing },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "oauth",
		  .pSetUpFunc = before_each,
		  .pTearDownFunc = after_each,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
