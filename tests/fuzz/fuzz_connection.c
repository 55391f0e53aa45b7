/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of a server: the input is a program of what clients, handlers and time do, and
 * the bytes that clients send.  Held are: one answer for each request and none for what was never
 * asked, in order, nothing after an answer that closes; every deadline, so that a connection is
 * gone when all its times are over, whatever it sends; the memory of a connection; that every
 * request comes back; and that nothing is touched after its end.
 */
#include "fuzz_connection.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/http/connection_own.h"
#include "http/request.h"
#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX (384 * 1024)
#define BODY_MAX   600
#define BIG	   20000
#define TIMER_MS   2 /* what a timer may be late */
#define LINGER_MS  1000
#define GRACE_MS   1000 /* of a drain, for who has just come */

static const struct http_limits limits = {
	.connections = 5,
	.connections_per_address = 3,
	.requests_per_connection = 4,
	.output = 32 * 1024,
	.handshake_ms = 500,
	.head_ms = 400,
	.body_ms = 300,
	.handler_ms = 600,
	.response_ms = 700,
	.idle_ms = 900,
	.life_ms = 3000,
};

/* All the times of one connection together, whatever its bytes. */
#define LIFE_MAX_MS                                                                                \
	(500 + 3000 + 400 + 300 + 600 + 700 + 700 + LINGER_MS + GRACE_MS + 10 * TIMER_MS)

void want(bool held)
{
	if (!held)
		abort();
}

/* ---- handlers ---- */

#define PENDING 16

static struct asked {
	struct http_request *http;
	unsigned int number;
	bool closed;
} asked[PENDING];
static unsigned int n_asked; /* since the beginning */
static struct http_server *server;
static bool drained;

static const char *number_text(unsigned int number, char text[16])
{
	snprintf(text, 16, "%08x", number);
	return text;
}

static void take(const struct http_request *http)
{
	struct wire *wire = &wires[http->connection->stream.fd - WIRE_FD];

	n_asked++;
	wire->taken += http->head.len + http->head.content_length;
	want(http->body_len == http->head.content_length);
}

static void answer(struct http_request *http, unsigned int number, size_t len)
{
	static char body[BIG];
	char text[16];
	const struct http_field fields[] = { { "X-Number", number_text(number, text) },
					     { NULL, NULL } };
	const struct http_reply reply = { .status = 200,
					  .media_type = "text/plain",
					  .body = body,
					  .len = len,
					  .fields = fields };

	http_reply(http, &reply);
}

static void handle_now(struct http_request *http, void *arg)
{
	(void)arg;
	take(http);
	answer(http, n_asked, 5);
}

static void handle_big(struct http_request *http, void *arg)
{
	(void)arg;
	take(http);
	answer(http, n_asked, BIG);
}

static void handle_beyond(struct http_request *http, void *arg)
{
	static char body[64 * 1024]; /* over the limit of an answer */
	const struct http_reply reply = { .status = 200, .body = body, .len = sizeof(body) };

	(void)arg;
	take(http);
	http_reply(http, &reply);
}

static void handle_refused(struct http_request *http, void *arg)
{
	struct error error = { 0 };

	(void)arg;
	take(http);
	error_set(&error, ERROR_CANCELLED, "nobody waits");
	http_reply_problem(http, &error, NULL);
}

static void on_closed(void *arg)
{
	struct asked *slot = arg;

	want(slot->http != NULL && !slot->closed);
	slot->closed = true;
}

static void handle_later(struct http_request *http, void *arg)
{
	(void)arg;
	take(http);
	for (size_t i = 0; i < PENDING; i++) {
		if (asked[i].http != NULL)
			continue;
		asked[i] = (struct asked){ .http = http, .number = n_asked };
		http_on_close(http, on_closed, &asked[i]);
		return;
	}
	answer(http, n_asked, 1);
}

static const struct http_route routes[] = {
	{ "GET", "/n", 0, handle_now, "now" },
	{ "POST", "/n", BODY_MAX, handle_now, "now" },
	{ "GET", "/l", 0, handle_later, "later" },
	{ "POST", "/l", BODY_MAX, handle_later, "later" },
	{ "GET", "/b", 0, handle_big, "big" },
	{ "GET", "/o", 0, handle_beyond, "beyond" },
	{ "GET", "/c", 0, handle_refused, "cancelled" },
	{ 0 },
};

static const char *const hosts[] = { "h", NULL };

/* ---- what is held ---- */

static size_t memory_of(const struct connection *c)
{
	size_t size = sizeof(*c) + c->out_len + (c->in != NULL ? HTTP_HEAD_MAX : 0);

	if (c->request != NULL)
		size += sizeof(*c->request) + c->request->size + c->request->body_len;
	return size;
}

