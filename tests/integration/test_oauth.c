/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <CUnit/Basic.h>
#include <argon2.h>
#include <event2/event.h>
#include <libpq-fe.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>

#include "crypto/client_secret.h"
#include "crypto/openssl.h"
#include "crypto/password.h"
#include "db/desk.h"
#include "issue/schema.h"
#include "oauth/oauth.h"

/* A real database with tests/db/fixture.sql.  client-1 has a key; user-made has a password that
 * we made, user-chosen one of his own, user-off is disabled. */

#define MANY 600

static struct event_base *base;
static struct db_desk *desk;
static struct oauth *oauth;
static PGconn *control;
static FILE *log_file;
static struct log log_ = { .least = LOG_LEVEL_DEBUG, .process = "test" };

static EVP_PKEY *key, *other_key;
static struct secret made; /* user-made's */
static int serial;	   /* of jtis */

static struct asked {
	struct grant_answer granted;
	struct access_answer done;
	enum error_kind kind;
	int answers;
} asked[MANY];
static int answered;

/* ---- what argon2id costs: how often it runs ---- */

static atomic_int argon2_runs;

/* In the place of the library's. */
int argon2id_ctx(argon2_context *context)
{
	atomic_fetch_add(&argon2_runs, 1);
	return argon2_ctx(context, Argon2_id);
}

/* ---- looking on ---- */

