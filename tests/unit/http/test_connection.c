/* SPDX-License-Identifier: Apache-2.0 */
/* A server and its clients in one thread, over real sockets on loopback.  The clients never block:
 * what waits, waits by turning the server's loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/request.h"
#include "http/server.h"
#include "http/tls.h"

#define GET_NOW	  "GET /now HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_BIG	  "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST_3	  "POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
#define BIG	  250000
#define SOON_MS	  200 /* the deadline that a test waits for */
#define NEVER_MS  60000

/* ---- the server under test ---- */

static struct {
	struct event_base *base;
	struct http_server *server;
	int listen_fd;
	struct sockaddr_in address;
	struct http_request *pending; /* what /later was asked */
	int handled, closed, drained;
	char seen[256]; /* what the handler saw of the last request */
	FILE *log;
} t;

static void answer(struct http_request *http, const char *text, size_t len)
{
	const struct http_reply reply = {
		.status = 200, .media_type = "text/plain", .body = text, .len = len
	};

	http_reply(http, &reply);
}

static void handle_now(struct http_request *http, void *arg)
{
	size_t len;
	const char *body = http_body(http, &len);

	(void)arg;
	t.handled++;
	snprintf(t.seen, sizeof(t.seen), "%.*s", (int)len, body);
	answer(http, "now", 3);
}

static void handle_item(struct http_request *http, void *arg)
{
	const char *accept = http_header(http, "aCCept");

	(void)arg;
	t.handled++;
	snprintf(t.seen, sizeof(t.seen), "%s|%s|%s|%d|%d", http_path_param(http, "id"),
		 http_path_param(http, "no") == NULL ? "none" : "some",
		 accept != NULL ? accept : "", http_accepts(http, "application/json"),
		 http_peer(http)[12]);
	answer(http, http_request_id(http), strlen(http_request_id(http)));
}

static void on_pending_close(void *arg)
{
	(void)arg;
	t.closed++;
}

static void handle_later(struct http_request *http, void *arg)
{
	(void)arg;
	t.handled++;
	t.pending = http;
	http_on_close(http, on_pending_close, NULL);
}

static void handle_big(struct http_request *http, void *arg)
{
	static const char text[BIG];

	(void)arg;
	t.handled++;
	answer(http, text, sizeof(text));
}

static void handle_too_big(struct http_request *http, void *arg)
{
	static const char text[300000];

	(void)arg;
	answer(http, text, sizeof(text));
}

static void handle_problem(struct http_request *http, void *arg)
{
	const char *kind = http_path_param(http, "kind");
	struct error error = { 0 };

	(void)arg;
	if (strcmp(kind, "internal") == 0)
		error_set(&error, ERROR_INTERNAL, "the inside of the house");
	else if (strcmp(kind, "limited") == 0)
		error_set_code(&error, ERROR_LIMITED, "too-many", "slow down");
	else if (strcmp(kind, "cancelled") == 0)
		error_set(&error, ERROR_CANCELLED, "nobody waits");
	else
		error_set(&error, ERROR_UNAUTHORIZED, "who are you?");
	http_reply_problem(http, &error, "Basic realm=\"stipa\"");
}

static void handle_redirect(struct http_request *http, void *arg)
{
	(void)arg;
	http_reply(http, &(struct http_reply){ .status = 302 });
}

static void handle_forged(struct http_request *http, void *arg)
{
	const struct http_field fields[] = { { "X", "a\r\nSet-Cookie: b" }, { NULL, NULL } };

	(void)arg;
	http_reply(http, &(struct http_reply){ .status = 200, .fields = fields });
}

static void handle_edition(struct http_request *http, void *arg)
{
	const struct http_field fields[] = { { "ETag", "\"1\"" },
					     { "Cache-Control", "max-age=60" },
					     { NULL, NULL } };
	const struct http_reply reply = { .status = 304, .fields = fields, .store = true };

	(void)arg;
	http_reply(http, &reply);
}

static const struct http_route routes[] = {
	{ "GET", "/now", 0, handle_now, "now" },
	{ "POST", "/now", 1000, handle_now, "post" },
	{ "GET", "/item/{id}", 0, handle_item, "item" },
	{ "GET", "/later", 0, handle_later, "later" },
	{ "GET", "/big", 0, handle_big, "big" },
	{ "GET", "/too-big", 0, handle_too_big, "too-big" },
	{ "GET", "/problem/{kind}", 0, handle_problem, "problem" },
	{ "GET", "/redirect", 0, handle_redirect, "redirect" },
	{ "GET", "/forged", 0, handle_forged, "forged" },
	{ "GET", "/edition", 0, handle_edition, "edition" },
	{ 0 },
};

