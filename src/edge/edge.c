/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/edge.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>
#include <openssl/ssl.h>

#include "base/cidr.h"
#include "config/config.h"
#include "confine/confine.h"
#include "crypto/locked_heap.h"
#include "edge/certificates.h"
#include "edge/face.h"
#include "edge/oauth_server.h"
#include "edge/routes.h"
#include "edge/services.h"
#include "edge/token_answer.h"
#include "http/server.h"
#include "ipc/channel.h"
#include "ipc/control.h"
#include "metrics/metrics.h"

/* Cut off for so long, with no new peer from the monitor: whatever went wrong, a new process will
 * be given one. */
#define CUT_OFF_S 10

/* Probes of the node's own operator. */
#define LOCAL_CONNECTIONS 64

/* How it leaves: others have its place, or nobody. */
enum leaving { STAYS, HANDS_OVER, DRAINS };

typedef void (*leave_fn)(struct http_server *server, unsigned int deadline_ms, done_fn done,
			 void *arg);

struct edge {
	const struct edge_options *options;
	struct services services;
	struct event_base *base;
	SSL_CTX *tls;
	struct cidr proxies[CONFIG_LIST_MAX];
	struct http_server *public_server;
	struct http_server *local_server;
	struct ipc_control *control;
	struct event *cut_off;
	unsigned int draining; /* servers that are not empty yet */
	enum leaving leaving;
	bool begun; /* to accept */
	int status; /* of exit */
};

/* ---- the end ---- */

static void on_drained(void *arg, const struct error *error)
{
	struct edge *edge = arg;

	(void)error;
	if (--edge->draining == 0)
		event_base_loopbreak(edge->base);
}

/* Who comes now is refused by the kernel and goes to another node; in the backlog he would wait for
 * nothing.  They are shared with the other edges, which keep theirs. */
static void close_listeners(const struct edge_options *options)
{
	for (size_t i = 0; i < options->n_listeners; i++)
		close(options->listeners[i]);
	close(options->local_fd);
}

/* One that hands over may be told to drain before it has done. */
static void leave(struct edge *edge, enum leaving how, int status)
{
	unsigned int deadline_ms = (unsigned int)edge->options->config->drain_timeout_ms;
	const leave_fn act = how == DRAINS ? http_server_drain : http_server_hand_over;

	if (edge->leaving >= how)
		return;
	if (edge->leaving == STAYS)
		edge->status = status;
	edge->draining = 2;
	act(edge->public_server, deadline_ms, on_drained, edge);
	act(edge->local_server, deadline_ms, on_drained, edge);
	if (edge->leaving == STAYS)
		close_listeners(edge->options);
	edge->leaving = how;
}

static void on_control_end(void *arg)
{
	struct edge *edge = arg;

	log_info(edge->options->log, "draining");
	leave(edge, DRAINS, 0);
}

/* ---- the authority comes and goes ---- */

static void on_peer(struct edge *edge, int fd)
{
	evtimer_del(edge->cut_off);
	ipc_channel_attach(edge->services.authority, fd);
}

static void on_lost(void *arg, const struct error *why)
{
	const struct timeval patience = { .tv_sec = CUT_OFF_S };
	struct edge *edge = arg;

	log_warning(edge->options->log, "the authority is lost", LOG_TEXT("why", why->detail));
	evtimer_add(edge->cut_off, &patience);
}

static void on_cut_off(evutil_socket_t fd, short what, void *arg)
{
	struct edge *edge = arg;

	(void)fd;
	(void)what;
	log_error(edge->options->log, "no authority has come: leaving, to be replaced");
	leave(edge, DRAINS, 1);
}

static const char *is_ready(void *arg)
{
	const struct edge *edge = arg;

	return ipc_channel_is_ready(edge->services.authority) ? NULL
							      : "no authority that can issue";
}

/* The authority said so. */
static void on_ready(void *arg)
{
	struct edge *edge = arg;

	if (edge->control != NULL)
		ipc_control_tell(edge->control);
}

/* ---- the beginning ---- */

static struct http_limits limits_of(const struct config *config)
{
	struct http_limits limits = http_limits_default;

