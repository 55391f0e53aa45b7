/* SPDX-License-Identifier: Apache-2.0 */
/* Connections over TLS, and what the context takes and refuses. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sanitizer.h"
#include "harness_tls.h"
#include "http/tls.h"

static void test_requests_over_tls(void)
{
	static const struct client_tls ways[] = {
		{ .version = TLS1_3_VERSION },
		{ .version = TLS1_2_VERSION },
		{ .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" },
		{ .groups = "P-256" },
		{ .protocols = "\x02h2\x08http/1.1" },
		{ .server_name = "localhost" },
	};
	struct client c;

	start_tls(&patient);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		CU_ASSERT(client_handshake(&c, &ways[i]));
		for (int n = 0; n < 2; n++) {
			client_forgets(&c);
			client_send(&c, POST_3 "abc");
			CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
			CU_ASSERT(client_gets(&c, "Strict-Transport-Security: max-age="));
		}
		client_close(&c);
	}
	CU_ASSERT_EQUAL(t.handled, 12);
	stop();
}

static void test_what_tls_does_not_offer(void)
{
	static const struct client_tls ways[] = {
		{ .version = TLS1_1_VERSION, .old = true },
		{ .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256" },
		{ .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA" },
		{ .version = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-GCM-SHA256" },
		{ .version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256" },
		{ .groups = "P-384" },
		{ .protocols = "\x02h2" },
	};
	struct client c;

	start_tls(&patient);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		CU_ASSERT_FALSE(client_handshake(&c, &ways[i]));
		client_close(&c);
	}
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static int group_of(const struct client_tls *how)
{
	struct client c;
	EVP_PKEY *key = NULL;
	int id;

	CU_ASSERT(client_handshake(&c, how));
	CU_ASSERT_FATAL(SSL_get_peer_tmp_key(c.ssl, &key) == 1);
	id = EVP_PKEY_get_id(key);
	EVP_PKEY_free(key);
	client_close(&c);
	return id;
}

static void test_x25519_comes_first(void)
{
	start_tls(&patient);
	CU_ASSERT_EQUAL(group_of(&(struct client_tls){ 0 }), EVP_PKEY_X25519);
	CU_ASSERT_EQUAL(group_of(&(struct client_tls){ .version = TLS1_2_VERSION,
						       .groups = "P-256:X25519" }),
			EVP_PKEY_X25519);
	CU_ASSERT_EQUAL(group_of(&(struct client_tls){ .groups = "P-384:P-256" }), EVP_PKEY_EC);
	stop();
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	(void)session;
	++*(int *)SSL_get_app_data(ssl);
	return 0;
}

static void test_one_ticket_resumes(void)
{
	struct client_tls how = { .version = TLS1_3_VERSION };
	struct client c;
	int tickets = 0;

	start_tls(&patient);
	CU_ASSERT(client_handshake(&c, &how));
	SSL_set_app_data(c.ssl, &tickets);
	SSL_CTX_set_session_cache_mode(SSL_get_SSL_CTX(c.ssl),
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(c.ssl), on_ticket);
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	CU_ASSERT_EQUAL(tickets, 1);
	CU_ASSERT_FALSE(SSL_session_reused(c.ssl));
	how.session = SSL_get1_session(c.ssl);
	SSL_shutdown(c.ssl); /* else the session counts as bad */
	client_close(&c);
	CU_ASSERT(client_handshake(&c, &how));
	CU_ASSERT(SSL_session_reused(c.ssl));
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	client_close(&c);
	SSL_SESSION_free(how.session);
	stop();
}

static void test_sni_and_host_must_agree(void)
{
	const struct client_tls how = { .server_name = "localhost" };
	struct client c;

	start_tls(&patient);
	CU_ASSERT(client_handshake(&c, &how));
	client_send(&c, "GET /now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 421 Misdirected Request\r\n"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT(c.clean);
	CU_ASSERT_EQUAL(t.handled, 0);
	client_close(&c);
	stop();
}

/* Where OpenSSL asks the session for the name, and where it asks the handshake. */
static void test_a_resumed_session_keeps_its_name(void)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct client c;

	start_tls(&patient);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct client_tls how = { .version = versions[i], .server_name = "localhost" };

		CU_ASSERT(client_handshake(&c, &how));
		client_send(&c, GET_NOW);
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		how.session = SSL_get1_session(c.ssl);
		SSL_shutdown(c.ssl);
		client_close(&c);
		CU_ASSERT(client_handshake(&c, &how));
		CU_ASSERT(SSL_session_reused(c.ssl));
		client_send(&c, "GET /now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
		CU_ASSERT(client_gets(&c, "HTTP/1.1 421 Misdirected Request\r\n"));
		client_close(&c);
		SSL_SESSION_free(how.session);
	}
	stop();
}

static bool client_updates_keys(struct client *c, int times, int how)
{
	for (int i = 0; i < times; i++)
		if (SSL_key_update(c->ssl, how) != 1 || SSL_do_handshake(c->ssl) != 1)
			return false;
	return true;
}

/* OpenSSL heeds them within one SSL_read(), for as long as more of them come. */
static void test_key_updates_without_end_are_cut_off(void)
{
	static const int kinds[] = { SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED };
	const struct client_tls how = { .version = TLS1_3_VERSION };
	struct client c;

	start_tls(&patient);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		CU_ASSERT(client_handshake(&c, &how));
		CU_ASSERT(client_updates_keys(&c, 3, kinds[i]));
		client_send(&c, GET_NOW);
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		CU_ASSERT(client_updates_keys(&c, 1000, kinds[i]));
		CU_ASSERT(client_sees_end(&c) >= 0);
		CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
		client_close(&c);
	}
	stop();
}