static char *ask_sql(const char *sql)
{
	static char value[512];
	PGresult *result = PQexec(control, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		printf("\n  %s", PQresultErrorMessage(result));
	snprintf(value, sizeof(value), "%s",
		 PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return value;
}

static int ask_number(const char *sql)
{
	return atoi(ask_sql(sql));
}

static void to_hex(const uint8_t *bytes, size_t len, char *hex)
{
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	bool *late = arg;

	(void)fd;
	(void)what;
	*late = true;
}

/* Run the loop until so many have been answered, or for two minutes. */
static bool are_answered(int n)
{
	const struct timeval limit = { .tv_sec = 120 };
	bool late = false;
	struct event *timer = evtimer_new(base, on_limit, &late);

	evtimer_add(timer, &limit);
	while (answered < n && !late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	return answered == n;
}

static void on_answer(void *arg, const struct error *error)
{
	struct asked *one = arg;

	one->kind = error->kind;
	one->answers++;
	answered++;
}

/* ---- who asks ---- */

static void name_request(char *request_id, int i)
{
	snprintf(request_id, REQUEST_ID_MAX + 1, "request-%d", i);
}

static const uint8_t local[16] = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 };

static struct client_proof secret_of(const char *client)
{
	struct client_proof proof = { .method = METHOD_SECRET };

	sha256(client, strlen(client), proof.credential);
	return proof;
}

static void sign_raw(EVP_PKEY *with, const uint8_t digest[32], uint8_t raw[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(with, NULL);
	uint8_t der[80];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_sign_init(ctx), 1);
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_sign(ctx, der, &len, digest, 32), 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
}

static struct client_proof assertion_of(const char *client, const char *kid, EVP_PKEY *with)
{
	struct client_proof proof = { .method = METHOD_ASSERTION, .exp = time(NULL) + 60 };

	snprintf(proof.client, sizeof(proof.client), "%s", client);
	snprintf(proof.kid, sizeof(proof.kid), "%s", kid);
	snprintf(proof.jti, sizeof(proof.jti), "jti-%d", serial++);
	sha256(proof.jti, strlen(proof.jti), proof.input_digest);
	sign_raw(with, proof.input_digest, proof.signature);
	return proof;
}

static void grant(int i, struct client_proof proof, uint8_t scopes)
{
	struct grant_order order = { .proof = proof, .scopes = scopes };

	memcpy(order.peer, local, sizeof(local));
	name_request(order.request_id, i);
	oauth_grant_start(oauth, &order, &asked[i].granted, on_answer, &asked[i]);
}

static void login_made(int i, const char *user, const char *password)
{
	struct login_order order = { .method = METHOD_LOGIN };

	memcpy(order.peer, local, sizeof(local));
	name_request(order.request_id, i);
	snprintf(order.user, sizeof(order.user), "%s", user);
	credential_digest_login(user, strlen(user), password, strlen(password), order.digest);
	oauth_login_start(oauth, &order, &asked[i].granted, on_answer, &asked[i]);
}

static void login_chosen(int i, const char *user, const char *password)
{
	struct login_order order = { .method = METHOD_PASSWORD };

	memcpy(order.peer, local, sizeof(local));
	name_request(order.request_id, i);
	snprintf(order.user, sizeof(order.user), "%s", user);
	order.password_len = (uint8_t)strlen(password);
	memcpy(order.password, password, strlen(password));
	oauth_login_start(oauth, &order, &asked[i].granted, on_answer, &asked[i]);
}

static void revoke(int i, struct client_proof proof, const char *token)
{
	struct revoke_order order = { .proof = proof };

	memcpy(order.peer, local, sizeof(local));
	name_request(order.request_id, i);
	credential_digest_token(token, strlen(token), order.token);
	oauth_revoke_start(oauth, &order, &asked[i].done, on_answer, &asked[i]);
}

static void report(int i, const char *text, bool is_token)
{
	struct report_order order = { 0 };

	memcpy(order.peer, local, sizeof(local));
	name_request(order.request_id, i);
	if (is_token)
		credential_digest_token(text, strlen(text), order.token);
	else
		credential_digest_secret(text, strlen(text), order.password);
	oauth_report_start(oauth, &order, &asked[i].done, on_answer, &asked[i]);
}

/* ---- what is answered ---- */

static bool is_granted(int i)
{
	const struct grant_answer *answer = &asked[i].granted;
	struct client_secret_kind kind;

	return asked[i].answers == 1 && asked[i].kind == ERROR_NONE && !answer->failed &&
	       answer->verdict == VERDICT_ISSUED && answer->scopes != 0 &&
	       client_secret_read(answer->text, strlen(answer->text), &kind) &&
	       kind.form == SECRET_ACCESS_TOKEN && kind.whole &&
	       strcmp(kind.environment, "demo") == 0;
}

static bool is_refused(int i, enum verdict verdict)
{
	const struct grant_answer *answer = &asked[i].granted;

	return asked[i].answers == 1 && asked[i].kind == ERROR_NONE && !answer->failed &&
	       answer->verdict == verdict && answer->text[0] == '\0' && answer->exp == 0 &&
	       answer->scopes == 0;
}

static bool is_done(int i, enum verdict verdict)
{
	return asked[i].answers == 1 && asked[i].kind == ERROR_NONE && !asked[i].done.failed &&
	       asked[i].done.verdict == verdict;
}

/* The token is good for an SPC token of client-N, if it is. */
static int verdict_of(int i, int n)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], sql[700];
	const char *text = asked[i].granted.text;

	credential_digest_token(text, strlen(text), digest);
	to_hex(digest, sizeof(digest), hex);
	snprintf(sql, sizeof(sql),
		 "SELECT verdict FROM stipa.issue_tokens('test', clock_timestamp(),"
		 " ARRAY['\\x%s']::bytea[], '{sp-%d}', '{%d}', '{MAigBhYEMTAwMQ==}',"
		 " ARRAY['SHA256 00' || repeat(':00', 31)], '{f}', '{1}', '{0}',"
		 " ARRAY[public.new_jti()], '{r}',"
		 " ARRAY['\\x00000000000000000000ffff7f000001'::bytea], '{1}', '{t}')",
		 hex, n, 1000 + n);
	return ask_number(sql);
}

/* ---- the tests ---- */