	limits.connections = (unsigned int)config->connections_max;
	limits.connections_per_address = (unsigned int)config->connections_per_address_max;
	limits.requests_per_connection = (unsigned int)config->requests_per_connection_max;
	limits.handshake_ms = (unsigned int)config->handshake_timeout_ms;
	limits.head_ms = (unsigned int)config->head_timeout_ms;
	limits.body_ms = (unsigned int)config->body_timeout_ms;
	limits.handler_ms = (unsigned int)config->handler_timeout_ms;
	limits.response_ms = (unsigned int)config->response_timeout_ms;
	limits.idle_ms = (unsigned int)config->idle_timeout_ms;
	limits.life_ms = (unsigned int)config->connection_life_ms;
	return limits;
}

/* The signals of a terminal reach every process of a group; the monitor heeds them, and ends us by
 * closing the control pair. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

static bool make_loop(struct edge *edge, struct error *error)
{
	const struct edge_options *options = edge->options;

	edge->base = event_base_new();
	if (edge->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	edge->services.authority =
		ipc_channel_new(edge->base, (unsigned int)options->config->orders_max);
	edge->cut_off = evtimer_new(edge->base, on_cut_off, edge);
	if (edge->services.authority == NULL || edge->cut_off == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	ipc_channel_on_lost(edge->services.authority, on_lost, edge);
	ipc_channel_on_ready(edge->services.authority, on_ready, edge);
	return true;
}

static bool parse_proxies(struct edge *edge, struct error *error)
{
	const struct config_list *from = &edge->options->config->proxy_protocol_from;

	for (size_t i = 0; i < from->n; i++)
		if (!cidr_parse(from->item[i], &edge->proxies[i], error))
			return error_context(error, "proxy_protocol_from");
	return true;
}

/* Its key is easily replaced: where it cannot be locked, the edge serves all the same. */
static bool make_locked_heap(const struct edge_options *options, struct error *error)
{
	size_t connections = (size_t)options->config->connections_max;
	struct error why = { 0 };

	if (locked_heap_make(LOCKED_HEAP_BASE + connections * LOCKED_HEAP_PER_CONNECTION, &why))
		return true;
	if (why.kind != ERROR_LIMITED)
		return error_set(error, why.kind, "%s", why.detail);
	log_warning(options->log, "the TLS key may be swapped out", LOG_TEXT("why", why.detail));
	return true;
}

static bool make_public_server(struct edge *edge, struct error *error)
{
	const struct edge_options *options = edge->options;
	const struct config *config = options->config;
	const struct config_list *names = &config->server_names;
	struct http_server_options server = {
		.base = edge->base,
		.hosts = names->n == 0 ? NULL : (const char *const *)names->item,
		.routes = edge_public_routes,
		.form_of = face_form_of,
		.arg = &edge->services,
		.proxies = edge->proxies,
		.n_proxies = config->proxy_protocol_from.n,
		.limits = limits_of(config),
		.meter = options->meter,
		.log = options->log,
	};

	if (!parse_proxies(edge, error))
		return false;
	edge->tls = tls_server_context(config->tls_certificate, config->tls_key,
				       options->ticket_key, error);
	if (edge->tls == NULL)
		return false;
	server.tls = edge->tls;
	edge->public_server = http_server_new(&server, error);
	return edge->public_server != NULL;
}

static bool make_local_server(struct edge *edge, struct error *error)
{
	const struct edge_options *options = edge->options;
	struct http_server_options server = {
		.base = edge->base,
		.routes = edge_local_routes,
		.arg = &edge->services,
		.limits = limits_of(options->config),
		.meter = options->meter,
		.log = options->log,
	};

	server.limits.connections = LOCAL_CONNECTIONS;
	edge->local_server = http_server_new(&server, error);
	return edge->local_server != NULL;
}

static bool listen_to_all(struct edge *edge, struct error *error)
{
	const struct edge_options *options = edge->options;

	for (size_t i = 0; i < options->n_listeners; i++)
		if (!http_server_listen(edge->public_server, options->listeners[i], error))
			return false;
	return http_server_listen(edge->local_server, options->local_fd, error);
}

