/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of which a proxy says first whose they are. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness_tls.h"

#define PROXIES	  "127.0.0.1/32"
#define ELSEWHERE "192.0.2.0/24"

/* Not a text: most hold a NUL. */
struct bytes {
	const char *at;
	size_t len;
};

#define BYTES(text)	 ((struct bytes){ text, sizeof(text) - 1 })
#define BEGINNING(cmd)	 "\r\n\r\n\0\r\nQUIT\n" cmd
#define TO		 "\300\000\002\001\060\071\001\273"
#define FROM(a, b, c, d) BYTES(BEGINNING("\041") "\021\000\014" a b c d TO)
#define CLIENT		 FROM("\313", "\0", "\161", "\007") /* 203.0.113.7 */
#define OTHER		 FROM("\313", "\0", "\161", "\010")
#define LOCAL		 BYTES(BEGINNING("\040") "\000\000\000")
#define CLIENT6                                                                                    \
	BYTES(BEGINNING("\041") "\041\000\044"                                                     \
				"\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\007"                       \
				"\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001"                       \
				"\060\071\001\273")
#define WITH_TLVS                                                                                  \
	BYTES(BEGINNING("\041") "\021\000\021"                                                     \
				"\313\0\161\007" TO "\001\000\002h2")

#define PEER(address) "\"peer\":\"" address "\""
#define FAILED	      "\"message\":\"a proxy's header failed"

static void send_bytes(struct client *c, struct bytes bytes)
{
	CU_ASSERT_EQUAL(send(c->fd, bytes.at, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
}

static void connect_with(struct client *c, struct bytes header)
{
	client_connect(c);
	send_bytes(c, header);
}

static void test_the_address_is_the_one_that_the_proxy_says(void)
{
	const struct {
		struct bytes header;
		const char *peer;
	} rows[] = {
		{ CLIENT, PEER("203.0.113.7") },
		{ CLIENT6, PEER("2001:db8::7") },
		{ WITH_TLVS, PEER("203.0.113.7") },
		{ LOCAL, PEER("127.0.0.1") },
	};
	struct client c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_behind(&patient, NULL, PROXIES);
		connect_with(&c, rows[i].header);
		client_send(&c, "GET /item/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
		CU_ASSERT(client_gets(&c, "HTTP/1.1 200 OK\r\n"));
		client_forgets(&c);
		client_send(&c, GET_NOW); /* of the same client */
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		CU_ASSERT_EQUAL(logged(rows[i].peer), 2);
		CU_ASSERT_EQUAL(logged(FAILED), 0);
		client_close(&c);
		turn(20);
		CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
		stop();
	}
}

static void test_a_handler_sees_the_clients_address(void)
{
	struct client c;

	start_behind(&patient, NULL, PROXIES);
	connect_with(&c, CLIENT);
	client_send(&c, "GET /item/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 200 OK\r\n"));
	CU_ASSERT_STRING_EQUAL(t.seen, "x|none||0|203");
	client_close(&c);
	stop();
}

static void test_a_header_may_come_byte_by_byte(void)
{
	struct bytes header = WITH_TLVS;
	struct client c;

	start_behind(&patient, NULL, PROXIES);
	client_connect(&c);
	for (size_t i = 0; i < header.len; i++) {
		send_bytes(&c, (struct bytes){ header.at + i, 1 });
		turn(1);
	}
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	CU_ASSERT_EQUAL(logged(PEER("203.0.113.7")), 1);
	client_close(&c);
	stop();
}

/* Not one byte of TLS is taken for a byte of the header, nor the other way round. */
static void test_tls_follows_the_header(void)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct bytes headers[] = { CLIENT, CLIENT6, WITH_TLVS, LOCAL };
	struct client c;

	start_tls_behind(&patient, PROXIES);
	for (size_t i = 0; i < 8; i++) {
		const struct client_tls how = { .version = versions[i % 2],
						.server_name = "localhost" };

		connect_with(&c, headers[i / 2]);
		if (i / 2 % 2 == 0)
			turn(5); /* else both are there when the server looks */
		CU_ASSERT(client_secure(&c, &how));
		CU_ASSERT_EQUAL(SSL_version(c.ssl), versions[i % 2]);
		client_send(&c, GET_NOW);
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		client_close(&c);
	}
	CU_ASSERT_EQUAL(t.handled, 8);
	CU_ASSERT_EQUAL(logged(PEER("203.0.113.7")), 4);
	CU_ASSERT_EQUAL(logged(PEER("2001:db8::7")), 2);
	CU_ASSERT_EQUAL(logged(PEER("127.0.0.1")), 2);
	stop();
}

