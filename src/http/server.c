/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "addresses.h"
#include "base/clock.h"
#include "connection.h"
#include "metrics/metrics.h"
#include "server_own.h"

#define DESCRIPTORS_KEPT 64 /* for all that is not a connection */
#define CROWD		 16 /* connections */
#define TRIM_AFTER_MS	 1000

const struct http_limits http_limits_default = {
	.connections = 20000,
	.connections_per_address = 256,
	.requests_per_connection = 1000,
	.output = 256 * 1024,
	.handshake_ms = 5000,
	.head_ms = 5000,
	.body_ms = 5000,
	.handler_ms = 3000,
	.response_ms = 10000,
	.idle_ms = 120000,
	.life_ms = 600000,
};

/* RFC 9110 section 5.6.7; made once a second. */
const char *server_date(struct http_server *server)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm;

	if (now != server->date_at || server->date[0] == '\0') {
		gmtime_r(&now, &tm);
		snprintf(server->date, sizeof(server->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
			 days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
			 (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
		server->date_at = now;
	}
	return server->date;
}

bool server_is_half_full(const struct http_server *server)
{
	return server->n_open > server->options.limits.connections / 2;
}

bool server_is_local(const uint8_t peer[16])
{
	static const uint8_t none[16];

	return memcmp(peer, none, sizeof(none)) == 0;
}

bool server_count(struct http_server *server, const uint8_t peer[16])
{
	unsigned int max = server->options.limits.connections_per_address;

	if (max == 0 || server_is_local(peer) || addresses_take(&server->addresses, peer, max))
		return true;
	meter_count(server->options.meter, METRIC_CONNECTIONS_REFUSED, METRIC_REFUSAL_ADDRESS_FULL);
	return false;
}

void server_forget(struct http_server *server, const uint8_t *peer)
{
	server->n_open--;
	meter_change(server->options.meter, METRIC_CONNECTIONS, -1);
	if (server->options.limits.connections_per_address > 0 && peer != NULL &&
	    !server_is_local(peer))
		addresses_give_back(&server->addresses, peer);
	event_active(server->reap, EV_TIMEOUT, 0);
}

/* malloc would keep for ever what a crowd has used, some 40 KiB for each handshake.  A while after
 * it has gone, as what its last ones have used lies among the rest. */
static void give_memory_back_later(struct http_server *server)
{
	static const struct timeval later = { .tv_sec = TRIM_AFTER_MS / 1000 };

	if (server->most >= CROWD && server->n_open <= server->most / 4 &&
	    !evtimer_pending(server->trim, NULL))
		evtimer_add(server->trim, &later);
}

static void on_trim(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	server->most = server->n_open;
	malloc_trim(0);
}

/* Every connection ends here, at the end of a turn, so the end of a drain is seen here too. */
static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct error none = { 0 };
	done_fn drained;

	(void)fd;
	(void)what;
	connections_reap(server);
	give_memory_back_later(server);
	if (!server->draining || server->n_open > 0 || server->drained == NULL)
		return;
	evtimer_del(server->drain_deadline);
	drained = server->drained;
	server->drained = NULL;
	drained(server->drained_arg, &none);
}

/* ---- life ---- */

static void on_drain_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	connections_close(server);
}

static void leave(struct http_server *server, unsigned int deadline_ms, done_fn done, void *arg)
{
	const struct timeval tv = { .tv_sec = deadline_ms / 1000,
				    .tv_usec = (suseconds_t)(deadline_ms % 1000 * 1000) };

	server->draining = true;
	server->drained = done;
	server->drained_arg = arg;
	server_stop_listening(server);
	if (evtimer_add(server->drain_deadline, &tv) != 0)
		event_active(server->drain_deadline, EV_TIMEOUT, 0); /* rather than never */
	event_active(server->reap, EV_TIMEOUT, 0);
}

void http_server_drain(struct http_server *server, unsigned int deadline_ms, done_fn done,
		       void *arg)
{
	server->handing_over = false;
	leave(server, deadline_ms, done, arg);
	connections_drain(server);
}

void http_server_hand_over(struct http_server *server, unsigned int deadline_ms, done_fn done,
			   void *arg)
{
	server->handing_over = true;
	leave(server, deadline_ms, done, arg);
}

unsigned int http_server_connections(const struct http_server *server)
{
	return server->n_open;
}

/* Running out of descriptors is worse than turning clients away, as nothing else opens then. */
static void fit_descriptors(struct http_server *server)
{
	struct http_limits *limits = &server->options.limits;
	struct rlimit files;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return;
	room = files.rlim_cur > 2 * DESCRIPTORS_KEPT ? files.rlim_cur - DESCRIPTORS_KEPT
						     : files.rlim_cur / 2;
	if (limits->connections <= room)
		return;
	if (server->options.log != NULL)
		log_warning(server->options.log, "fewer connections than configured: raise nofile",
			    LOG_NUMBER("configured", limits->connections),
			    LOG_NUMBER("connections", (int64_t)room));
	limits->connections = (unsigned int)room;
}

struct http_server *http_server_new(const struct http_server_options *options, struct error *error)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	server->options = *options;
	if (options->tls != NULL)
		SSL_CTX_up_ref(options->tls);
	signal(SIGPIPE, SIG_IGN);
	fit_descriptors(server);
	server->reserve_fd = -1;
	server_take_reserve(server);
	server->pause = evtimer_new(options->base, server_on_pause_over, server);
	server->reap = evtimer_new(options->base, on_reap, server);
	server->trim = evtimer_new(options->base, on_trim, server);
	server->drain_deadline = evtimer_new(options->base, on_drain_deadline, server);
	if (server->pause != NULL && server->reap != NULL && server->trim != NULL &&
	    server->drain_deadline != NULL)
		return server;
	error_set(error, ERROR_UNAVAILABLE, "out of memory");
	http_server_free(server);
	return NULL;
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	if (server->pause != NULL)
		server_stop_listening(server);
	connections_close(server);
	connections_reap(server);
	free_event(server->pause);
	free_event(server->reap);
	free_event(server->trim);
	free_event(server->drain_deadline);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	SSL_CTX_free(server->options.tls);
	free(server);
}
