/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"

/* ---- requests and answers ---- */

static void test_requests_follow_each_other_on_one_connection(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	for (int i = 1; i <= 3; i++) {
		client_forgets(&c);
		client_send(&c, GET_NOW);
		CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
		CU_ASSERT_EQUAL(t.handled, i);
	}
	CU_ASSERT_PTR_NULL(strstr(c.in, "Connection:"));
	CU_ASSERT_EQUAL(http_server_connections(t.server), 1);
	CU_ASSERT_EQUAL(logged("\"message\":\"request\""), 3);
	CU_ASSERT_EQUAL(logged("\"route\":\"now\",\"status\":200"), 3);
	CU_ASSERT_EQUAL(logged("\"peer\":\"127.0.0.1\",\"method\":\"GET\""), 3);
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_a_request_may_come_byte_by_byte(void)
{
	static const char raw[] = POST_3 "abc";
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	for (size_t i = 0; raw[i] != '\0'; i++) {
		client_send(&c, (const char[]){ raw[i], '\0' });
		turn(1);
	}
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	CU_ASSERT_STRING_EQUAL(t.seen, "abc");
	client_close(&c);
	stop();
}

static void test_a_handler_sees_the_request(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c,
		    "GET /item/a%20%62 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Request-Id: r-1.x_\r\n"
		    "Accept: text/html\r\naccept: application/json\r\n\r\n");
	CU_ASSERT(client_gets(&c, "\r\n\r\nr-1.x_"));
	CU_ASSERT(client_gets(&c, "X-Request-Id: r-1.x_\r\n"));
	CU_ASSERT_STRING_EQUAL(t.seen, "a b|none|text/html|1|127");
	CU_ASSERT_EQUAL(logged("\"request\":\"r-1.x_\""), 1);
	client_forgets(&c);
	client_send(&c, "GET /item/x HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a b\r\n\r\n");
	CU_ASSERT(client_gets(&c, "X-Request-Id: 0"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "a b"));
	client_close(&c);
	stop();
}

static void test_an_answer_has_its_standard_fields(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "HTTP/1.1 200 OK\r\nDate: "));
	CU_ASSERT(client_gets(&c, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"));
	CU_ASSERT(client_gets(&c, "Cache-Control: no-store\r\nPragma: no-cache\r\n"));
	CU_ASSERT(client_gets(&c, "X-Content-Type-Options: nosniff\r\n"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "Strict-Transport-Security"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "Server:"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "Access-Control"));
	client_forgets(&c);
	client_send(&c, "HEAD /now HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "Content-Length: 3\r\n"));
	CU_ASSERT_STRING_EQUAL(c.in + c.in_len - 4, "\r\n\r\n");
	client_forgets(&c);
	client_send(&c, "GET /edition HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "304 Not Modified\r\n"));
	CU_ASSERT(client_gets(&c, "Cache-Control: max-age=60\r\n\r\n"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "no-store"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "Content-Length"));
	client_close(&c);
	stop();
}

static void test_errors_become_problem_documents(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, "GET /problem/unauthorized HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 401 Unauthorized\r\n"));
	CU_ASSERT(client_gets(&c, "WWW-Authenticate: Basic realm=\"stipa\"\r\n"));
	CU_ASSERT(client_gets(&c, "Content-Type: application/problem+json\r\n"));
	CU_ASSERT(client_gets(&c, "\"detail\":\"who are you?\""));
	client_forgets(&c);
	client_send(&c, "GET /problem/limited HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 429 Too Many Requests\r\n"));
	CU_ASSERT(client_gets(&c, "Retry-After: 5\r\n"));
	CU_ASSERT(client_gets(&c, "\"code\":\"too-many\""));
	CU_ASSERT_EQUAL(logged("\"status\":429,\"code\":\"too-many\""), 1);
	client_forgets(&c);
	client_send(&c, "GET /problem/internal HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 500 Internal Server Error\r\n"));
	CU_ASSERT(client_gets(&c, "\"instance\":\"urn:stipa:request:"));
	CU_ASSERT_PTR_NULL(strstr(c.in, "house"));
	CU_ASSERT_EQUAL(logged("the inside of the house"), 1);
	client_forgets(&c);
	client_send(&c, "GET /problem/cancelled HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(c.in_len, 0);
	client_close(&c);
	stop();
}