static struct seen {
	enum connection_state state;
	unsigned int requests;
	bool last;
	int64_t opened_ms, deadline_ms;
} seen[WIRES];

/* A deadline is set when a state begins; nothing that comes in it moves it away. */
static void check_deadline(const struct connection *c, const struct wire *wire)
{
	struct seen *was = &seen[wire - wires];

	want(world_ms <= c->deadline_ms + TIMER_MS);
	want(c->armed_ms != 0 && c->armed_ms <= c->deadline_ms);
	if (was->opened_ms == wire->opened_ms && was->state == c->state &&
	    was->requests == c->requests && was->last == c->last)
		want(c->deadline_ms <= was->deadline_ms);
	*was = (struct seen){ c->state, c->requests, c->last, wire->opened_ms, c->deadline_ms };
}

/* Nothing was thrown away between two requests, and none was refused. */
static void check_idle(const struct connection *c, const struct wire *wire)
{
	want(wire->read_total == wire->taken);
	want(c->deadline_ms <= wire->opened_ms + (int64_t)limits.life_ms);
	want(c->in == NULL && c->out == NULL && c->request == NULL);
}

static void check_connection(const struct connection *c)
{
	const struct wire *wire = &wires[c->stream.fd - WIRE_FD];

	check_deadline(c, wire);
	if (c->state == CONNECTION_IDLE)
		check_idle(c, wire);
	want(c->state != CONNECTION_CLOSED && !c->running);
	want(memory_of(c) <= MEMORY_MAX);
	want(world_ms - wire->opened_ms <= LIFE_MAX_MS);
	want(c->requests <= limits.requests_per_connection);
	want((c->state == CONNECTION_HANDLER) == (c->request != NULL && c->request->handed));
}

static void check_server(void)
{
	struct connection *c;
	unsigned int n = 0, open = 0;

	LIST_FOREACH(c, &server->open, link)
	{
		check_connection(c);
		n++;
	}
	for (int i = 0; i < WIRES; i++)
		open += wires[i].state == WIRE_OPEN;
	want(n == open && n == server->n_open && n <= limits.connections);
}

static void check_wire(const struct wire *wire)
{
	check_answers(wire, limits.requests_per_connection + 1, n_asked);
}

/* ---- the program ---- */

struct program {
	const uint8_t *at, *end;
};

static unsigned int next(struct program *p)
{
	return p->at < p->end ? *p->at++ : 0;
}

static struct wire *any_wire(struct program *p)
{
	return &wires[next(p) % WIRES];
}

static void fire(struct wire *wire, short what)
{
	if (wire->state == WIRE_OPEN)
		events_fire(WIRE_FD + (int)(wire - wires), what);
}

static void client_knocks(struct program *p)
{
	struct wire *wire = any_wire(p);
	unsigned int how = next(p);

	if (drained || wire->state == WIRE_OPEN)
		return;
	check_wire(wire);
	*wire = (struct wire){ .state = WIRE_KNOCKS,
			       .from_proxy = how & 1,
			       .handshakes = (how >> 1) % 4,
			       .room = how & 8 ? 0 : 100000 };
	events_fire(LISTEN_FD, EV_READ);
	if (wire->state == WIRE_KNOCKS) /* nobody listens any more */
		wire->state = WIRE_CLOSED;
	fire(wire, EV_WRITE);
}

/* What has not been read by now has to fit in front of what comes: it is dropped, as if the client
 * had not sent it. */
static void client_sends_bytes(struct wire *wire, const uint8_t *bytes, size_t len)
{
	if (wire->state != WIRE_OPEN || wire->left)
		return;
	wire->in = bytes;
	wire->in_len = len;
	fire(wire, EV_READ);
}

static void client_sends(struct program *p)
{
	struct wire *wire = any_wire(p);
	size_t len = next(p), left = (size_t)(p->end - p->at);

	len = len < left ? len : left;
	client_sends_bytes(wire, p->at, len);
	p->at += len;
}

static void client_sends_request(struct program *p)
{
	static const char *const requests[] = {
		"GET /n HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /l HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /o HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /c HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /n HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"POST /n HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n",
		"POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
		"POST /n HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
		"POST /n HTTP/1.1\r\nHost: h\r\nContent-Length: 601\r\n\r\n",
		"body",
		"GET /n HTTP/1.1\r\nHost: h\r\n\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /n HTTP/1.1\r\nHost: other\r\n\r\n",
		"PUT /n HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
		"HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"\r\n\r\n",
	};
	static const uint8_t proxied[] =
		"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\1\1\1\x0a\0\0\2\0\1\0\2";
	struct wire *wire = any_wire(p);
	unsigned int which = next(p) % (sizeof(requests) / sizeof(requests[0]) + 1);

	if (which == sizeof(requests) / sizeof(requests[0]))
		client_sends_bytes(wire, proxied, sizeof(proxied) - 1);
	else
		client_sends_bytes(wire, (const uint8_t *)requests[which], strlen(requests[which]));
}