static const char *const hosts[] = { "localhost", "127.0.0.1", NULL };

/* Deadlines that no test reaches; each test shortens the one that it is about. */
static const struct http_limits patient = {
	.connections = 100,
	.connections_per_address = 50,
	.requests_per_connection = 1000,
	.output = 256 * 1024,
	.handshake_ms = NEVER_MS,
	.head_ms = NEVER_MS,
	.body_ms = NEVER_MS,
	.handler_ms = NEVER_MS,
	.response_ms = NEVER_MS,
	.idle_ms = NEVER_MS,
	.life_ms = NEVER_MS,
};

static int listen_on_loopback(void)
{
	socklen_t len = sizeof(t.address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	t.address.sin_family = AF_INET;
	t.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&t.address, len) == 0);
	CU_ASSERT_FATAL(listen(fd, 128) == 0);
	CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&t.address, &len) == 0);
	return fd;
}

static void start(const struct http_limits *limits, SSL_CTX *tls)
{
	static struct log log;
	struct http_server_options options = { .tls = tls, .hosts = hosts, .routes = routes };
	struct error error = { 0 };

	memset(&t, 0, sizeof(t));
	t.base = event_base_new();
	t.log = tmpfile();
	log = (struct log){ .fd = fileno(t.log), .process = "test" };
	options.base = t.base;
	options.log = &log;
	options.limits = *limits;
	t.listen_fd = listen_on_loopback();
	t.server = http_server_new(&options, &error);
	CU_ASSERT_FATAL(t.server != NULL && http_server_listen(t.server, t.listen_fd, &error));
}

static void stop(void)
{
	http_server_free(t.server);
	if (t.pending != NULL) /* outlives its server */
		answer(t.pending, "late", 4);
	event_base_free(t.base);
	close(t.listen_fd);
	fclose(t.log);
}

