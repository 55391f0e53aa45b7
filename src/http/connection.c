/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "http/problem.h"
#include "request_own.h"
#include "response.h"
#include "server_own.h"
#include "stream.h"

#define LINGER_MS	1000  /* for the client to read the last answer */
#define DISCARD_MAX	65536 /* bytes that a client may still send meanwhile */
#define DRAIN_GRACE_MS	1000
#define IDLE_PRESSED_MS 10000

enum connection_state {
	CONNECTION_HANDSHAKE,
	CONNECTION_HEAD,
	CONNECTION_BODY,
	CONNECTION_HANDLER,
	CONNECTION_RESPONSE,
	CONNECTION_IDLE,
	CONNECTION_CLOSING,
	CONNECTION_CLOSED,
};

struct connection {
	struct http_server *server;
	LIST_ENTRY(connection) link;
	struct stream stream;
	struct event io, timer;
	uint8_t peer[16];

	enum connection_state state;
	bool running;  /* in run(): what is called from there only changes the state */
	bool readable; /* there may be bytes since the last read that found none */
	bool left;     /* the client has closed its end */
	bool last;     /* close after this answer */
	uint64_t entered_ms, deadline_ms, life_end_ms;
	uint64_t armed_ms; /* when the timer fires; 0: not set */
	unsigned int requests;

	char *in; /* HTTP_HEAD_MAX bytes while a head is read */
	size_t in_len;
	struct http_request *request;
	char *out;
	size_t out_len, out_sent;
	size_t discarded;
};

/* What a state does when it can go on, and how it ends when its time is over.  run() returns true
 * when the connection may be able to go on at once. */
struct state_row {
	bool (*run)(struct connection *c);
	void (*expire)(struct connection *c);
};

static const struct state_row *row_of(enum connection_state state);

static uint64_t now_ms(void)
{
	return monotonic_us() / 1000;
}

/* ---- the one transition ---- */

static unsigned int time_of(const struct connection *c, enum connection_state state)
{
	const struct http_limits *limits = &c->server->options.limits;

	switch (state) {
	case CONNECTION_HANDSHAKE:
		return limits->handshake_ms;
	case CONNECTION_HEAD:
		return limits->head_ms;
	case CONNECTION_BODY:
		return limits->body_ms;
	case CONNECTION_HANDLER:
		return limits->handler_ms;
	case CONNECTION_RESPONSE:
		return limits->response_ms;
	case CONNECTION_IDLE:
		if (c->server->draining)
			return DRAIN_GRACE_MS;
		if (server_is_half_full(c->server) && limits->idle_ms > IDLE_PRESSED_MS)
			return IDLE_PRESSED_MS;
		return limits->idle_ms;
	case CONNECTION_CLOSING:
	case CONNECTION_CLOSED:
		break;
	}
	return LINGER_MS;
}

static void release_in(struct connection *c)
{
	if (c->in != NULL)
		explicit_bzero(c->in, HTTP_HEAD_MAX);
	free(c->in);
	c->in = NULL;
	c->in_len = 0;
}

static void release_out(struct connection *c)
{
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_sent = 0;
}

/* A handler that has the request learns that nobody waits for its reply. */
static void let_go_of_request(struct connection *c)
{
	struct http_request *http = c->request;

	c->request = NULL;
	if (http == NULL)
		return;
	if (http->handed)
		request_closed(http);
	else
		request_free(http);
}

static void leave_open(struct connection *c)
{
	event_del(&c->io);
	event_del(&c->timer);
	stream_shutdown(&c->stream);
	stream_close(&c->stream);
	release_in(c);
	release_out(c);
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&c->server->dying, c, link);
	server_forget(c->server, c->peer);
	let_go_of_request(c);
}

static void enter(struct connection *c, enum connection_state state)
{
	c->state = state;
	c->entered_ms = now_ms();
	c->deadline_ms = c->entered_ms + time_of(c, state);
	switch (state) {
	case CONNECTION_IDLE:
		if (c->deadline_ms > c->life_end_ms)
			c->deadline_ms = c->life_end_ms;
		break;
	case CONNECTION_CLOSING:
		stream_shutdown(&c->stream);
		c->readable = true;
		break;
	case CONNECTION_CLOSED:
		leave_open(c);
		break;
	default:
		break;
	}
}