static void client_shakes_hands(struct program *p)
{
	struct wire *wire = any_wire(p);
	unsigned int how = next(p);

	if (wire->state != WIRE_OPEN || wire->handshakes == 0)
		return;
	wire->handshakes = how == 0 ? -1 : wire->handshakes - 1;
	fire(wire, EV_READ | EV_WRITE);
}

static void client_reads(struct program *p)
{
	struct wire *wire = any_wire(p);

	wire->room += 16 * (size_t)next(p);
	fire(wire, EV_WRITE);
}

static void client_leaves(struct program *p)
{
	struct wire *wire = any_wire(p);
	unsigned int how = next(p);

	wire->left = true;
	if (how & 1)
		wire->in_len = 0;
	fire(wire, how & 2 ? EV_READ | EV_CLOSED : EV_READ);
}

static void something_stirs(struct program *p)
{
	struct wire *wire = any_wire(p);

	fire(wire, (short)(next(p) & (EV_READ | EV_WRITE)));
}

static void time_passes(struct program *p)
{
	events_pass((int64_t)next(p) * 5);
}

static void handler_replies(struct program *p)
{
	struct asked *slot = &asked[next(p) % PENDING];
	unsigned int how = next(p);
	struct http_request *http = slot->http;
	struct error error = { 0 };

	if (http == NULL)
		return;
	slot->http = NULL;
	switch (how % 4) {
	case 0:
		error_set(&error, ERROR_UNAVAILABLE, "later");
		http_reply_problem(http, &error, NULL);
		break;
	case 1:
		error_set(&error, ERROR_CANCELLED, "nobody waits");
		http_reply_problem(http, &error, NULL);
		break;
	case 2:
		error_set(&error, ERROR_INTERNAL, "a defect");
		http_reply_problem(http, &error, NULL);
		break;
	default:
		answer(http, slot->number, how * 50);
	}
	events_turn();
}

static void on_drained(void *arg, const struct error *error)
{
	(void)arg;
	(void)error;
	want(server->n_open == 0);
}

static void server_drains(struct program *p)
{
	unsigned int deadline_ms = next(p) * 20;

	if (drained || next(p) % 4 != 0)
		return;
	drained = true;
	http_server_drain(server, deadline_ms, on_drained, NULL);
	events_turn();
}

static void (*const steps[])(struct program *p) = {
	client_knocks,	     client_sends, client_sends_request, client_sends_request,
	client_shakes_hands, client_reads, client_leaves,	 something_stirs,
	time_passes,	     time_passes,  handler_replies,	 server_drains,
};

/* ---- beginning and end ---- */

static void begin(void)
{
	static struct cidr proxy;
	struct http_server_options options = {
		.hosts = hosts, .routes = routes, .limits = limits, .n_proxies = 1
	};
	struct error error = { 0 };

	want(cidr_parse("10.9.0.0/16", &proxy, &error));
	options.proxies = &proxy;
	events_reset();
	wires_reset();
	memset(asked, 0, sizeof(asked));
	memset(seen, 0, sizeof(seen));
	n_asked = 0;
	drained = false;
	server = http_server_new(&options, &error);
	want(server != NULL && http_server_listen(server, LISTEN_FD, &error));
}

/* When nobody does anything more, time alone ends every connection; and what handlers have comes
 * back, some of it after the server is no more. */
static void end(bool early)
{
	if (!early) {
		events_pass(LIFE_MAX_MS);
		want(server->n_open == 0 && server->addresses == NULL);
	}
	http_server_free(server);
	for (int i = 0; i < WIRES; i++) {
		want(wires[i].state != WIRE_OPEN);
		check_wire(&wires[i]);
	}
	want(events_are_gone());
	for (size_t i = 0; i < PENDING; i++) {
		if (asked[i].http == NULL)
			continue;
		want(asked[i].closed);
		answer(asked[i].http, asked[i].number, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { data, data + size };
	bool early = size > 0 && data[size - 1] & 1;

	begin();
	while (p.at < p.end) {
		steps[next(&p) % (sizeof(steps) / sizeof(steps[0]))](&p);
		check_server();
	}
	end(early);
	return 0;
}
