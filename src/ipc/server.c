/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "ipc/channel.h"
#include "metrics/metrics.h"
#include "stream.h"

/* Answers that an edge has not read.  With more it gets no further order in. */
enum { UNREAD_MAX = 4 * 1024 * 1024 };

/* One edge.  It outlives its stream until the last of its tickets has been answered. */
struct connection {
	TAILQ_ENTRY(connection) link;
	struct ipc_server *server;
	struct ipc_stream stream;
	unsigned int tickets;
};

struct ipc_server {
	struct event_base *base;
	struct ipc_handlers handlers;
	void *arg;
	ipc_lost_fn on_lost;
	void *on_lost_arg;
	struct meter *meter;
	bool ready;
	struct event *heartbeat;
	TAILQ_HEAD(, connection) connections;
	unsigned int tickets;
};

struct ipc_ticket {
	struct connection *connection;
	uint64_t id;
	enum ipc_kind answer; /* the kind that it wants */
	bool dry_run;
};

/* ---- one edge ---- */

static void connection_free_if_unused(struct connection *connection)
{
	if (!ipc_stream_is_open(&connection->stream) && connection->tickets == 0)
		free(connection);
}

static void connection_close(struct connection *connection)
{
	TAILQ_REMOVE(&connection->server->connections, connection, link);
	ipc_stream_close(&connection->stream);
	connection_free_if_unused(connection);
}

/* What cannot be sent whole ends the stream: the edge shall not wait for it in vain. */
static void connection_send(struct connection *connection, const struct ipc_header *header,
			    const void *body)
{
	if (!ipc_stream_send(&connection->stream, header, body))
		connection_close(connection);
}

static void connection_tell_ready(struct connection *connection)
{
	const struct ipc_status status = { .ready = connection->server->ready };
	const struct ipc_header header = { .kind = IPC_STATUS, .size = sizeof(status) };

	connection_send(connection, &header, &status);
}

/* ---- orders ---- */

#define HAND_ON(handler, member)                                                                   \
	if (server->handlers.handler == NULL)                                                      \
		break;                                                                             \
	server->handlers.handler(server->arg, &message->body.member, ticket);                      \
	return

static void hand_on(struct ipc_server *server, const struct ipc_message *message,
		    struct ipc_ticket *ticket)
{
	switch ((enum ipc_kind)message->header.kind) {
	case IPC_ORDER:
		HAND_ON(on_order, order);
	case IPC_GRANT:
		HAND_ON(on_grant, grant);
	case IPC_LOGIN:
		HAND_ON(on_login, login);
	case IPC_REVOKE:
		HAND_ON(on_revoke, revoke);
	case IPC_REPORT:
		HAND_ON(on_report, report);
	default:
		break;
	}
	ipc_answer_failed(ticket);
}

static void on_message(void *arg, const struct ipc_message *message)
{
	struct connection *connection = arg;
	struct ipc_server *server = connection->server;
	struct ipc_ticket *ticket = malloc(sizeof(*ticket));

	if (ticket == NULL) {
		connection_close(connection);
		return;
	}
	*ticket = (struct ipc_ticket){ .connection = connection,
				       .id = message->header.id,
				       .answer = ipc_kind_answer(message->header.kind),
				       .dry_run = message->header.kind == IPC_ORDER &&
						  message->body.order.dry_run };
	connection->tickets++;
	server->tickets++;
	meter_change(server->meter, METRIC_ORDERS_WAITING, 1);
	hand_on(server, message, ticket);
}

static void on_end(void *arg, const struct error *why)
{
	struct connection *connection = arg;
	struct ipc_server *server = connection->server;

	connection_close(connection);
	if (server->on_lost != NULL)
		server->on_lost(server->on_lost_arg, why);
}

void ipc_server_attach(struct ipc_server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		abort(); /* an edge that would wait for ever */
	connection->server = server;
	connection->stream = (struct ipc_stream){ .reader = IPC_READER_AUTHORITY,
						  .unread_max = UNREAD_MAX,
						  .on_message = on_message,
						  .on_end = on_end,
						  .arg = connection };
	if (!ipc_stream_open(&connection->stream, server->base, fd))
		abort();
	TAILQ_INSERT_TAIL(&server->connections, connection, link);
	connection_tell_ready(connection);
}

/* ---- answers ---- */

static void count_order(struct meter *meter, const struct answer *answer, bool dry_run)
{
	if (dry_run)
		meter_count(meter, METRIC_DRY_RUNS, 0);
	else
		meter_count(meter, METRIC_ORDERS, answer->failed ? VERDICT_COUNT : answer->verdict);
}