/* ---- the log ---- */

static const char *peer_text(const struct connection *c, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr address;

	memcpy(&address, c->peer, sizeof(address));
	if (IN6_IS_ADDR_UNSPECIFIED(&address))
		return "local";
	if (IN6_IS_ADDR_V4MAPPED(&address))
		return inet_ntop(AF_INET, c->peer + 12, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, c->peer, text, INET6_ADDRSTRLEN);
}

/* @http is NULL for a head that was refused, @status 0 when nothing was answered. */
static void log_request(const struct connection *c, const struct http_request *http, const char *id,
			int status, const char *why)
{
	const struct log *log = c->server->options.log;
	const struct http_route *route = http != NULL ? http->match.route : NULL;
	char peer[INET6_ADDRSTRLEN];

	if (log == NULL)
		return;
	log_info(log, "request", LOG_TEXT("request", id), LOG_TEXT("peer", peer_text(c, peer)),
		 LOG_TEXT("method", http != NULL ? http_method_name(http->head.method) : NULL),
		 LOG_TEXT("route", route != NULL ? route->name : NULL),
		 LOG_NUMBER("status", status), LOG_TEXT("code", http != NULL ? http->code : NULL),
		 LOG_TEXT("why", why),
		 LOG_NUMBER("us", http != NULL ? (int64_t)(monotonic_us() - http->started_us) : 0));
}

void connection_report(struct connection *c, const struct error *error)
{
	if (c->server->options.log != NULL)
		log_error(c->server->options.log, "internal error",
			  LOG_TEXT("request", c->request->id), LOG_TEXT("where", error->where),
			  LOG_TEXT("detail", error->detail));
}

/* ---- answers ---- */

static bool build(struct connection *c, const char *id, bool head_only,
		  const struct http_reply *reply, struct error *error)
{
	const struct response response = {
		.request_id = id,
		.date = server_date(c->server),
		.tls = c->stream.ssl != NULL,
		.head_only = head_only,
		.close = c->last,
	};

	if (!response_build(&response, reply, &c->out, &c->out_len, error))
		return false;
	if (c->out_len <= c->server->options.limits.output)
		return true;
	error_set(error, ERROR_INTERNAL, "an answer of %zu bytes is over the limit", c->out_len);
	release_out(c);
	return false;
}

/* An answer of the server itself; ends the connection.  True, as the answer is to be written. */
static bool refuse(struct connection *c, int status, const char *why,
		   const struct http_field *fields)
{
	struct http_request *http = c->request;
	struct error error = { 0 };
	char id[REQUEST_ID_MAX + 1];
	char *document;
	struct http_reply reply = { .status = status,
				    .media_type = "application/problem+json",
				    .fields = fields };

	if (http != NULL)
		strcpy(id, http->id);
	else
		request_id_make(id);
	log_request(c, http, id, status, why);
	c->last = true;
	document = problem_of_status(status, why, id);
	reply.body = document;
	reply.len = document != NULL ? strlen(document) : 0;
	if (build(c, id, http != NULL && http->head.method == HTTP_HEAD, &reply, &error))
		enter(c, CONNECTION_RESPONSE);
	else
		enter(c, CONNECTION_CLOSED);
	free(document);
	let_go_of_request(c);
	return true;
}

/* ---- states ---- */

static bool run_handshake(struct connection *c)
{
	switch (stream_handshake(&c->stream)) {
	case STREAM_OK:
		c->readable = true;
		enter(c, CONNECTION_HEAD);
		return true;
	case STREAM_WAIT:
		return false;
	case STREAM_ENDED:
		break;
	}
	enter(c, CONNECTION_CLOSED);
	return false;
}

/* A host that the server has, and the one that TLS was made for. */
static bool host_is_ours(struct connection *c)
{
	const char *const *hosts = c->server->options.hosts;
	const char *sni = stream_server_name(&c->stream);
	char host[256];

	request_host(c->request, host);
	if (sni != NULL && strcasecmp(sni, host) != 0)
		return false;
	if (hosts == NULL)
		return true;
	while (*hosts != NULL && strcasecmp(*hosts, host) != 0)
		hosts++;
	return *hosts != NULL;
}