static void test_an_error_may_have_another_form(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, "POST /plain/a%20b/c HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Length: 0\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 429 Too Many Requests\r\n"));
	CU_ASSERT(client_gets(&c, "Content-Type: text/plain\r\n"));
	CU_ASSERT(client_gets(&c, "Retry-After: 5\r\nX-One: 1\r\nX-Two: 2\r\n"));
	CU_ASSERT(client_gets(&c, "\r\n\r\nplainly 429: slow down"));
	CU_ASSERT_STRING_EQUAL(t.seen, "/plain/a b");
	client_close(&c);
	stop();
}

#define PLAIN "/plain/a/b HTTP/1.1\r\nHost: localhost\r\n"

static void test_the_servers_own_refusals_have_the_form_of_their_path(void)
{
	start(&patient, NULL);
	CU_ASSERT(refuses("GET " PLAIN "\r\n", "plainly 405: "));
	CU_ASSERT(refuses("POST /plain/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
			  "plainly 404: "));
	CU_ASSERT(refuses("POST " PLAIN "Content-Length: 11\r\n\r\n", "plainly 413: "));
	CU_ASSERT(refuses("POST " PLAIN "\r\n", "plainly 411: "));
	CU_ASSERT(refuses("POST " PLAIN "Content-Length: x\r\n\r\n", "plainly 400: "));
	CU_ASSERT(refuses("GET /plain/../x HTTP/1.1\r\n\r\n", "plainly 400: "));
	CU_ASSERT(refuses("nonsense\r\n", "application/problem+json"));
	CU_ASSERT(
		refuses("GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n", "application/problem+json"));
	CU_ASSERT_EQUAL(t.handled, 0);
	stop();
}

static void test_what_we_never_send_is_an_error_of_ours(void)
{
	static const char *const paths[] = { "redirect", "forged", "too-big" };
	struct client c;
	char raw[128];

	start(&patient, NULL);
	for (size_t i = 0; i < 3; i++) {
		client_connect(&c);
		snprintf(raw, sizeof(raw), "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
		client_send(&c, raw);
		CU_ASSERT(client_gets(&c, "HTTP/1.1 500 Internal Server Error\r\n"));
		CU_ASSERT(client_sees_end(&c) >= 0);
		client_close(&c);
	}
	CU_ASSERT_EQUAL(logged("\"message\":\"internal error\""), 3);
	stop();
}

static void test_the_server_refuses_and_closes(void)
{
	start(&patient, NULL);
	CU_ASSERT(refuses("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 505 "));
	CU_ASSERT(refuses("nonsense\r\n", "HTTP/1.1 400 Bad Request\r\n"));
	CU_ASSERT(refuses("GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 "));
	CU_ASSERT(refuses("PUT /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
			  "Allow: GET, HEAD, POST\r\n"));
	CU_ASSERT(refuses("GET /now HTTP/1.1\r\nHost: other\r\n\r\n", "HTTP/1.1 421 "));
	CU_ASSERT(refuses("POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n",
			  "HTTP/1.1 413 "));
	CU_ASSERT(refuses("POST /now HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 411 "));
	CU_ASSERT(refuses(
		"GET /now HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 501 "));
	CU_ASSERT_EQUAL(t.handled, 0);
	CU_ASSERT_EQUAL(logged("\"message\":\"request\""), 8);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_a_client_that_expects_is_told_to_continue(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, "POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
			"Expect: 100-continue\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
	CU_ASSERT_EQUAL(t.handled, 0);
	client_send(&c, "abc");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 200 OK\r\n"));
	CU_ASSERT_STRING_EQUAL(t.seen, "abc");
	client_close(&c);
	client_connect(&c); /* a body that one knows cannot be right is not asked for */
	client_send(&c, "POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
			"Expect: 100-continue\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 404 "));
	CU_ASSERT_PTR_NULL(strstr(c.in, "Continue"));
	client_close(&c);
	stop();
}

/* ---- no second request before the answer to the first ---- */

static void test_a_request_in_the_same_bytes_is_never_run(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_NOW GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.in, "Connection: close\r\n"));
	CU_ASSERT_EQUAL(t.handled, 1);
	client_close(&c);

	client_connect(&c); /* behind a body, where a smuggled request would stand */
	client_send(&c, POST_3 "abc" GET_NOW);
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_STRING_EQUAL(t.seen, "abc");
	CU_ASSERT_EQUAL(t.handled, 2);
	client_close(&c);
	stop();
}