static enum metric_outcome outcome_of(const struct grant_answer *answer)
{
	if (answer->failed)
		return METRIC_OUTCOME_FAILED;
	return answer->verdict == VERDICT_ISSUED ? METRIC_OUTCOME_GRANTED : METRIC_OUTCOME_REFUSED;
}

static void count(struct meter *meter, const struct ipc_ticket *ticket, const union ipc_body *body)
{
	meter_change(meter, METRIC_ORDERS_WAITING, -1);
	if (ticket->answer == IPC_ANSWER)
		count_order(meter, &body->answer, ticket->dry_run);
	if (ticket->answer == IPC_LOGIN_ANSWER)
		meter_count(meter, METRIC_LOGINS, outcome_of(&body->granted));
	if ((ticket->answer == IPC_LOGIN_ANSWER || ticket->answer == IPC_GRANT_ANSWER) &&
	    outcome_of(&body->granted) == METRIC_OUTCOME_GRANTED)
		meter_count(meter, METRIC_ACCESS_TOKENS, 0);
}

/* Ends the ticket. */
static void answer(struct ipc_ticket *ticket, union ipc_body *body)
{
	struct connection *connection = ticket->connection;
	struct ipc_header header = { .kind = ticket->answer,
				     .size = (uint32_t)ipc_kind_size(ticket->answer),
				     .id = ticket->id };
	struct error error = { 0 };

	ipc_body_tidy(header.kind, body);
	if (!ipc_body_check(header.kind, body, &error))
		ipc_answer_make_failed(header.kind, body);
	count(connection->server->meter, ticket, body);
	free(ticket);
	connection->tickets--;
	connection->server->tickets--;
	if (!ipc_stream_is_open(&connection->stream)) {
		connection_free_if_unused(connection);
		return;
	}
	connection_send(connection, &header, body);
}

void ipc_answer(struct ipc_ticket *ticket, const struct answer *with)
{
	assert(ticket->answer == IPC_ANSWER);
	answer(ticket, &(union ipc_body){ .answer = *with });
}

void ipc_answer_grant(struct ipc_ticket *ticket, const struct grant_answer *with)
{
	union ipc_body body = { .granted = *with };

	assert(ticket->answer == IPC_GRANT_ANSWER || ticket->answer == IPC_LOGIN_ANSWER);
	answer(ticket, &body);
	explicit_bzero(&body, sizeof(body));
}

void ipc_answer_access(struct ipc_ticket *ticket, const struct access_answer *with)
{
	assert(ticket->answer == IPC_REVOKE_ANSWER || ticket->answer == IPC_REPORT_ANSWER);
	answer(ticket, &(union ipc_body){ .done = *with });
}

void ipc_answer_failed(struct ipc_ticket *ticket)
{
	union ipc_body body;

	ipc_answer_make_failed(ticket->answer, &body);
	answer(ticket, &body);
}

/* ---- readiness ---- */

static void tell_all(struct ipc_server *server)
{
	struct connection *next;

	for (struct connection *c = TAILQ_FIRST(&server->connections); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		connection_tell_ready(c);
	}
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell_all(arg);
}

void ipc_server_tell_ready(struct ipc_server *server, bool ready)
{
	if (server->ready == ready)
		return;
	server->ready = ready;
	meter_set(server->meter, METRIC_READY, ready);
	tell_all(server);
}

/* ---- life ---- */

void ipc_server_set_meter(struct ipc_server *server, struct meter *meter)
{
	server->meter = meter;
}

void ipc_server_on_lost(struct ipc_server *server, ipc_lost_fn on_lost, void *arg)
{
	server->on_lost = on_lost;
	server->on_lost_arg = arg;
}

unsigned int ipc_server_pending(const struct ipc_server *server)
{
	return server->tickets;
}

struct ipc_server *ipc_server_new(struct event_base *base, const struct ipc_handlers *handlers,
				  void *arg)
{
	struct ipc_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	*server = (struct ipc_server){ .base = base, .handlers = *handlers, .arg = arg };
	TAILQ_INIT(&server->connections);
	server->heartbeat = event_new(base, -1, EV_PERSIST, on_heartbeat, server);
	if (server->heartbeat == NULL ||
	    event_add(server->heartbeat, &(struct timeval){ .tv_sec = IPC_HEARTBEAT_MS / 1000 }) !=
		    0) {
		ipc_server_free(server);
		return NULL;
	}
	return server;
}

void ipc_server_free(struct ipc_server *server)
{
	struct connection *connection;

	if (server == NULL)
		return;
	assert(server->tickets == 0);
	while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
		connection_close(connection);
	if (server->heartbeat != NULL)
		event_free(server->heartbeat);
	free(server);
}
