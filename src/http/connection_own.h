/* SPDX-License-Identifier: Apache-2.0 */
/* A connection from the inside: what its three files share.  connection.c has its life, its events
 * and the one transition; connection_states.c what each state does; connection_answer.c what is
 * answered and logged. */
#ifndef HTTP_CONNECTION_OWN_H
#define HTTP_CONNECTION_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "connection.h"
#include "request_own.h"
#include "server_own.h"
#include "stream.h"

enum connection_state {
	CONNECTION_PROXY,
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
	bool counted; /* as one of @peer's; not while @peer is only a proxy */

	enum connection_state state;
	bool running;  /* in run(): what is called from there only changes the state */
	bool readable; /* there may be bytes since the last read that found none */
	bool left;     /* the client has closed its end */
	bool last;     /* close after this answer */
	int64_t begun_ms, entered_ms, deadline_ms, life_end_ms;
	int64_t armed_ms; /* when the timer fires; 0: not set */
	unsigned int requests;

	char *in;		/* HTTP_HEAD_MAX bytes while a head, or a proxy's header, is read */
	size_t in_len, in_most; /* the most that has stood there */
	struct http_request *request;
	char *out;
	size_t out_len, out_sent;
	size_t discarded;
};

/* What a state does when it can go on, and how it ends when its time is over.  run() returns true
 * when the connection may be able to go on at once.  By enum connection_state. */
struct connection_state_row {
	bool (*run)(struct connection *c);
	void (*expire)(struct connection *c);
};
extern const struct connection_state_row connection_states[];

/* Nobody else writes c->state. */
void connection_enter(struct connection *c, enum connection_state state);

/* Go on as far as it goes; from within itself it does nothing. */
void connection_run(struct connection *c);

void connection_release_in(struct connection *c);
void connection_release_out(struct connection *c);

/* An answer of the server itself; ends the connection.  True, as the answer is to be written. */
bool connection_refuse(struct connection *c, int status, const char *why,
		       const struct http_field *fields);
bool connection_refuse_head(struct connection *c, const struct http_head *head);

/* A handler that has the request learns that nobody waits for its reply. */
void connection_let_go_of_request(struct connection *c);

/* A proxy's header has failed. */
void connection_log_proxy(const struct connection *c, const char *why);

/* The one line for each request.  @http is NULL for a head that was refused, @status 0 when
 * nothing was answered. */
void connection_log(const struct connection *c, const struct http_request *http, const char *id,
		    int status, const char *why);

#endif