static void test_a_secret_gets_a_token(void)
{
	int64_t now = time(NULL);

	grant(0, secret_of("client-1"), 0);
	grant(1, secret_of("client-2"), SCOPE_SPC_TOKEN);
	grant(2, secret_of("nobody"), 0);
	CU_ASSERT_EQUAL(answered, 0);
	CU_ASSERT_TRUE_FATAL(are_answered(3));
	CU_ASSERT_TRUE(is_granted(0));
	CU_ASSERT_EQUAL(asked[0].granted.scopes, SCOPE_ALL);
	CU_ASSERT(asked[0].granted.exp > now + 3590 && asked[0].granted.exp <= now + 3602);
	CU_ASSERT_TRUE(is_granted(1));
	CU_ASSERT_EQUAL(asked[1].granted.scopes, SCOPE_SPC_TOKEN);
	CU_ASSERT_TRUE(is_refused(2, VERDICT_STRANGER));
	CU_ASSERT_STRING_NOT_EQUAL(asked[0].granted.text, asked[1].granted.text);
	CU_ASSERT_EQUAL(verdict_of(0, 1), VERDICT_ISSUED);
	CU_ASSERT_EQUAL(verdict_of(0, 2), VERDICT_NO_SUCH_ACCOUNT);
	CU_ASSERT_EQUAL(verdict_of(1, 2), VERDICT_ISSUED);
}

static void test_a_scope_that_the_client_may_not_have(void)
{
	ask_sql("SELECT stipa.client_scopes('t', 'r', 'client-3', 1::int2)");
	grant(0, secret_of("client-3"), SCOPE_REVOKE);
	grant(1, secret_of("client-3"), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(2));
	CU_ASSERT_TRUE(is_refused(0, VERDICT_SCOPE_NOT_PERMITTED));
	CU_ASSERT_TRUE(is_granted(1));
	CU_ASSERT_EQUAL(asked[1].granted.scopes, SCOPE_SPC_TOKEN);
	ask_sql("SELECT stipa.client_scopes('t', 'r', 'client-3', 0::int2)");
	grant(2, secret_of("client-3"), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(3));
	CU_ASSERT_TRUE(is_refused(2, VERDICT_SCOPE_NOT_PERMITTED));
}