static void test_a_slow_handshake_is_cut_off(void)
{
	struct http_limits limits = patient;

	limits.handshake_ms = SOON_MS;
	start_tls(&limits);
	drip_until_the_end("\x16\x03\x01\x01", 'x', NULL);
	stop();
}

static void test_an_idle_tls_client_is_told_goodbye(void)
{
	const struct client_tls how = { 0 };
	struct http_limits limits = patient;
	struct client c;

	limits.idle_ms = SOON_MS;
	start_tls(&limits);
	CU_ASSERT(client_handshake(&c, &how));
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT(c.clean);
	client_close(&c);
	stop();
}

static void test_pipelining_over_tls_is_never_run(void)
{
	const struct client_tls how = { 0 };
	struct client c;

	start_tls(&patient);
	CU_ASSERT(client_handshake(&c, &how));
	client_send(&c, GET_NOW GET_NOW); /* in one record */
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(t.handled, 1);
	client_close(&c);
	CU_ASSERT(client_handshake(&c, &how));
	client_send(&c, GET_NOW); /* in two */
	client_send(&c, GET_NOW);
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(t.handled, 2);
	client_close(&c);
	stop();
}

static void test_a_tls_client_that_leaves_is_noticed(void)
{
	const struct client_tls how = { 0 };
	struct client c;

	start_tls(&patient);
	CU_ASSERT(client_handshake(&c, &how));
	client_send(&c, GET_LATER);
	turn(10);
	SSL_shutdown(c.ssl);
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(t.closed, 1);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_big_answers_over_tls(void)
{
	const struct client_tls how = { 0 };
	struct client c;

	start_tls(&patient);
	CU_ASSERT(client_handshake(&c, &how));
	for (int i = 1; i <= 3; i++) {
		client_send(&c, GET_BIG);
		for (int64_t end = now_ms() + LATE_MS;
		     c.total < (size_t)i * BIG && now_ms() < end;) {
			turn(1);
			client_read(&c);
		}
		turn(5);
		client_read(&c);
	}
	CU_ASSERT_EQUAL(t.handled, 3);
	CU_ASSERT(c.total > 3 * BIG && !c.ended);
	client_close(&c);
	stop();
}

#define CROWD 400

/* Pages in memory. */
static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (file == NULL || fscanf(file, "%ld %ld", &size, &pages) != 2)
		abort();
	fclose(file);
	return pages;
}

static void crowd_comes(struct client *crowd)
{
	const struct client_tls how = { 0 };

	for (size_t i = 0; i < CROWD; i++) {
		CU_ASSERT(client_handshake(&crowd[i], &how));
		client_send(&crowd[i], "GET /now HTTP/1.1\r\n"); /* and no more of it */
	}
}

/* A sanitizer keeps what is freed. */
static bool has_gone(long before, long most)
{
#if HAS_ADDRESS_SANITIZER
	(void)before, (void)most;
	return http_server_connections(t.server) == 0;
#else
	return http_server_connections(t.server) == 0 && resident() - before < (most - before) / 4;
#endif
}

static void test_memory_goes_back_when_a_crowd_has_gone(void)
{
	struct client *crowd = calloc(CROWD, sizeof(*crowd));
	struct http_limits limits = patient;
	long before, most;

	CU_ASSERT_PTR_NOT_NULL_FATAL(crowd);
	memset(crowd, 1, CROWD * sizeof(*crowd)); /* is resident from now on */
	limits.connections = limits.connections_per_address = CROWD;
	start_tls(&limits);
	before = resident();
	crowd_comes(crowd);
	most = resident();
	for (size_t i = 0; i < CROWD; i++)
		client_close(&crowd[i]);
	for (int64_t end = now_ms() + LATE_MS; !has_gone(before, most) && now_ms() < end;)
		turn(50);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	CU_ASSERT(has_gone(before, most));
	stop();
	free(crowd);
}

static void test_keys_that_are_not_used(void)
{
	static const uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	struct error error = { 0 };

	CU_ASSERT_PTR_NULL(
		tls_server_context(tls_files.chain, tls_files.other_key, ticket_key, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "not of the certificate"));
	error = (struct error){ 0 };
	chmod(tls_files.key, 0604);
	CU_ASSERT_PTR_NULL(tls_server_context(tls_files.chain, tls_files.key, ticket_key, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "others may read it"));
	chmod(tls_files.key, 0600);
	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(tls_server_context(tls_files.chain, "/nonexistent", ticket_key, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(tls_server_context(tls_files.key, tls_files.key, ticket_key, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		TEST(test_requests_over_tls),
		TEST(test_what_tls_does_not_offer),
		TEST(test_x25519_comes_first),
		TEST(test_one_ticket_resumes),
		TEST(test_sni_and_host_must_agree),
		TEST(test_a_resumed_session_keeps_its_name),
		TEST(test_key_updates_without_end_are_cut_off),
		TEST(test_a_slow_handshake_is_cut_off),
		TEST(test_an_idle_tls_client_is_told_goodbye),
		TEST(test_pipelining_over_tls_is_never_run),
		TEST(test_a_tls_client_that_leaves_is_noticed),
		TEST(test_big_answers_over_tls),
		TEST(test_memory_goes_back_when_a_crowd_has_gone),
		TEST(test_keys_that_are_not_used),
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ .pName = "connection over TLS",
		  .pInitFunc = tls_files_make,
		  .pCleanupFunc = tls_files_remove,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
