/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "http/problem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the server under test ---- */

struct under_test t;

void answer(struct http_request *http, const char *text, size_t len)
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

static char *write_plainly(const struct problem *problem)
{
	char text[256];

	snprintf(text, sizeof(text), "plainly %d: %s", problem->status, problem->detail);
	return strdup(text);
}

static const struct problem_form plain_form = { "text/plain", write_plainly };

static const struct problem_form *form_of(const char *path)
{
	return strncmp(path, "/plain/", 7) == 0 ? &plain_form : &problem_document;
}

static void handle_plain(struct http_request *http, void *arg)
{
	const struct http_field fields[] = { { "X-One", "1" }, { "X-Two", "2" }, { NULL, NULL } };
	struct error error = { 0 };

	(void)arg;
	snprintf(t.seen, sizeof(t.seen), "%s", http_path(http));
	error_set(&error, ERROR_LIMITED, "slow down");
	http_reply_error(http, &error, &plain_form, NULL, fields);
}

static const struct http_route routes[] = {
	{ "GET", "/now", 0, handle_now, "now" },
	{ "POST", "/now", 1000, handle_now, "post" },
	{ "GET", "/item/{id}", 0, handle_item, "item" },
	{ "GET", "/later", 0, handle_later, "later" },
	{ "GET", "/big", 0, handle_big, "big" },
	{ "GET", "/too-big", 0, handle_too_big, "too-big" },
	{ "GET", "/problem/{kind}", 0, handle_problem, "problem" },
	{ "POST", "/plain/{id}/{more}", 10, handle_plain, "plain" },
	{ "GET", "/redirect", 0, handle_redirect, "redirect" },
	{ "GET", "/forged", 0, handle_forged, "forged" },
	{ "GET", "/edition", 0, handle_edition, "edition" },
	{ 0 },
};

static const char *const hosts[] = { "localhost", "127.0.0.1", NULL };

const struct http_limits patient = {
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

void start_behind(const struct http_limits *limits, SSL_CTX *tls, const char *proxy)
{
	static struct cidr proxies;
	static struct log log;
	struct http_server_options options = {
		.tls = tls, .hosts = hosts, .routes = routes, .form_of = form_of
	};
	struct error error = { 0 };

	memset(&t, 0, sizeof(t));
	t.base = event_base_new();
	t.log = tmpfile();
	log = (struct log){ .fd = fileno(t.log), .process = "test" };
	options.base = t.base;
	options.log = &log;
	options.limits = *limits;
	if (proxy != NULL) {
		CU_ASSERT_FATAL(cidr_parse(proxy, &proxies, &error));
		options.proxies = &proxies;
		options.n_proxies = 1;
	}
	t.listen_fd = listen_on_loopback();
	t.server = http_server_new(&options, &error);
	CU_ASSERT_FATAL(t.server != NULL && http_server_listen(t.server, t.listen_fd, &error));
}

void start(const struct http_limits *limits, SSL_CTX *tls)
{
	start_behind(limits, tls, NULL);
}

void stop(void)
{
	http_server_free(t.server);
	if (t.pending != NULL) /* outlives its server */
		answer(t.pending, "late", 4);
	event_base_free(t.base);
	close(t.listen_fd);
	fclose(t.log);
}

int logged(const char *text)
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

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

double cpu_s(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

void turn(int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_base_loopexit(t.base, &tv);
	event_base_dispatch(t.base);
}

/* ---- clients ---- */

void client_connect(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(connect(c->fd, (struct sockaddr *)&t.address, sizeof(t.address)) == 0 ||
			errno == EINPROGRESS);
	turn(2);
}

void client_close(struct client *c)
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

void client_read(struct client *c)
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

void client_send(struct client *c, const char *text)
{
	int len = (int)strlen(text);
	int n = c->ssl != NULL ? SSL_write(c->ssl, text, len)
			       : (int)send(c->fd, text, (size_t)len, MSG_NOSIGNAL);

	CU_ASSERT_EQUAL(n, len);
}

bool client_gets(struct client *c, const char *text)
{
	for (int64_t end = now_ms() + LATE_MS; now_ms() < end;) {
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

int64_t client_sees_end(struct client *c)
{
	int64_t begin = now_ms();

	while (now_ms() < begin + LATE_MS) {
		turn(2);
		client_read(c);
		if (c->ended)
			return now_ms() - begin;
	}
	return -1;
}

void client_forgets(struct client *c)
{
	c->in_len = 0;
	c->in[0] = '\0';
}

bool refuses(const char *raw, const char *with)
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

void drip_until_the_end(const char *first, char byte, const char *answered)
{
	struct client c;
	int64_t begin;

	begin = now_ms();
	client_connect(&c);
	client_send(&c, first);
	while (!c.ended && now_ms() < begin + LATE_MS) {
		turn(20);
		client_read(&c);
		if (!c.ended)
			(void)!send(c.fd, &byte, 1, MSG_NOSIGNAL);
	}
	CU_ASSERT(c.ended);
	CU_ASSERT(now_ms() - begin >= SOON_MS && now_ms() - begin < LATE_MS);
	if (answered != NULL)
		CU_ASSERT_PTR_NOT_NULL(strstr(c.in, answered));
	CU_ASSERT_EQUAL(t.handled, 0);
	client_close(&c);
	turn(20);
	CU_ASSERT_EQUAL(http_server_connections(t.server), 0);
}