static void test_a_proxy_must_send_it(void)
{
	const struct client_tls how = { 0 };
	struct client c;

	start_tls_behind(&patient, PROXIES);
	CU_ASSERT_FALSE(client_handshake(&c, &how));
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	CU_ASSERT_EQUAL(logged(FAILED), 1);
	CU_ASSERT_EQUAL(logged(PEER("127.0.0.1") ",\"why\":\"not a PROXY protocol header"), 1);
	stop();
}

static void test_nobody_else_may_send_it(void)
{
	const struct client_tls how = { 0 };
	const char *const proxies[] = { NULL, ELSEWHERE };
	struct client c;

	for (size_t i = 0; i < 2; i++) {
		start_tls_behind(&patient, proxies[i]);
		connect_with(&c, CLIENT);
		CU_ASSERT_FALSE(client_secure(&c, &how));
		client_close(&c);
		connect_with(&c, LOCAL);
		CU_ASSERT(client_sees_end(&c) >= 0);
		client_close(&c);
		CU_ASSERT(client_handshake(&c, &how)); /* and needs none */
		client_send(&c, GET_NOW);
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		client_close(&c);
		CU_ASSERT_EQUAL(t.handled, 1);
		CU_ASSERT_EQUAL(logged("203.0.113.7"), 0);
		stop();
	}
}

static void test_one_header_is_enough(void)
{
	const struct client_tls how = { 0 };
	struct client c;

	start_tls_behind(&patient, PROXIES);
	connect_with(&c, CLIENT);
	send_bytes(&c, OTHER); /* a client behind the proxy would be somebody else */
	CU_ASSERT_FALSE(client_secure(&c, &how));
	client_close(&c);
	CU_ASSERT_EQUAL(t.handled, 0);
	stop();
}

