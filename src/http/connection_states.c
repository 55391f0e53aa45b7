/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "connection_own.h"
#include "http/proxy.h"
#include "metrics/metrics.h"

#define DISCARD_MAX 65536 /* bytes that a client may still send after its last answer */

static bool has_in(struct connection *c)
{
	if (c->in == NULL)
		c->in = malloc(HTTP_HEAD_MAX);
	if (c->in == NULL)
		connection_enter(c, CONNECTION_CLOSED);
	return c->in != NULL;
}

static void grow_in(struct connection *c, size_t n)
{
	c->in_len += n;
	if (c->in_most < c->in_len)
		c->in_most = c->in_len;
}

static bool proxy_failed(struct connection *c, const char *why)
{
	if (c->in_len > 0) { /* else a check of the port */
		meter_count(c->server->options.meter, METRIC_HANDSHAKES_FAILED, 0);
		connection_log_proxy(c, why);
	}
	connection_enter(c, CONNECTION_CLOSED);
	return false;
}

/* From here on the connection is the client's, as if it had come itself. */
static bool take_source(struct connection *c, const struct proxy_header *header)
{
	if (!header->local)
		memcpy(c->peer, header->source, sizeof(c->peer));
	connection_release_in(c);
	c->counted = server_count(c->server, c->peer);
	connection_enter(c, c->counted ? CONNECTION_HANDSHAKE : CONNECTION_CLOSED);
	return c->counted;
}

static bool parse_proxy(struct connection *c)
{
	struct proxy_header header;

	switch (proxy_parse(c->in, c->in_len, &header)) {
	case PROXY_MORE:
		return true;
	case PROXY_BAD:
		return proxy_failed(c, header.why);
	case PROXY_COMPLETE:
		break;
	}
	return take_source(c, &header);
}

/* TLS follows, so not one byte more is read than the header is known to have. */
static bool run_proxy(struct connection *c)
{
	struct proxy_header header;
	size_t n;

	if (!c->readable || !has_in(c))
		return false;
	proxy_parse(c->in, c->in_len, &header);
	switch (stream_read_raw(&c->stream, c->in + c->in_len, header.len - c->in_len, &n)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		c->readable = false;
		return false;
	case STREAM_ENDED:
		return proxy_failed(c, "it ends early");
	}
	grow_in(c, n);
	return parse_proxy(c);
}

static void expire_handshake(struct connection *c)
{
	meter_count(c->server->options.meter, METRIC_HANDSHAKES_FAILED, 0);
	connection_enter(c, CONNECTION_CLOSED);
}

static bool run_handshake(struct connection *c)
{
	switch (stream_handshake(&c->stream)) {
	case STREAM_OK:
		c->readable = true;
		connection_enter(c, CONNECTION_HEAD);
		return true;
	case STREAM_WAIT:
		return false;
	case STREAM_ENDED:
		break;
	}
	expire_handshake(c);
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
		return connection_refuse(c, 421, "this host is not served here", NULL);
	request_route(http, c->server->options.routes);
	route = http->match.route;
	if (route == NULL && http->match.allow[0] != '\0') {
		const struct http_field allow[] = { { "Allow", http->match.allow },
						    { NULL, NULL } };

		return connection_refuse(c, 405, "the path does not have this method", allow);
	}
	if (route == NULL)
		return connection_refuse(c, 404, "no such path", NULL);
	if (http->head.content_length > route->body_max)
		return connection_refuse(c, 413, "the body is too long", NULL);
	if (http->head.content_length > 0) {
		/* analyzer: the request owns it */
		http->body = malloc(http->head.content_length + 1);
		if (http->body == NULL)
			return connection_refuse(c, 503, "out of memory", NULL);
	}
	connection_enter(c, CONNECTION_BODY);
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
	connection_enter(c, CONNECTION_CLOSED);
	return false;
}

static bool take_head(struct connection *c, const struct http_head *head)
{
	const struct http_limits *limits = &c->server->options.limits;
	struct http_request *http = request_new(head, c->in);

	if (http == NULL) {
		connection_enter(c, CONNECTION_CLOSED);
		return false;
	}
	c->request = http;
	http->connection = c;
	memcpy(http->peer, c->peer, sizeof(http->peer));
	http->started_us = clock_running_us();
	take_from_in(c, head->len);
	c->requests++;
	c->last = head->close || c->server->draining ||
		  c->requests >= limits->requests_per_connection ||
		  clock_running_ms() >= c->life_end_ms;
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
		return connection_refuse_head(c, &head);
	case HTTP_HEAD_COMPLETE:
		break;
	}
	return take_head(c, &head);
}

/* Also the state "idle", which ends with the first byte. */
static bool run_head(struct connection *c)
{
	size_t n;

	if (!c->readable || !has_in(c))
		return false;
	switch (stream_read(&c->stream, c->in + c->in_len, HTTP_HEAD_MAX - c->in_len, &n)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		c->readable = false;
		if (c->in_len == 0)
			connection_release_in(c);
		return false;
	case STREAM_ENDED:
		connection_enter(c, CONNECTION_CLOSED);
		return false;
	}
	if (c->state == CONNECTION_IDLE)
		connection_enter(c, CONNECTION_HEAD);
	grow_in(c, n);
	return parse_head(c);
}

/* The request is whole.  Whatever else the client has sent was sent too early: it is answered,
 * and what follows is never looked at. */
static bool dispatch(struct connection *c)
{
	struct http_request *http = c->request;

	if (http->body != NULL)
		http->body[http->body_len] = '\0';
	switch (stream_is_drained(&c->stream) ? STREAM_WAIT : stream_peek(&c->stream)) {
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
	connection_release_in(c);
	http->handed = true;
	connection_enter(c, CONNECTION_HANDLER);
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
	connection_refuse(c, 400, "the body ends early", NULL);
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
	connection_log(c, c->request, c->request->id, 0, "the client has gone");
	connection_enter(c, CONNECTION_CLOSED);
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
		connection_enter(c, CONNECTION_CLOSED);
		return false;
	}
	c->out_sent += n;
	if (c->out_sent < c->out_len)
		return true;
	connection_release_out(c);
	connection_enter(c, c->last ? CONNECTION_CLOSING : CONNECTION_IDLE);
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
	connection_enter(c, CONNECTION_CLOSED);
	return false;
}

static void expire_proxy(struct connection *c)
{
	proxy_failed(c, "it came too slowly");
}

static void expire_close(struct connection *c)
{
	connection_enter(c, CONNECTION_CLOSED);
}

static void expire_head(struct connection *c)
{
	if (c->in_len > 0)
		connection_refuse(c, 408, "the head came too slowly", NULL);
	else
		connection_enter(c, CONNECTION_CLOSED);
}

static void expire_body(struct connection *c)
{
	connection_refuse(c, 408, "the body came too slowly", NULL);
}

static void expire_handler(struct connection *c)
{
	static const struct http_field later[] = { { "Retry-After", "1" }, { NULL, NULL } };

	connection_refuse(c, 503, "no answer in time", later);
}

const struct connection_state_row connection_states[] = {
	[CONNECTION_PROXY] = { run_proxy, expire_proxy },
	[CONNECTION_HANDSHAKE] = { run_handshake, expire_handshake },
	[CONNECTION_HEAD] = { run_head, expire_head },
	[CONNECTION_BODY] = { run_body, expire_body },
	[CONNECTION_HANDLER] = { run_handler, expire_handler },
	[CONNECTION_RESPONSE] = { run_response, expire_close },
	[CONNECTION_IDLE] = { run_head, expire_close },
	[CONNECTION_CLOSING] = { run_closing, expire_close },
};
