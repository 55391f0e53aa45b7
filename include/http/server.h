/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 over TLS (or, on the local socket, plain), strict: the profile of http/head.h.
 *
 * A connection is one state machine with a deadline for every phase that no byte resets.  A
 * request reaches its handler whole; while it is being answered the socket is not read, so
 * nothing is pipelined.  Every refusal by the server itself closes the connection.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stddef.h>

#include <openssl/types.h>

#include "base/cidr.h"
#include "base/done.h"
#include "base/log.h"

struct event_base;
struct http_request;
struct http_server;
struct meter;
struct problem_form;

typedef void (*http_handler_fn)(struct http_request *http, void *arg);

/* One row for each method and path.  A segment "{name}" matches one segment of the path, and the
 * handler reads it with http_path_param().  A path that ends with "/" is a path of its own.  HEAD
 * is served by the row of GET.  A known path with another method is 405 with Allow. */
struct http_route {
	const char *method; /* "GET", "POST" */
	const char *path;   /* "/account/{id}/token" */
	size_t body_max;    /* bytes; 0: no body is taken */
	http_handler_fn handle;
	const char *name; /* for log and metrics: "token" */
};

struct http_limits {
	unsigned int connections;	      /* 20,000 */
	unsigned int connections_per_address; /* 256; IPv6 by /56.  0: none */
	unsigned int requests_per_connection; /* 1,000 */
	size_t output;		   /* bytes that wait to be read by the client: 256 KiB */
	unsigned int handshake_ms; /* and a proxy's header before it */
	unsigned int head_ms, body_ms, handler_ms, response_ms;
	unsigned int idle_ms; /* 120,000; 10,000 when over half full */
	unsigned int life_ms; /* of a connection */
};

extern const struct http_limits http_limits_default;

struct http_server_options {
	struct event_base *base;
	SSL_CTX *tls;			 /* NULL: plain; the server takes a reference */
	const char *const *hosts;	 /* names that Host may have, up to a NULL; NULL: any.  A
					  * port after the name is ignored.  Else 421. */
	const struct http_route *routes; /* up to a row with a NULL method */
	void *arg;			 /* given to the handlers */
	/* How the server's own refusals below @path (decoded or not) are written; NULL, or a path
	 * that could not be read: as problem documents. */
	const struct problem_form *(*form_of)(const char *path);
	/* Peers that must say by PROXY protocol version 2 (http/proxy.h) whose a connection is,
	 * and do not count as its address; from all others it is a failure of TLS.  Never the
	 * local socket.  The array stays the caller's. */
	const struct cidr *proxies;
	size_t n_proxies;
	struct http_limits limits;
	struct meter *meter;   /* requests, connections, handshakes; or NULL */
	const struct log *log; /* one "request" line for each: route, status, us */
};

/* The process ignores SIGPIPE from here on: OpenSSL writes to sockets with write(2).  No more
 * connections are taken than the limit of open descriptors leaves room for. */
struct http_server *http_server_new(const struct http_server_options *options,
				    struct error *error) MUST_CHECK;

/* Accept on @fd, a listening socket, shared with other processes as may be.  The descriptor stays
 * the caller's.  Out of descriptors, accepting pauses 100 ms rather than spin. */
bool http_server_listen(struct http_server *server, int fd, struct error *error) MUST_CHECK;

/* Stop accepting, close connections that have been idle for a second, answer what is under way or
 * comes within that second with "Connection: close", then call @done from the loop; after
 * @deadline_ms what is left is closed.  @done may free the server. */
void http_server_drain(struct http_server *server, unsigned int deadline_ms, done_fn done,
		       void *arg);

/* The same where others accept in our place from now on, and nobody shall notice: a connection that
 * is idle stays until its next request, which is answered with "Connection: close", or until
 * @deadline_ms.  http_server_drain() may follow. */
void http_server_hand_over(struct http_server *server, unsigned int deadline_ms, done_fn done,
			   void *arg);
unsigned int http_server_connections(const struct http_server *server);

/* Close what is open.  Not from a handler.  Requests that handlers still have may be replied to
 * later, which then does nothing. */
void http_server_free(struct http_server *server);

#endif