static bool admit(struct connection *c)
{
	struct http_request *http = c->request;
	const struct http_route *route;

	if (!host_is_ours(c))
		return refuse(c, 421, "this host is not served here", NULL);
	request_route(http, c->server->options.routes);
	route = http->match.route;
	if (route == NULL && http->match.allow[0] != '\0') {
		const struct http_field allow[] = { { "Allow", http->match.allow },
						    { NULL, NULL } };

		return refuse(c, 405, "the path does not have this method", allow);
	}
	if (route == NULL)
		return refuse(c, 404, "no such path", NULL);
	if (http->head.content_length > route->body_max)
		return refuse(c, 413, "the body is too long", NULL);
	if (http->head.content_length > 0) {
		http->body = malloc(http->head.content_length + 1);
		if (http->body == NULL)
			return refuse(c, 503, "out of memory", NULL);
	}
	enter(c, CONNECTION_BODY);
	return true;
}

static void take_from_in(struct connection *c, size_t n)
{
	memmove(c->in, c->in + n, c->in_len - n);
	c->in_len -= n;
}

/* RFC 9110 section 10.1.1: a client may wait for this before it sends the body. */
static bool say_continue(struct connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_head *head = &c->request->head;
	size_t n;

	if (!head->expects_continue || c->in_len >= head->content_length)
		return true;
	if (stream_write(&c->stream, text, sizeof(text) - 1, &n) == STREAM_OK &&
	    n == sizeof(text) - 1)
		return true;
	enter(c, CONNECTION_CLOSED);
	return false;
}

static bool take_head(struct connection *c, const struct http_head *head)
{
	const struct http_limits *limits = &c->server->options.limits;
	struct http_request *http = request_new(head, c->in);

	if (http == NULL) {
		enter(c, CONNECTION_CLOSED);
		return false;
	}
	c->request = http;
	http->connection = c;
	memcpy(http->peer, c->peer, sizeof(http->peer));
	http->started_us = monotonic_us();
	take_from_in(c, head->len);
	c->requests++;
	c->last = head->close || c->server->draining ||
		  c->requests >= limits->requests_per_connection || now_ms() >= c->life_end_ms;
	return admit(c) && (c->state != CONNECTION_BODY || say_continue(c));
}

static bool parse_head(struct connection *c)
{
	struct http_head head;

	switch (http_head_parse(c->in, c->in_len, &head)) {
	case HTTP_HEAD_MORE:
		assert(c->in_len < HTTP_HEAD_MAX);
		return true;
	case HTTP_HEAD_REFUSED:
		return refuse(c, head.status, head.why, NULL);
	case HTTP_HEAD_COMPLETE:
		break;
	}
	return take_head(c, &head);
}

/* Also the state "idle", which ends with the first byte. */
static bool run_head(struct connection *c)
{
	size_t n;

	if (!c->readable)
		return false;
	if (c->in == NULL)
		c->in = malloc(HTTP_HEAD_MAX);
	if (c->in == NULL) {
		enter(c, CONNECTION_CLOSED);
		return false;
	}
	switch (stream_read(&c->stream, c->in + c->in_len, HTTP_HEAD_MAX - c->in_len, &n)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		c->readable = false;
		if (c->in_len == 0)
			release_in(c);
		return false;
	case STREAM_ENDED:
		enter(c, CONNECTION_CLOSED);
		return false;
	}
	if (c->state == CONNECTION_IDLE)
		enter(c, CONNECTION_HEAD);
	c->in_len += n;
	return parse_head(c);
}

/* The request is whole.  Whatever else the client has sent was sent too early: it is answered,
 * and what follows is never looked at. */