static void test_bad_headers_end_the_connection(void)
{
	static const struct bytes bad[] = {
		BYTES("PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n"),
		BYTES(GET_NOW),
		BYTES(BEGINNING("\041") "\000\000\000"),
		BYTES(BEGINNING("\041") "\021\002\011"),
		BYTES(BEGINNING("\041") "\021\000\014\0\0\0\0" TO),
	};
	struct client c;

	start_behind(&patient, NULL, PROXIES);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		connect_with(&c, bad[i]);
		CU_ASSERT(client_sees_end(&c) >= 0);
		CU_ASSERT_EQUAL(c.total, 0);
		client_close(&c);
		CU_ASSERT_EQUAL(logged(FAILED), (int)i + 1);
	}
	CU_ASSERT_EQUAL(t.handled, 0);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_a_header_that_is_cut_ends_the_connection(void)
{
	struct bytes header = CLIENT;
	struct client c;

	start_behind(&patient, NULL, PROXIES);
	for (header.len = 0; header.len < 28; header.len += 9) {
		connect_with(&c, header);
		shutdown(c.fd, SHUT_WR);
		CU_ASSERT(client_sees_end(&c) >= 0);
		client_close(&c);
	}
	CU_ASSERT_EQUAL(logged(FAILED), 3); /* not the one of no byte, a check of the port */
	CU_ASSERT_EQUAL(logged("\"why\":\"it ends early\""), 3);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_a_slow_header_is_cut_off(void)
{
	struct http_limits limits = patient;
	struct client c;
	int64_t begin = now_ms();

	limits.handshake_ms = SOON_MS;
	start_behind(&limits, NULL, PROXIES);
	connect_with(&c, BYTES(BEGINNING("\041") "\021\002\010"
						 "\313\0\161\007" TO));
	while (!c.ended && now_ms() < begin + LATE_MS) {
		turn(20);
		client_read(&c);
		if (!c.ended)
			(void)!send(c.fd, "x", 1, MSG_NOSIGNAL);
	}
	CU_ASSERT(c.ended);
	CU_ASSERT(now_ms() - begin >= SOON_MS && now_ms() - begin < LATE_MS);
	CU_ASSERT_EQUAL(logged("\"why\":\"it came too slowly\""), 1);
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_header_and_handshake_have_one_deadline(void)
{
	struct http_limits limits = patient;
	struct client c;
	int64_t begin = now_ms(), rest;

	limits.handshake_ms = 2 * SOON_MS;
	start_tls_behind(&limits, PROXIES);
	client_connect(&c);
	turn(SOON_MS);
	send_bytes(&c, CLIENT);
	turn(5);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 1);
	rest = client_sees_end(&c);
	CU_ASSERT(rest >= 0 && rest < 3 * SOON_MS / 2);
	CU_ASSERT(now_ms() - begin >= 2 * SOON_MS);
	CU_ASSERT_EQUAL(logged(FAILED), 0);
	client_close(&c);
	stop();
}

static bool is_served(struct client *c)
{
	client_send(c, GET_NOW);
	for (int i = 0; i < 500 && !c->ended; i++) {
		turn(2);
		client_read(c);
		if (strstr(c->in, "\r\n\r\nnow") != NULL)
			return true;
	}
	return false;
}

static void test_clients_are_counted_and_not_the_proxy(void)
{
	struct http_limits limits = patient;
	struct client c[6];

	limits.connections_per_address = 2;
	start_behind(&limits, NULL, PROXIES);
	for (int i = 0; i < 6; i++)
		client_connect(&c[i]); /* nobody's yet */
	CU_ASSERT_EQUAL(http_server_connections(t.server), 6);
	send_bytes(&c[0], CLIENT);
	send_bytes(&c[1], CLIENT);
	CU_ASSERT(is_served(&c[0]) && is_served(&c[1]));
	send_bytes(&c[2], CLIENT);
	CU_ASSERT(client_sees_end(&c[2]) >= 0);
	send_bytes(&c[3], OTHER);
	send_bytes(&c[4], LOCAL); /* the proxy's own */
	CU_ASSERT(is_served(&c[3]) && is_served(&c[4]));
	client_close(&c[0]);
	turn(20);
	send_bytes(&c[5], CLIENT); /* has its place */
	CU_ASSERT(is_served(&c[5]));
	for (int i = 1; i < 6; i++)
		client_close(&c[i]);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

/* Nothing is given back that was not taken: else a client could have more than its share. */
static void test_who_never_sent_a_header_was_never_counted(void)
{
	struct http_limits limits = patient;
	struct client c, proxy;

	limits.connections_per_address = 1;
	start_behind(&limits, NULL, PROXIES);
	connect_with(&proxy, LOCAL);
	CU_ASSERT(is_served(&proxy)); /* is all that 127.0.0.1 may have */
	for (int i = 0; i < 3; i++) {
		client_connect(&c);
		client_close(&c);
		turn(5);
		connect_with(&c, BYTES("x"));
		CU_ASSERT(client_sees_end(&c) >= 0);
		client_close(&c);
	}
	connect_with(&c, LOCAL);
	CU_ASSERT(client_sees_end(&c) >= 0);
	client_close(&c);
	client_close(&proxy);
	stop();
}

static void test_the_number_of_connections_holds_for_a_proxy(void)
{
	struct http_limits limits = patient;
	struct client c[3];

	limits.connections = 2;
	start_behind(&limits, NULL, PROXIES);
	for (int i = 0; i < 3; i++)
		client_connect(&c[i]);
	CU_ASSERT(client_sees_end(&c[2]) >= 0);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 2);
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	stop();
}

static void test_the_local_socket_is_never_a_proxy(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct error error = { 0 };
	struct client c = { 0 };

	start_behind(&patient, NULL, "::/0");
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/stipa-proxied-%d.sock",
		 (int)getpid());
	unlink(address.sun_path);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CU_ASSERT_FATAL(listen(fd, 10) == 0 && http_server_listen(t.server, fd, &error));
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(connect(c.fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CU_ASSERT(is_served(&c));
	CU_ASSERT_EQUAL(logged(PEER("local")), 1);
	client_close(&c);
	stop();
	close(fd);
	unlink(address.sun_path);
}

static void test_a_drain_does_not_wait_for_a_header_beyond_its_deadline(void)
{
	struct http_limits limits = patient;
	struct client c;

	limits.handshake_ms = SOON_MS;
	start_behind(&limits, NULL, PROXIES);
	client_connect(&c);
	http_server_drain(t.server, 5000, NULL, NULL);
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	client_close(&c);
	stop();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		TEST(test_the_address_is_the_one_that_the_proxy_says),
		TEST(test_a_handler_sees_the_clients_address),
		TEST(test_a_header_may_come_byte_by_byte),
		TEST(test_tls_follows_the_header),
		TEST(test_a_proxy_must_send_it),
		TEST(test_nobody_else_may_send_it),
		TEST(test_one_header_is_enough),
		TEST(test_bad_headers_end_the_connection),
		TEST(test_a_header_that_is_cut_ends_the_connection),
		TEST(test_a_slow_header_is_cut_off),
		TEST(test_header_and_handshake_have_one_deadline),
		TEST(test_clients_are_counted_and_not_the_proxy),
		TEST(test_who_never_sent_a_header_was_never_counted),
		TEST(test_the_number_of_connections_holds_for_a_proxy),
		TEST(test_the_local_socket_is_never_a_proxy),
		TEST(test_a_drain_does_not_wait_for_a_header_beyond_its_deadline),
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ .pName = "connection behind a proxy",
		  .pInitFunc = tls_files_make,
		  .pCleanupFunc = tls_files_remove,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