static void test_a_request_while_one_is_pending_is_never_run(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	turn(10);
	client_send(&c, GET_NOW);
	turn(10);
	CU_ASSERT_EQUAL(t.closed, 0);
	answer(t.pending, "later", 5);
	t.pending = NULL;
	CU_ASSERT(client_gets(&c, "\r\n\r\nlater"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(t.handled, 1);
	CU_ASSERT_PTR_NULL(strstr(c.in, "now"));
	client_close(&c);
	stop();
}

/* ---- deadlines ---- */

static void test_a_slow_head_is_cut_off(void)
{
	struct http_limits limits = patient;

	limits.head_ms = SOON_MS;
	start(&limits, NULL);
	drip_until_the_end("GET /now HTTP/1.1\r\nX:", 'y', "HTTP/1.1 408 ");
	stop();
}

static void test_a_slow_body_is_cut_off(void)
{
	struct http_limits limits = patient;

	limits.body_ms = SOON_MS;
	start(&limits, NULL);
	drip_until_the_end("POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n",
			   'y', "HTTP/1.1 408 ");
	stop();
}

static void silent_client_is_closed(const struct http_limits *limits, const char *first)
{
	struct client c;
	int64_t begin = now_ms();

	start(limits, NULL);
	client_connect(&c);
	client_send(&c, first);
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT(now_ms() - begin >= SOON_MS && now_ms() - begin < LATE_MS);
	client_close(&c);
	stop();
}

static void test_a_client_that_says_nothing_is_closed(void)
{
	struct http_limits limits = patient;

	limits.head_ms = SOON_MS;
	silent_client_is_closed(&limits, "");
}

static void test_an_idle_client_is_closed(void)
{
	struct http_limits limits = patient;

	limits.idle_ms = SOON_MS;
	silent_client_is_closed(&limits, GET_NOW);
}

static void test_a_connection_has_its_life(void)
{
	struct http_limits limits = patient;

	limits.life_ms = SOON_MS;
	silent_client_is_closed(&limits, GET_NOW);
}

static void test_requests_per_connection_are_counted(void)
{
	struct http_limits limits = patient;
	struct client c;

	limits.requests_per_connection = 2;
	start(&limits, NULL);
	client_connect(&c);
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	client_forgets(&c);
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "Connection: close\r\n"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	client_close(&c);
	stop();
}

static void test_a_slow_handler_is_answered_for(void)
{
	struct http_limits limits = patient;
	struct client c;

	limits.handler_ms = SOON_MS;
	start(&limits, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	CU_ASSERT(client_gets(&c, "HTTP/1.1 503 Service Unavailable\r\n"));
	CU_ASSERT(client_gets(&c, "Retry-After: 1\r\n"));
	CU_ASSERT(client_sees_end(&c) >= 0);
	CU_ASSERT_EQUAL(t.closed, 1);
	client_close(&c);
	answer(t.pending, "too late", 8); /* does nothing */
	t.pending = NULL;
	turn(20);
	CU_ASSERT_EQUAL(logged("\"message\":\"request\""), 1);
	stop();
}

/* ---- clients that do harm ---- */

static void small_receive_buffer(struct client *c)
{
	int size = 4096;

	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	CU_ASSERT_FATAL(connect(c->fd, (struct sockaddr *)&t.address, sizeof(t.address)) == 0 ||
			errno == EINPROGRESS);
	turn(2);
}

/* Asks for big answers without end and reads none of them. */
static void test_a_client_that_never_reads_is_closed(void)
{
	struct http_limits limits = patient;
	struct client c;
	int64_t begin = now_ms();
	size_t most = 0;

	limits.response_ms = SOON_MS;
	start(&limits, NULL);
	small_receive_buffer(&c);
	/* what the kernel takes is not ours: make it little, so that the answer must wait */
	while (http_server_connections(t.server) == 1 && now_ms() < begin + LATE_MS) {
		(void)!send(c.fd, GET_BIG, sizeof(GET_BIG) - 1, MSG_NOSIGNAL);
		turn(10);
		if (mallinfo2().uordblks + mallinfo2().hblkhd > most)
			most = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	CU_ASSERT(now_ms() - begin < LATE_MS);
	CU_ASSERT(most < 8 << 20);
	CU_ASSERT(t.handled < 40);
	client_close(&c);
	stop();
}

static void test_a_slow_reader_gets_all(void)
{
	struct client c;

	start(&patient, NULL);
	small_receive_buffer(&c);
	client_send(&c, GET_BIG);
	turn(50);
	for (int64_t end = now_ms() + LATE_MS; c.total < BIG && now_ms() < end;) {
		client_read(&c);
		turn(1);
	}
	CU_ASSERT(c.total > BIG);
	client_forgets(&c);
	client_send(&c, GET_NOW);
	CU_ASSERT(client_gets(&c, "\r\n\r\nnow"));
	client_close(&c);
	stop();
}

static void client_leaves_while_pending(bool by_reset)
{
	const struct linger linger = { .l_onoff = 1 };
	struct client c;
	double cpu;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	turn(10);
	CU_ASSERT_EQUAL(t.handled, 1);
	CU_ASSERT_EQUAL(t.closed, 0);
	if (by_reset)
		setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(t.closed, 1);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	CU_ASSERT_EQUAL(logged("the client has gone"), 1);
	cpu = cpu_s();
	turn(200);
	CU_ASSERT(cpu_s() - cpu < 0.1); /* nothing spins */
	answer(t.pending, "nobody", 6);
	t.pending = NULL;
	CU_ASSERT_EQUAL(t.closed, 1);
	CU_ASSERT_EQUAL(logged("\"message\":\"request\""), 1);
	stop();
}

static void test_a_client_that_leaves_is_noticed(void)
{
	client_leaves_while_pending(false);
}

static void test_a_client_that_resets_is_noticed(void)
{
	client_leaves_while_pending(true);
}

/* Its second request lies unread in the socket when it leaves. */
static void test_a_client_that_pipelines_and_leaves_is_noticed(void)
{
	struct client c;
	double cpu;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	turn(10);
	client_send(&c, GET_NOW);
	turn(10);
	cpu = cpu_s();
	turn(200);
	CU_ASSERT(cpu_s() - cpu < 0.1); /* bytes that are not read do not spin either */
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(t.closed, 1);
	CU_ASSERT_EQUAL(t.handled, 1);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	stop();
}

static void test_too_many_of_one_address_are_closed(void)
{
	struct http_limits limits = patient;
	struct client c[4];

	limits.connections_per_address = 3;
	start(&limits, NULL);
	for (int i = 0; i < 4; i++)
		client_connect(&c[i]);
	CU_ASSERT(client_sees_end(&c[3]) >= 0);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 3);
	client_close(&c[0]);
	turn(20);
	client_close(&c[3]);
	client_connect(&c[3]);
	client_send(&c[3], GET_NOW);
	CU_ASSERT(client_gets(&c[3], "\r\n\r\nnow"));
	for (int i = 1; i < 4; i++)
		client_close(&c[i]);
	stop();
}

static void test_too_many_connections_are_closed(void)
{
	struct http_limits limits = patient;
	struct client c[4];

	limits.connections = 3;
	limits.connections_per_address = 0;
	start(&limits, NULL);
	for (int i = 0; i < 4; i++)
		client_connect(&c[i]);
	CU_ASSERT(client_sees_end(&c[3]) >= 0);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 3);
	client_send(&c[0], GET_NOW);
	CU_ASSERT(client_gets(&c[0], "\r\n\r\nnow"));
	for (int i = 0; i < 4; i++)
		client_close(&c[i]);
	stop();
}

static rlim_t limit_descriptors(rlim_t n)
{
	struct rlimit files;
	rlim_t before;

	getrlimit(RLIMIT_NOFILE, &files);
	before = files.rlim_cur;
	files.rlim_cur = n;
	setrlimit(RLIMIT_NOFILE, &files);
	return before;
}

static rlim_t lowest_free_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return (rlim_t)fd;
}

/* Three clients come while no descriptor is to be had; @reserve: but for the server's own. */
static void three_clients_without_descriptors(bool reserve)
{
	struct client c[3] = { 0 };
	rlim_t before;
	double cpu;

	start(&patient, NULL);
	for (int i = 0; i < 3; i++) {
		c[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(c[i].fd, (struct sockaddr *)&t.address, sizeof(t.address));
	}
	before = limit_descriptors(reserve ? lowest_free_descriptor() : 3);
	cpu = cpu_s();
	turn(450);
	CU_ASSERT(cpu_s() - cpu < 0.2);
	CU_ASSERT(logged("accepting pauses") >= 1 && logged("accepting pauses") <= 6);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	limit_descriptors(before);
	for (int i = 0; i < 3; i++) {
		client_read(&c[i]);
		CU_ASSERT_EQUAL(c[i].ended, reserve); /* told, or still waiting */
	}
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	turn(200);
	client_connect(&c[0]);
	client_send(&c[0], GET_NOW);
	CU_ASSERT(client_gets(&c[0], "\r\n\r\nnow"));
	client_close(&c[0]);
	stop();
}

static void test_the_reserve_tells_clients_that_there_is_no_room(void)
{
	three_clients_without_descriptors(true);
}

/* Then the listener stays readable, and one must not ask it again and again. */
static void test_without_any_descriptor_accepting_pauses(void)
{
	three_clients_without_descriptors(false);
}

/* ---- the end ---- */

static void on_drained(void *arg, const struct error *error)
{
	(void)arg;
	CU_ASSERT_EQUAL(error->kind, ERROR_NONE);
	t.drained++;
}

static void test_a_drain_ends_quiet_clients_and_answers_the_others(void)
{
	struct client idle, busy, waiting;

	start(&patient, NULL);
	client_connect(&idle);
	client_connect(&busy);
	client_connect(&waiting);
	client_send(&waiting, GET_LATER);
	client_send(&idle, GET_NOW);
	CU_ASSERT(client_gets(&idle, "\r\n\r\nnow"));
	turn(1100);
	client_send(&busy, GET_NOW);
	CU_ASSERT(client_gets(&busy, "\r\n\r\nnow"));
	client_forgets(&busy);
	http_server_drain(t.server, 10000, on_drained, NULL);
	CU_ASSERT_EQUAL(t.drained, 0);
	CU_ASSERT(client_sees_end(&idle) < 500);
	client_send(&busy, GET_NOW); /* it could not know */
	CU_ASSERT(client_gets(&busy, "Connection: close\r\n"));
	CU_ASSERT(client_sees_end(&busy) < 500);
	CU_ASSERT_EQUAL(t.drained, 0);
	answer(t.pending, "later", 5);
	t.pending = NULL;
	CU_ASSERT(client_gets(&waiting, "Connection: close\r\n"));
	CU_ASSERT(client_gets(&waiting, "\r\n\r\nlater"));
	CU_ASSERT(client_sees_end(&waiting) < 500);
	client_close(&idle);
	client_close(&busy);
	client_close(&waiting);
	turn(50);
	CU_ASSERT_EQUAL(t.drained, 1);
	stop();
}

static void test_a_drain_has_its_deadline(void)
{
	struct client c;
	int64_t begin;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	turn(10);
	begin = now_ms();
	http_server_drain(t.server, SOON_MS, on_drained, NULL);
	while (t.drained == 0 && now_ms() < begin + LATE_MS)
		turn(5);
	CU_ASSERT_EQUAL(t.drained, 1);
	CU_ASSERT(now_ms() - begin >= SOON_MS - 10);
	CU_ASSERT_EQUAL(t.closed, 1);
	client_close(&c);
	stop();
}

static void test_an_empty_server_is_drained_at_once(void)
{
	start(&patient, NULL);
	http_server_drain(t.server, 10000, on_drained, NULL);
	CU_ASSERT_EQUAL(t.drained, 0); /* never before it returns */
	turn(10);
	CU_ASSERT_EQUAL(t.drained, 1);
	stop();
}

static void test_a_pending_request_outlives_its_server(void)
{
	struct client c;

	start(&patient, NULL);
	client_connect(&c);
	client_send(&c, GET_LATER);
	turn(10);
	stop(); /* replies after the server was freed */
	CU_ASSERT_EQUAL(t.closed, 1);
	client_close(&c);
}

static void test_the_local_socket_has_no_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct error error = { 0 };
	struct client c = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	start(&patient, NULL);
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/stipa-test-%d.sock",
		 (int)getpid());
	unlink(address.sun_path);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CU_ASSERT_FATAL(listen(fd, 10) == 0 && http_server_listen(t.server, fd, &error));
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(connect(c.fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	client_send(&c, "GET /item/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT(client_gets(&c, "HTTP/1.1 200 OK\r\n"));
	CU_ASSERT_STRING_EQUAL(t.seen, "x|none||0|0");
	CU_ASSERT_EQUAL(logged("\"peer\":\"local\""), 1);
	client_close(&c);
	stop();
	close(fd);
	unlink(address.sun_path);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		TEST(test_requests_follow_each_other_on_one_connection),
		TEST(test_a_request_may_come_byte_by_byte),
		TEST(test_a_handler_sees_the_request),
		TEST(test_an_answer_has_its_standard_fields),
		TEST(test_errors_become_problem_documents),
		TEST(test_an_error_may_have_another_form),
		TEST(test_the_servers_own_refusals_have_the_form_of_their_path),
		TEST(test_what_we_never_send_is_an_error_of_ours),
		TEST(test_the_server_refuses_and_closes),
		TEST(test_a_client_that_expects_is_told_to_continue),
		TEST(test_a_request_in_the_same_bytes_is_never_run),
		TEST(test_a_request_while_one_is_pending_is_never_run),
		TEST(test_a_slow_head_is_cut_off),
		TEST(test_a_slow_body_is_cut_off),
		TEST(test_a_client_that_says_nothing_is_closed),
		TEST(test_an_idle_client_is_closed),
		TEST(test_a_connection_has_its_life),
		TEST(test_requests_per_connection_are_counted),
		TEST(test_a_slow_handler_is_answered_for),
		TEST(test_a_client_that_never_reads_is_closed),
		TEST(test_a_slow_reader_gets_all),
		TEST(test_a_client_that_leaves_is_noticed),
		TEST(test_a_client_that_resets_is_noticed),
		TEST(test_a_client_that_pipelines_and_leaves_is_noticed),
		TEST(test_too_many_of_one_address_are_closed),
		TEST(test_too_many_connections_are_closed),
		TEST(test_the_reserve_tells_clients_that_there_is_no_room),
		TEST(test_without_any_descriptor_accepting_pauses),
		TEST(test_a_drain_ends_quiet_clients_and_answers_the_others),
		TEST(test_a_drain_has_its_deadline),
		TEST(test_an_empty_server_is_drained_at_once),
		TEST(test_a_pending_request_outlives_its_server),
		TEST(test_the_local_socket_has_no_address),
		CU_TEST_INFO_NULL,
	};

	return run_suite("connection", tests);
}