static bool dispatch(struct connection *c)
{
	struct http_request *http = c->request;

	if (http->body != NULL)
		http->body[http->body_len] = '\0';
	switch (stream_peek(&c->stream)) {
	case STREAM_OK:
		c->last = true;
		break;
	case STREAM_WAIT:
		c->readable = false;
		break;
	case STREAM_ENDED:
		c->last = c->left = true;
		break;
	}
	if (c->in_len > 0)
		c->last = true;
	release_in(c);
	http->handed = true;
	enter(c, CONNECTION_HANDLER);
	http->match.route->handle(http, c->server->options.arg);
	return true;
}

static bool run_body(struct connection *c)
{
	struct http_request *http = c->request;
	size_t want = http->head.content_length - http->body_len;
	size_t n = c->in_len < want ? c->in_len : want;

	if (want == 0)
		return dispatch(c);
	if (n > 0) {
		memcpy(http->body, c->in, n);
		take_from_in(c, n);
		http->body_len = n;
		return true;
	}
	switch (stream_read(&c->stream, http->body + http->body_len, want, &n)) {
	case STREAM_OK:
		http->body_len += n;
		return true;
	case STREAM_WAIT:
		c->readable = false;
		return false;
	case STREAM_ENDED:
		break;
	}
	refuse(c, 400, "the body ends early", NULL);
	return true;
}

static bool run_handler(struct connection *c)
{
	if (c->readable && !c->left) {
		c->readable = false;
		switch (stream_peek(&c->stream)) {
		case STREAM_OK:
			c->last = true;
			break;
		case STREAM_WAIT:
			break;
		case STREAM_ENDED:
			c->left = true;
		}
	}
	if (!c->left)
		return false;
	log_request(c, c->request, c->request->id, 0, "the client has gone");
	enter(c, CONNECTION_CLOSED);
	return false;
}

static bool run_response(struct connection *c)
{
	size_t n;

	switch (stream_write(&c->stream, c->out + c->out_sent, c->out_len - c->out_sent, &n)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_ENDED:
		enter(c, CONNECTION_CLOSED);
		return false;
	}
	c->out_sent += n;
	if (c->out_sent < c->out_len)
		return true;
	release_out(c);
	enter(c, c->last ? CONNECTION_CLOSING : CONNECTION_IDLE);
	return true;
}

/* Closing with bytes unread would reset the connection and take the answer with it. */
static bool run_closing(struct connection *c)
{
	size_t n;

	switch (stream_discard(&c->stream, &n)) {
	case STREAM_OK:
		c->discarded += n;
		if (c->discarded < DISCARD_MAX)
			return true;
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_ENDED:
		break;
	}
	enter(c, CONNECTION_CLOSED);
	return false;
}

static void expire_close(struct connection *c)
{
	enter(c, CONNECTION_CLOSED);
}

static void expire_head(struct connection *c)
{
	if (c->in_len > 0)
		refuse(c, 408, "the head came too slowly", NULL);
	else
		enter(c, CONNECTION_CLOSED);
}

static void expire_body(struct connection *c)
{
	refuse(c, 408, "the body came too slowly", NULL);
}

static void expire_handler(struct connection *c)
{
	static const struct http_field later[] = { { "Retry-After", "1" }, { NULL, NULL } };

	refuse(c, 503, "no answer in time", later);
}

static const struct state_row rows[] = {
	[CONNECTION_HANDSHAKE] = { run_handshake, expire_close },
	[CONNECTION_HEAD] = { run_head, expire_head },
	[CONNECTION_BODY] = { run_body, expire_body },
	[CONNECTION_HANDLER] = { run_handler, expire_handler },
	[CONNECTION_RESPONSE] = { run_response, expire_close },
	[CONNECTION_IDLE] = { run_head, expire_close },
	[CONNECTION_CLOSING] = { run_closing, expire_close },
};

static const struct state_row *row_of(enum connection_state state)
{
	return &rows[state];
}

/* ---- events ---- */

/* A timer that fires too early costs less than one that is moved for every request. */
static void arm(struct connection *c)
{
	uint64_t now = now_ms(), wait;
	struct timeval tv;

	if (c->state == CONNECTION_CLOSED || (c->armed_ms != 0 && c->armed_ms <= c->deadline_ms))
		return;
	wait = c->deadline_ms > now ? c->deadline_ms - now + 1 : 1;
	tv = (struct timeval){ .tv_sec = (time_t)(wait / 1000),
			       .tv_usec = (suseconds_t)(wait % 1000 * 1000) };
	event_add(&c->timer, &tv);
	c->armed_ms = c->deadline_ms;
}