static void begin(struct edge *edge)
{
	struct error error = { 0 };

	if (edge->begun || edge->leaving != STAYS)
		return;
	edge->begun = true;
	if (listen_to_all(edge, &error))
		return;
	log_error(edge->options->log, "the edge cannot listen", LOG_TEXT("why", error.detail));
	leave(edge, DRAINS, 1);
}

static void on_message(void *arg, const struct ipc_control_message *message)
{
	struct edge *edge = arg;

	if (message->kind == IPC_CONTROL_PEER)
		on_peer(edge, message->fd);
	else if (message->kind == IPC_CONTROL_BEGIN)
		begin(edge);
	else if (message->kind == IPC_CONTROL_HAND_OVER)
		leave(edge, HANDS_OVER, 0);
	else if (message->fd >= 0)
		close(message->fd);
}

/* The parent is heard last: what it brings finds everything made. */
static bool make_control(struct edge *edge, struct error *error)
{
	edge->control = ipc_control_new(edge->base, edge->options->control_fd, on_message,
					on_control_end, edge);
	return edge->control != NULL || error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

/* From here on it has started. */
static bool start_to_tell(struct edge *edge, struct error *error)
{
	return ipc_control_beat(edge->control, is_ready) ||
	       error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

static bool make(struct edge *edge, struct error *error)
{
	const struct config *config = edge->options->config;

	if (!make_locked_heap(edge->options, error) || !make_loop(edge, error))
		return false;
	edge->services.token_answer = token_answer_new(config, error);
	if (edge->services.token_answer == NULL)
		return false;
	edge->services.oauth = oauth_server_new(config, error);
	if (edge->services.oauth == NULL)
		return false;
	edge->services.certificates = certificate_store_load(
		config->certificates, config->signer_certificate, edge->options->log, error);
	return edge->services.certificates != NULL && make_public_server(edge, error) &&
	       make_local_server(edge, error) &&
	       (edge->options->waits || listen_to_all(edge, error)) && make_control(edge, error);
}

/* The parent says it to the operator, if it is not the log that he reads. */
static void cannot_start(const struct edge_options *options, const struct error *error)
{
	struct error unsaid = { 0 };

	log_error(options->log, "the edge cannot start", LOG_TEXT("why", error->detail));
	(void)!ipc_control_send(options->control_fd, IPC_CONTROL_CANNOT, error->detail, -1,
				&unsaid);
}

/* Everything is open by now; what comes is accepted, or handed over by the monitor. */
static bool enter_confinement(const struct edge_options *options, struct error *error)
{
	struct confine_profile profile = { .parts = CONFINE_SERVES, .log = options->log };

	if (!options->confined)
		return true;
	profile.refused = meter_counter(options->meter, METRIC_CALLS_REFUSED, 0);
	return confine_enter(&profile, error);
}

/* The channel first: the orders that wait still have their requests. */
static void clear(struct edge *edge)
{
	ipc_channel_free(edge->services.authority);
	http_server_free(edge->public_server);
	http_server_free(edge->local_server);
	ipc_control_free(edge->control);
	certificate_store_free(edge->services.certificates);
	oauth_server_free(edge->services.oauth);
	token_answer_free(edge->services.token_answer);
	SSL_CTX_free(edge->tls);
	if (edge->cut_off != NULL)
		event_free(edge->cut_off);
	if (edge->base != NULL)
		event_base_free(edge->base);
}

int edge_run(const struct edge_options *options)
{
	struct edge edge = {
		.options = options,
		.services = { .config = options->config,
			      .log = options->log,
			      .limits = options->limits,
			      .metrics = options->metrics,
			      .meter = options->meter },
		.begun = !options->waits,
		.status = 1,
	};
	struct error error = { 0 };

	ignore_signals();
	json_object_seed(0); /* now, and not when the first client asks */
	if (make(&edge, &error) && enter_confinement(options, &error) &&
	    start_to_tell(&edge, &error)) {
		log_info(options->log, "edge started");
		event_base_dispatch(edge.base);
	} else {
		cannot_start(options, &error);
	}
	clear(&edge);
	return edge.status;
}