/* How often @text stands in the log. */
static int logged(const char *text)
{
	static char log[65536];
	size_t n;
	int times = 0;

	rewind(t.log);
	n = fread(log, 1, sizeof(log) - 1, t.log);
	log[n] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		times++;
	return times;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double cpu_s(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Turn the server's loop for a while. */
static void turn(int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_base_loopexit(t.base, &tv);
	event_base_dispatch(t.base);
}

/* ---- clients ---- */

struct client {
	int fd;
	SSL *ssl;
	char in[8192]; /* the beginning of what has come, with a NUL */
	size_t in_len, total;
	bool ended;
	bool clean; /* TLS: the server said goodbye */
};

static void client_connect(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(connect(c->fd, (struct sockaddr *)&t.address, sizeof(t.address)) == 0 ||
			errno == EINPROGRESS);
	turn(2);
}

static void client_close(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
}

static void client_keep(struct client *c, const char *bytes, size_t n)
{
	c->total += n;
	if (c->in_len + n < sizeof(c->in)) {
		memcpy(c->in + c->in_len, bytes, n);
		c->in_len += n;
		c->in[c->in_len] = '\0';
	}
}

static void client_read(struct client *c)
{
	char bytes[4096];
	ssize_t n;

	while ((n = c->ssl != NULL ? SSL_read(c->ssl, bytes, sizeof(bytes))
				   : recv(c->fd, bytes, sizeof(bytes), 0)) > 0)
		client_keep(c, bytes, (size_t)n);
	if (c->ssl != NULL) {
		c->ended = SSL_get_error(c->ssl, (int)n) != SSL_ERROR_WANT_READ;
		c->clean = SSL_get_error(c->ssl, (int)n) == SSL_ERROR_ZERO_RETURN;
	} else {
		c->ended = n == 0 || errno != EAGAIN;
	}
}

static void client_send(struct client *c, const char *text)
{
	int len = (int)strlen(text);
	int n = c->ssl != NULL ? SSL_write(c->ssl, text, len)
			       : (int)send(c->fd, text, (size_t)len, MSG_NOSIGNAL);

	CU_ASSERT_EQUAL(n, len);
}

/* Until @text has come; false when the connection ends or 5 s pass first. */
static bool client_gets(struct client *c, const char *text)
{
	for (int64_t end = now_ms() + 5000; now_ms() < end;) {
		turn(2);
		client_read(c);
		if (strstr(c->in, text) != NULL)
			return true;
		if (c->ended)
			break;
	}
	printf("\n    wanted: %s\n    got: %s", text, c->in);
	return false;
}

/* Milliseconds until the server has closed; -1 when it has not within 5 s. */
static int64_t client_sees_end(struct client *c)
{
	int64_t begin = now_ms();

	while (now_ms() < begin + 5000) {
		turn(2);
		client_read(c);
		if (c->ended)
			return now_ms() - begin;
	}
	return -1;
}

static void client_forgets(struct client *c)
{
	c->in_len = 0;
	c->in[0] = '\0';
}

/* What the server says to @raw on a connection of its own, until it closes. */
static bool refuses(const char *raw, const char *with)
{
	struct client c;
	bool ok;

	client_connect(&c);
	client_send(&c, raw);
	ok = client_gets(&c, with) && client_gets(&c, "Connection: close\r\n") &&
	     client_sees_end(&c) >= 0;
	client_close(&c);
	return ok;
}

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

/* Sends @bytes one by one, 20 ms apart, and expects the end within the deadline and some. */
static void drip_until_the_end(const char *first, char byte, const char *answered)
{
	struct client c;
	int64_t begin;

	client_connect(&c);
	begin = now_ms();
	client_send(&c, first);
	while (!c.ended && now_ms() < begin + 3000) {
		turn(20);
		client_read(&c);
		if (!c.ended)
			(void)!send(c.fd, &byte, 1, MSG_NOSIGNAL);
	}
	CU_ASSERT(c.ended);
	CU_ASSERT(now_ms() - begin >= SOON_MS && now_ms() - begin < SOON_MS + 1000);
	if (answered != NULL)
		CU_ASSERT_PTR_NOT_NULL(strstr(c.in, answered));
	CU_ASSERT_EQUAL(t.handled, 0);
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
}

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
	int64_t took;

	start(limits, NULL);
	client_connect(&c);
	client_send(&c, first);
	took = client_sees_end(&c);
	CU_ASSERT(took >= SOON_MS - 10 && took < SOON_MS + 1000);
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
	while (http_server_connections(t.server) == 1 && now_ms() < begin + 5000) {
		(void)!send(c.fd, GET_BIG, sizeof(GET_BIG) - 1, MSG_NOSIGNAL);
		turn(10);
		if (mallinfo2().uordblks + mallinfo2().hblkhd > most)
			most = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	CU_ASSERT(now_ms() - begin < 4000);
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
	for (int64_t end = now_ms() + 5000; c.total < BIG && now_ms() < end;) {
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

/* Without descriptors a listener stays readable for ever. */
static void test_without_descriptors_accepting_pauses(void)
{
	struct rlimit before, none;
	struct client c[3];
	double cpu;
	int next;

	start(&patient, NULL);
	for (int i = 0; i < 3; i++)
		client_connect(&c[i]);
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	turn(20);
	getrlimit(RLIMIT_NOFILE, &before);
	for (int i = 0; i < 3; i++) {
		memset(&c[i], 0, sizeof(c[i]));
		c[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(c[i].fd, (struct sockaddr *)&t.address, sizeof(t.address));
	}
	none = before;
	next = dup(c[0].fd); /* the lowest free one */
	close(next);
	none.rlim_cur = (rlim_t)next;
	setrlimit(RLIMIT_NOFILE, &none);
	cpu = cpu_s();
	turn(450);
	CU_ASSERT(cpu_s() - cpu < 0.2);
	CU_ASSERT(logged("accepting pauses") >= 1 && logged("accepting pauses") <= 6);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
	setrlimit(RLIMIT_NOFILE, &before);
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	turn(200);
	client_connect(&c[0]);
	client_send(&c[0], GET_NOW);
	CU_ASSERT(client_gets(&c[0], "\r\n\r\nnow"));
	client_close(&c[0]);
	stop();
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
	while (t.drained == 0 && now_ms() < begin + 3000)
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

/* ---- TLS ---- */

static struct {
	char folder[32], chain[64], key[64], other_key[64];
} files;

static EVP_PKEY *write_key(const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file = fopen(path, "w");

	if (key == NULL || file == NULL)
		abort();
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(path, 0600);
	return key;
}

static void write_certificate(const char *path, EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	FILE *file = fopen(path, "w");

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	if (X509_sign(x509, key, EVP_sha256()) <= 0 || file == NULL)
		abort();
	PEM_write_X509(file, x509);
	fclose(file);
	X509_free(x509);
}

static int make_files(void)
{
	EVP_PKEY *key;

	strcpy(files.folder, "/tmp/stipa-test-XXXXXX");
	if (mkdtemp(files.folder) == NULL)
		return 1;
	snprintf(files.chain, sizeof(files.chain), "%s/chain.pem", files.folder);
	snprintf(files.key, sizeof(files.key), "%s/key.pem", files.folder);
	snprintf(files.other_key, sizeof(files.other_key), "%s/other.pem", files.folder);
	EVP_PKEY_free(write_key(files.other_key));
	key = write_key(files.key);
	write_certificate(files.chain, key);
	EVP_PKEY_free(key);
	return 0;
}

static int remove_files(void)
{
	unlink(files.chain);
	unlink(files.key);
	unlink(files.other_key);
	return rmdir(files.folder);
}

static void start_tls(const struct http_limits *limits)
{
	static const uint8_t ticket_key[TLS_TICKET_KEY_LEN] = { 1, 2, 3 };
	struct error error = { 0 };
	SSL_CTX *ctx = tls_server_context(files.chain, files.key, ticket_key, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
	start(limits, ctx);
	SSL_CTX_free(ctx); /* the server has its own reference */
}

struct client_tls {
	int version; /* the highest; 0: any */
	const char *ciphers, *groups;
	const char *protocols; /* ALPN, as on the wire */
	const char *server_name;
	SSL_SESSION *session;
	bool old; /* offers TLS 1.1 */
};

/* True when the handshake came to an end. */
static bool client_handshake(struct client *c, const struct client_tls *how)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	client_connect(c);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, how->old ? TLS1_1_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, how->version);
	if (how->ciphers != NULL)
		SSL_CTX_set_cipher_list(ctx, how->ciphers);
	if (how->groups != NULL)
		SSL_CTX_set1_groups_list(ctx, how->groups);
	if (how->protocols != NULL)
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)how->protocols,
					(unsigned int)strlen(how->protocols));
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (how->server_name != NULL)
		SSL_set_tlsext_host_name(c->ssl, how->server_name);
	if (how->session != NULL)
		SSL_set_session(c->ssl, how->session);
	for (int i = 0; i < 500; i++) {
		rc = SSL_connect(c->ssl);
		if (rc == 1)
			return true;
		if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ)
			break;
		turn(2);
	}
	return false;
}

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
		for (int64_t end = now_ms() + 5000; c.total < (size_t)i * BIG && now_ms() < end;) {
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

static void test_keys_that_are_not_used(void)
{
	static const uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	struct error error = { 0 };

	CU_ASSERT_PTR_NULL(tls_server_context(files.chain, files.other_key, ticket_key, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "not of the certificate"));
	error = (struct error){ 0 };
	chmod(files.key, 0604);
	CU_ASSERT_PTR_NULL(tls_server_context(files.chain, files.key, ticket_key, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "others may read it"));
	chmod(files.key, 0600);
	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(tls_server_context(files.chain, "/nonexistent", ticket_key, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(tls_server_context(files.key, files.key, ticket_key, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

#define TEST(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

int main(void)
{
	static CU_TestInfo plain[] = {
		TEST(test_requests_follow_each_other_on_one_connection),
		TEST(test_a_request_may_come_byte_by_byte),
		TEST(test_a_handler_sees_the_request),
		TEST(test_an_answer_has_its_standard_fields),
		TEST(test_errors_become_problem_documents),
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
		TEST(test_without_descriptors_accepting_pauses),
		TEST(test_a_drain_ends_quiet_clients_and_answers_the_others),
		TEST(test_a_drain_has_its_deadline),
		TEST(test_an_empty_server_is_drained_at_once),
		TEST(test_a_pending_request_outlives_its_server),
		TEST(test_the_local_socket_has_no_address),
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo tls[] = {
		TEST(test_requests_over_tls),
		TEST(test_what_tls_does_not_offer),
		TEST(test_x25519_comes_first),
		TEST(test_one_ticket_resumes),
		TEST(test_sni_and_host_must_agree),
		TEST(test_a_slow_handshake_is_cut_off),
		TEST(test_an_idle_tls_client_is_told_goodbye),
		TEST(test_pipelining_over_tls_is_never_run),
		TEST(test_a_tls_client_that_leaves_is_noticed),
		TEST(test_big_answers_over_tls),
		TEST(test_keys_that_are_not_used),
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "connection", .pTests = plain },
		{ .pName = "connection over TLS",
		  .pInitFunc = make_files,
		  .pCleanupFunc = remove_files,
		  .pTests = tls },
		CU_SUITE_INFO_NULL,
	};

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0;
}