static void run(struct connection *c)
{
	if (c->running)
		return;
	c->running = true;
	while (c->state != CONNECTION_CLOSED && row_of(c->state)->run(c))
		;
	c->running = false;
	arm(c);
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (what & (EV_READ | EV_CLOSED))
		c->readable = true;
	if (what & EV_CLOSED)
		c->left = true;
	run(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	c->armed_ms = 0;
	if (now_ms() >= c->deadline_ms)
		row_of(c->state)->expire(c);
	run(c);
}

/* ---- for the request and the server ---- */

void connection_reply(struct connection *c, const struct http_reply *reply)
{
	struct http_request *http = c->request;
	struct error error = { 0 };

	http->closed = NULL;
	c->last = c->last || c->server->draining;
	if (!build(c, http->id, http->head.method == HTTP_HEAD, reply, &error)) {
		connection_report(c, &error);
		refuse(c, error.kind == ERROR_UNAVAILABLE ? 503 : 500, NULL, NULL);
	} else {
		log_request(c, http, http->id, reply->status, NULL);
		enter(c, CONNECTION_RESPONSE);
	}
	c->request = NULL;
	http->connection = NULL;
	run(c);
}

void connection_drop(struct connection *c)
{
	struct http_request *http = c->request;

	log_request(c, http, http->id, 0, "cancelled");
	http->closed = NULL;
	enter(c, CONNECTION_CLOSED);
}

static uint64_t life_end(const struct http_limits *limits)
{
	return limits->life_ms == 0 ? UINT64_MAX : now_ms() + limits->life_ms;
}

bool connection_new(struct http_server *server, int fd, const uint8_t peer[16])
{
	struct connection *c = calloc(1, sizeof(*c));
	struct event_base *base = server->options.base;
	int one = 1;

	if (c == NULL) {
		close(fd);
		return false;
	}
	if (!stream_open(&c->stream, fd, server->options.tls)) {
		free(c);
		return false;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->server = server;
	memcpy(c->peer, peer, sizeof(c->peer));
	c->life_end_ms = life_end(&server->options.limits);
	event_assign(&c->io, base, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_io,
		     c);
	evtimer_assign(&c->timer, base, on_timer, c);
	if (event_add(&c->io, NULL) != 0) {
		stream_close(&c->stream);
		free(c);
		return false;
	}
	LIST_INSERT_HEAD(&server->open, c, link);
	enter(c, CONNECTION_HANDSHAKE);
	arm(c);
	return true;
}

static void shorten(struct connection *c, uint64_t deadline_ms)
{
	if (c->deadline_ms > deadline_ms)
		c->deadline_ms = deadline_ms;
	arm(c);
}

static void drain(struct connection *c)
{
	bool unused =
		c->state == CONNECTION_IDLE || (c->state == CONNECTION_HEAD && c->in_len == 0);

	if (unused && now_ms() >= c->entered_ms + DRAIN_GRACE_MS)
		enter(c, CONNECTION_CLOSED);
	else if (unused)
		shorten(c, c->entered_ms + DRAIN_GRACE_MS);
}

static void hurry(struct connection *c)
{
	if (c->state == CONNECTION_IDLE)
		shorten(c, now_ms() + IDLE_PRESSED_MS);
}

static void for_each_open(struct http_server *server, void (*act)(struct connection *c))
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&server->open); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		act(c);
	}
}

void connections_drain(struct http_server *server)
{
	for_each_open(server, drain);
}

void connections_hurry(struct http_server *server)
{
	for_each_open(server, hurry);
}

void connections_close(struct http_server *server)
{
	while (!LIST_EMPTY(&server->open)) /* a handler that is told may answer others */
		enter(LIST_FIRST(&server->open), CONNECTION_CLOSED);
}

void connections_reap(struct http_server *server)
{
	struct connection *c;

	while ((c = LIST_FIRST(&server->dying)) != NULL) {
		LIST_REMOVE(c, link);
		free(c);
	}
}