static void test_another_address(void)
{
	ask_sql("SELECT stipa.client_allow('t', 'r', 'client-4', '{192.0.2.0/24}')");
	grant(0, secret_of("client-4"), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	CU_ASSERT_TRUE(is_refused(0, VERDICT_ADDRESS_NOT_ALLOWED));
}

static void test_an_assertion_gets_a_token_once(void)
{
	struct client_proof proof = assertion_of("client-1", "k1", key);

	grant(0, proof, 0);
	grant(1, proof, 0); /* the same, in the same batch */
	CU_ASSERT_TRUE_FATAL(are_answered(2));
	CU_ASSERT_TRUE(is_granted(0));
	CU_ASSERT_TRUE(is_refused(1, VERDICT_REPLAYED));
	grant(2, proof, 0);
	grant(3, assertion_of("client-1", "k1", key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(4));
	CU_ASSERT_TRUE(is_refused(2, VERDICT_REPLAYED));
	CU_ASSERT_TRUE(is_granted(3));
	CU_ASSERT_EQUAL(verdict_of(3, 1), VERDICT_ISSUED);
}

static void test_an_assertion_that_is_no_proof(void)
{
	struct client_proof expired = assertion_of("client-1", "k1", key);
	struct client_proof far = assertion_of("client-1", "k1", key);
	struct client_proof bent = assertion_of("client-1", "k1", key);

	expired.exp = time(NULL) - 5;
	far.exp = time(NULL) + 3600 + 90;
	bent.signature[40] ^= 1;
	grant(0, expired, 0);
	grant(1, far, 0);
	grant(2, bent, 0);
	grant(3, assertion_of("client-1", "k1", other_key), 0);
	grant(4, assertion_of("client-1", "k9", key), 0);
	grant(5, assertion_of("client-2", "k1", key), 0);
	grant(6, assertion_of("nobody", "k1", key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(7));
	for (int i = 0; i < 7; i++)
		CU_ASSERT_TRUE(is_refused(i, VERDICT_STRANGER));
	/* and its jti is not used up by it */
	bent.signature[40] ^= 1;
	grant(7, bent, 0);
	CU_ASSERT_TRUE_FATAL(are_answered(8));
	CU_ASSERT_TRUE(is_granted(7));
}

/* Not while it has two; and the token remembers by which key it was got. */
static void test_an_assertion_without_a_kid(void)
{
	grant(0, assertion_of("client-1", "", key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	CU_ASSERT_TRUE(is_refused(0, VERDICT_STRANGER));
	ask_sql("UPDATE stipa.client_key SET expires_at = now() WHERE kid = 'k2'");
	grant(1, assertion_of("client-1", "", key), 0);
	grant(2, assertion_of("client-1", "", other_key), 0);
	grant(3, assertion_of("client-2", "", key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(4));
	CU_ASSERT_TRUE(is_granted(1));
	CU_ASSERT_TRUE(is_refused(2, VERDICT_STRANGER));
	CU_ASSERT_TRUE(is_refused(3, VERDICT_STRANGER));
	CU_ASSERT_STRING_EQUAL(ask_sql("SELECT kid FROM stipa.access_token AS t"
				       " JOIN stipa.client_key AS k ON k.id = t.client_key_id"
				       " WHERE t.request_id = 'request-1'"
				       " ORDER BY t.issued_at DESC LIMIT 1"),
			       "k1");
	ask_sql("UPDATE stipa.client_key SET expires_at = now() + interval '1 d'");
}

static void test_a_removed_key_proves_nothing(void)
{
	ask_sql("SELECT stipa.client_key_remove('t', 'r', 'client-1', 'k2')");
	grant(0, assertion_of("client-1", "k2", other_key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	CU_ASSERT_TRUE(is_refused(0, VERDICT_STRANGER));
}

static void test_a_login_with_a_password_of_ours(void)
{
	argon2_runs = 0;
	login_made(0, "user-made", made.bytes);
	login_made(1, "user-made", "stipa_demo_pw_wrong");
	login_made(2, "nobody", made.bytes);
	login_made(3, "user-chosen", made.bytes);
	CU_ASSERT_TRUE_FATAL(are_answered(4));
	CU_ASSERT_TRUE(is_granted(0));
	for (int i = 1; i < 4; i++)
		CU_ASSERT_TRUE(is_refused(i, VERDICT_STRANGER));
	CU_ASSERT_EQUAL(argon2_runs, 0);
	CU_ASSERT_EQUAL(verdict_of(0, 5), VERDICT_ISSUED);
}

/* Whoever it is: one verification, no more and no less. */
static void test_a_login_with_a_password_of_his_own(void)
{
	static const struct {
		const char *user, *password;
		bool good;
	} logins[] = {
		{ "user-chosen", "correct horse", true },
		{ "user-chosen", "correct horsf", false },
		{ "user-chosen", "", false },
		{ "nobody", "correct horse", false },
		{ "", "correct horse", false },
		{ "user-off", "correct horse", false },
		{ "user-made", "correct horse", false },
	};

	for (int i = 0; i < 7; i++) {
		argon2_runs = 0;
		login_chosen(i, logins[i].user, logins[i].password);
		CU_ASSERT_TRUE_FATAL(are_answered(i + 1));
		CU_ASSERT_EQUAL(argon2_runs, 1);
		CU_ASSERT_TRUE(logins[i].good ? is_granted(i) : is_refused(i, VERDICT_STRANGER));
	}
	CU_ASSERT_EQUAL(verdict_of(0, 5), VERDICT_ISSUED);
}

/* One is verified and sixteen wait; the others are told at once, and nothing is lost. */
static void test_a_flood_of_logins_is_refused_early(void)
{
	int granted = 0, failed = 0;

	argon2_runs = 0;
	for (int i = 0; i < 100; i++)
		login_chosen(i, "user-chosen", "correct horse");
	CU_ASSERT_EQUAL(answered, 83);
	grant(100, secret_of("client-1"), 0); /* it does not wait behind them */
	CU_ASSERT_TRUE_FATAL(are_answered(84));
	CU_ASSERT_TRUE(is_granted(100));
	CU_ASSERT_TRUE_FATAL(are_answered(101));
	for (int i = 0; i < 100; i++) {
		granted += is_granted(i);
		failed += asked[i].kind == ERROR_UNAVAILABLE && asked[i].granted.failed;
	}
	CU_ASSERT_EQUAL(granted, 17);
	CU_ASSERT_EQUAL(failed, 83);
	CU_ASSERT_EQUAL(argon2_runs, 17);
	login_chosen(101, "user-chosen", "correct horse");
	CU_ASSERT_TRUE_FATAL(are_answered(102));
	CU_ASSERT_TRUE(is_granted(101));
}

static void test_many_grants_are_few_batches(void)
{
	static const char batches[] = "SELECT count(DISTINCT xmin::text) FROM stipa.access_token";
	int before = ask_number(batches);

	for (int i = 0; i < MANY; i++) {
		char client[16];

		snprintf(client, sizeof(client), "client-%d", i % 2 + 1);
		grant(i, secret_of(client), 0);
	}
	CU_ASSERT_TRUE_FATAL(are_answered(MANY));
	for (int i = 0; i < MANY; i++)
		CU_ASSERT_TRUE(is_granted(i));
	CU_ASSERT(ask_number(batches) - before < 20);
}

static void test_a_token_is_revoked_by_its_client(void)
{
	grant(0, secret_of("client-1"), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	revoke(1, secret_of("client-2"), asked[0].granted.text); /* another's: as if unknown */
	revoke(2, secret_of("nobody"), asked[0].granted.text);
	revoke(3, secret_of("client-1"), "stipa_demo_at_unknown");
	CU_ASSERT_TRUE_FATAL(are_answered(4));
	CU_ASSERT_TRUE(is_done(1, VERDICT_ISSUED));
	CU_ASSERT_TRUE(is_done(2, VERDICT_STRANGER));
	CU_ASSERT_TRUE(is_done(3, VERDICT_ISSUED));
	CU_ASSERT_EQUAL(verdict_of(0, 1), VERDICT_ISSUED);
	revoke(4, secret_of("client-1"), asked[0].granted.text);
	CU_ASSERT_TRUE_FATAL(are_answered(5));
	CU_ASSERT_TRUE(is_done(4, VERDICT_ISSUED));
	CU_ASSERT_EQUAL(verdict_of(0, 1), VERDICT_INVALID_TOKEN);
}

static void test_a_token_is_revoked_by_an_assertion(void)
{
	struct client_proof bad = assertion_of("client-1", "k1", other_key);

	grant(0, assertion_of("client-1", "k1", key), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	revoke(1, bad, asked[0].granted.text);
	CU_ASSERT_TRUE_FATAL(are_answered(2));
	CU_ASSERT_TRUE(is_done(1, VERDICT_STRANGER));
	CU_ASSERT_EQUAL(verdict_of(0, 1), VERDICT_ISSUED);
	revoke(2, assertion_of("client-1", "k1", key), asked[0].granted.text);
	CU_ASSERT_TRUE_FATAL(are_answered(3));
	CU_ASSERT_TRUE(is_done(2, VERDICT_ISSUED));
	CU_ASSERT_EQUAL(verdict_of(0, 1), VERDICT_INVALID_TOKEN);
}

static void test_logout_ends_the_token(void)
{
	const struct client_proof itself = { .method = METHOD_TOKEN };

	login_made(0, "user-made", made.bytes);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	revoke(1, itself, asked[0].granted.text);
	CU_ASSERT_TRUE_FATAL(are_answered(2));
	CU_ASSERT_TRUE(is_done(1, VERDICT_ISSUED));
	CU_ASSERT_EQUAL(verdict_of(0, 5), VERDICT_INVALID_TOKEN);
	revoke(2, itself, asked[0].granted.text);
	CU_ASSERT_TRUE_FATAL(are_answered(3));
	CU_ASSERT_TRUE(is_done(2, VERDICT_INVALID_TOKEN));
}

static void test_a_reported_token_ends(void)
{
	int before = ask_number("SELECT count(*) FROM stipa.notice");

	grant(0, secret_of("client-2"), 0);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	report(1, "stipa_demo_at_unknown", true);
	report(2, asked[0].granted.text, true);
	report(3, "some text", false);
	CU_ASSERT_TRUE_FATAL(are_answered(4));
	for (int i = 1; i < 4; i++) /* all alike */
		CU_ASSERT_TRUE(is_done(i, VERDICT_ISSUED));
	CU_ASSERT_EQUAL(verdict_of(0, 2), VERDICT_INVALID_TOKEN);
	CU_ASSERT_EQUAL(ask_number("SELECT count(*) FROM stipa.notice"), before + 1);
}

/* The last but one: the user can log in no more. */
static void test_a_reported_password_is_disabled(void)
{
	login_made(0, "user-made", made.bytes);
	CU_ASSERT_TRUE_FATAL(are_answered(1));
	CU_ASSERT_TRUE(is_granted(0));
	report(1, made.bytes, false);
	CU_ASSERT_TRUE_FATAL(are_answered(2));
	login_made(2, "user-made", made.bytes);
	CU_ASSERT_TRUE_FATAL(are_answered(3));
	CU_ASSERT_TRUE(is_refused(2, VERDICT_STRANGER));
	CU_ASSERT_EQUAL(verdict_of(0, 5), VERDICT_INVALID_TOKEN);
}

static void test_closing_answers_everything(void)
{
	grant(0, secret_of("client-1"), 0);
	for (int i = 1; i < 19; i++)
		login_chosen(i, "user-chosen", "correct horse");
	event_base_loop(base, EVLOOP_ONCE);
	revoke(19, secret_of("client-1"), "stipa_demo_at_unknown");
	db_desk_free(desk);
	oauth_free(oauth);
	desk = NULL;
	oauth = NULL;
	CU_ASSERT_EQUAL(answered, 20);
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(asked[i].answers, 1);
}

/* Of all that went before. */
static void test_the_log_has_no_secret(void)
{
	char line[2048];
	int lines = 0;

	rewind(log_file);
	while (fgets(line, sizeof(line), log_file) != NULL) {
		lines++;
		CU_ASSERT_PTR_NULL(strstr(line, "stipa_demo"));
		CU_ASSERT_PTR_NULL(strstr(line, "correct hors"));
		CU_ASSERT_PTR_NULL(strstr(line, "argon2"));
		CU_ASSERT_PTR_NULL(strstr(line, "\"user\":\"nobody\""));
	}
	CU_ASSERT(lines > MANY);
}

/* ---- the frame ---- */

static void before_each(void)
{
	char conninfo[200];
	struct error error = { 0 };
	const struct db_desk_options at = { .base = base,
					    .conninfo = conninfo,
					    .application_name = "stipad authority",
					    .greeting = &schema_greeting,
					    .on_greeting = schema_greeting_check };
	struct oauth_options options = { .base = base,
					 .log = &log_,
					 .environment = "demo",
					 .queue_max = 4096,
					 .password_cpu_percent = 100 };
	const struct timeval pause = { .tv_usec = 10000 };

	snprintf(conninfo, sizeof(conninfo), "%s user=stipa_authority", getenv("TEST_PGCONN"));
	memset(asked, 0, sizeof(asked));
	options.desk = desk = db_desk_new(&at, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk);
	oauth = oauth_new(&options, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(oauth);
	for (int i = 0; i < 1000; i++) { /* until there is a connection */
		answered = 0;
		memset(&asked[0], 0, sizeof(asked[0]));
		report(0, "nothing", false);
		CU_ASSERT_TRUE_FATAL(are_answered(1));
		if (asked[0].kind == ERROR_NONE)
			break;
		event_base_loopexit(base, &pause);
		event_base_dispatch(base);
	}
	CU_ASSERT_EQUAL_FATAL(asked[0].kind, ERROR_NONE);
	memset(&asked[0], 0, sizeof(asked[0]));
	answered = 0;
}

static void after_each(void)
{
	db_desk_free(desk);
	oauth_free(oauth);
}

static void add_key(const char *kid, EVP_PKEY *one)
{
	uint8_t der[128], *end = der;
	int len = i2d_PUBKEY(one, &end);
	char hex[257], sql[512];

	to_hex(der, (size_t)len, hex);
	snprintf(sql, sizeof(sql),
		 "SELECT stipa.client_key_add('t', 'r', 'client-1', '%s', '\\x%s',"
		 " now() + interval '1 d')",
		 kid, hex);
	ask_sql(sql);
}

static void add_users(void)
{
	const struct secret chosen = { .len = 13, .bytes = "correct horse" };
	char hash[PASSWORD_HASH_MAX + 1], digest[65], secret[65], sql[1200];
	uint8_t bytes[SHA256_LEN];
	struct error error = { 0 };

	if (!password_hash(&chosen, hash, &error) ||
	    !client_secret_make(&made, SECRET_PASSWORD, "demo", &error))
		abort();
	credential_digest_login("user-made", 9, made.bytes, made.len, bytes);
	to_hex(bytes, sizeof(bytes), digest);
	credential_digest_secret(made.bytes, made.len, bytes);
	to_hex(bytes, sizeof(bytes), secret);
	snprintf(sql, sizeof(sql),
		 "SELECT stipa.api_user_add('t', 'r', 'client-5', 'user-made', '\\x%s', NULL,"
		 " '\\x%s'), stipa.api_user_add('t', 'r', 'client-5', 'user-chosen', NULL, '%s'),"
		 " stipa.api_user_add('t', 'r', 'client-5', 'user-off', NULL, '%s')",
		 digest, secret, hash, hash);
	ask_sql(sql);
	ask_sql("SELECT stipa.api_user_disable('t', 'r', 'user-off')");
}

static int setup(void)
{
	char conninfo[200];

	snprintf(conninfo, sizeof(conninfo), "%s user=postgres", getenv("TEST_PGCONN"));
	control = PQconnectdb(conninfo);
	base = event_base_new();
	log_file = tmpfile();
	key = EVP_EC_gen("P-256");
	other_key = EVP_EC_gen("P-256");
	if (PQstatus(control) != CONNECTION_OK || base == NULL || log_file == NULL || key == NULL ||
	    other_key == NULL)
		return 1;
	log_.fd = fileno(log_file);
	add_key("k1", key);
	add_key("k2", other_key);
	add_users();
	return 0;
}

static int teardown(void)
{
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	event_base_free(base);
	PQfinish(control);
	return fclose(log_file);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a secret gets a token", test_a_secret_gets_a_token },
		{ "a scope not permitted", test_a_scope_that_the_client_may_not_have },
		{ "another address", test_another_address },
		{ "an assertion, once", test_an_assertion_gets_a_token_once },
		{ "an assertion that is no proof", test_an_assertion_that_is_no_proof },
		{ "an assertion without a kid", test_an_assertion_without_a_kid },
		{ "a removed key", test_a_removed_key_proves_nothing },
		{ "a password of ours", test_a_login_with_a_password_of_ours },
		{ "a password of his own", test_a_login_with_a_password_of_his_own },
		{ "a flood of logins", test_a_flood_of_logins_is_refused_early },
		{ "many grants", test_many_grants_are_few_batches },
		{ "revoked by its client", test_a_token_is_revoked_by_its_client },
		{ "revoked by an assertion", test_a_token_is_revoked_by_an_assertion },
		{ "logout", test_logout_ends_the_token },
		{ "a reported token", test_a_reported_token_ends },
		{ "a reported password", test_a_reported_password_is_disabled },
		{ "closing", test_closing_answers_everything },
		{ "the log", test_the_log_has_no_secret },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "oauth",
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
