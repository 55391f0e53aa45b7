/* SPDX-License-Identifier: Apache-2.0 */
#include "connection_own.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define LINGER_MS	1000 /* for the client to read the last answer */
#define DRAIN_GRACE_MS	1000
#define IDLE_PRESSED_MS 10000

/* ---- the one transition ---- */

static unsigned int time_of(const struct connection *c, enum connection_state state)
{
	const struct http_limits *limits = &c->server->options.limits;

	switch (state) {
	case CONNECTION_PROXY:
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
		if (c->server->draining && !c->server->handing_over)
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

void connection_release_in(struct connection *c)
{
	if (c->in != NULL)
		explicit_bzero(c->in, c->in_most);
	free(c->in);
	c->in = NULL;
	c->in_len = c->in_most = 0;
}

void connection_release_out(struct connection *c)
{
	if (c->out != NULL)
		explicit_bzero(c->out, c->out_len); /* a token may stand there */
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_sent = 0;
}

static void leave_open(struct connection *c)
{
	event_del(&c->io);
	event_del(&c->timer);
	stream_shutdown(&c->stream);
	stream_close(&c->stream);
	connection_release_in(c);
	connection_release_out(c);
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&c->server->dying, c, link);
	server_forget(c->server, c->counted ? c->peer : NULL);
	connection_let_go_of_request(c);
}

void connection_enter(struct connection *c, enum connection_state state)
{
	c->state = state;
	c->entered_ms = clock_running_ms();
	c->deadline_ms = c->entered_ms + time_of(c, state);
	switch (state) {
	case CONNECTION_HANDSHAKE:
		c->deadline_ms = c->begun_ms + time_of(c, state);
		break;
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

/* ---- events ---- */

/* A timer that fires too early costs less than one that is moved for every request.  Without memory
 * for it the connection would never end, so it ends at once. */
static void arm(struct connection *c)
{
	int64_t now = clock_running_ms(), wait;
	struct timeval tv;

	if (c->state == CONNECTION_CLOSED || (c->armed_ms != 0 && c->armed_ms <= c->deadline_ms))
		return;
	wait = c->deadline_ms > now ? c->deadline_ms - now + 1 : 1;
	tv = (struct timeval){ .tv_sec = (time_t)(wait / 1000),
			       .tv_usec = (suseconds_t)(wait % 1000 * 1000) };
	if (event_add(&c->timer, &tv) == 0)
		c->armed_ms = c->deadline_ms;
	else
		connection_enter(c, CONNECTION_CLOSED);
}

void connection_run(struct connection *c)
{
	if (c->running)
		return;
	c->running = true;
	while (c->state != CONNECTION_CLOSED && connection_states[c->state].run(c))
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
	connection_run(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	c->armed_ms = 0;
	if (clock_running_ms() >= c->deadline_ms)
		connection_states[c->state].expire(c);
	connection_run(c);
}

/* ---- for the server ---- */

static int64_t life_end(const struct http_limits *limits)
{
	return limits->life_ms == 0 ? INT64_MAX : clock_running_ms() + limits->life_ms;
}

bool connection_new(struct http_server *server, int fd, const uint8_t peer[16], bool for_another)
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
	c->counted = !for_another;
	c->begun_ms = clock_running_ms();
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
	connection_enter(c, for_another ? CONNECTION_PROXY : CONNECTION_HANDSHAKE);
	arm(c);
	return true;
}

static void shorten(struct connection *c, int64_t deadline_ms)
{
	if (c->deadline_ms > deadline_ms)
		c->deadline_ms = deadline_ms;
	arm(c);
}

static void drain(struct connection *c)
{
	bool unused =
		c->state == CONNECTION_IDLE || (c->state == CONNECTION_HEAD && c->in_len == 0);

	if (unused && clock_running_ms() >= c->entered_ms + DRAIN_GRACE_MS)
		connection_enter(c, CONNECTION_CLOSED);
	else if (unused)
		shorten(c, c->entered_ms + DRAIN_GRACE_MS);
}

static void hurry(struct connection *c)
{
	if (c->state == CONNECTION_IDLE)
		shorten(c, clock_running_ms() + IDLE_PRESSED_MS);
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
		connection_enter(LIST_FIRST(&server->open), CONNECTION_CLOSED);
}

void connections_reap(struct http_server *server)
{
	struct connection *c;

	while ((c = LIST_FIRST(&server->dying)) != NULL) {
		LIST_REMOVE(c, link);
		free(c);
	}
}
