/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* accept4() */
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "addresses.h"
#include "base/clock.h"
#include "connection.h"
#include "metrics/metrics.h"
#include "server_own.h"

#define ACCEPTS_A_TURN	 64
#define PAUSE_MS	 100
#define HURRY_AGAIN_MS	 1000
#define DESCRIPTORS_KEPT 64 /* for all that is not a connection */
#define CROWD		 64 /* connections */

struct listener {
	LIST_ENTRY(listener) link;
	struct http_server *server;
	struct event *event;
};

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

static bool is_local(const uint8_t peer[16])
{
	static const uint8_t none[16];

	return memcmp(peer, none, sizeof(none)) == 0;
}

bool server_count(struct http_server *server, const uint8_t peer[16])
{
	unsigned int max = server->options.limits.connections_per_address;

	if (max == 0 || is_local(peer) || addresses_take(&server->addresses, peer, max))
		return true;
	meter_count(server->options.meter, METRIC_CONNECTIONS_REFUSED, METRIC_REFUSAL_ADDRESS_FULL);
	return false;
}

void server_forget(struct http_server *server, const uint8_t *peer)
{
	server->n_open--;
	meter_change(server->options.meter, METRIC_CONNECTIONS, -1);
	if (server->options.limits.connections_per_address > 0 && peer != NULL && !is_local(peer))
		addresses_give_back(&server->addresses, peer);
	event_active(server->reap, EV_TIMEOUT, 0);
}

/* malloc would keep for ever what a crowd has used, some 40 KiB for each handshake. */
static void give_memory_back(struct http_server *server)
{
	if (server->most < CROWD || server->n_open > server->most / 4)
		return;
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
	give_memory_back(server);
	if (!server->draining || server->n_open > 0 || server->drained == NULL)
		return;
	evtimer_del(server->drain_deadline);
	drained = server->drained;
	server->drained = NULL;
	drained(server->drained_arg, &none);
}

/* ---- accepting ---- */

static void peer_of(const struct sockaddr_storage *address, uint8_t peer[16])
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;

	memset(peer, 0, 16);
	if (address->ss_family == AF_INET6) {
		memcpy(peer, &ipv6->sin6_addr, 16);
	} else if (address->ss_family == AF_INET) {
		peer[10] = peer[11] = 0xff;
		memcpy(peer + 12, &ipv4->sin_addr, 4);
	}
}

static bool is_proxy(const struct http_server *server, const uint8_t peer[16])
{
	for (size_t i = 0; i < server->options.n_proxies; i++)
		if (cidr_contains(&server->options.proxies[i], peer))
			return !is_local(peer);
	return false;
}

/* Whose a proxy's connection is, it has to say first. */
static bool may_enter(struct http_server *server, const uint8_t peer[16], bool for_another)
{
	if (server->n_open < server->options.limits.connections)
		return for_another || server_count(server, peer);
	meter_count(server->options.meter, METRIC_CONNECTIONS_REFUSED, METRIC_REFUSAL_NODE_FULL);
	return false;
}

static void hurry_when_half_full(struct http_server *server)
{
	int64_t now = clock_running_ms();

	if (server->n_open != server->options.limits.connections / 2 + 1 ||
	    now - server->hurried_ms < HURRY_AGAIN_MS)
		return;
	server->hurried_ms = now;
	connections_hurry(server);
}

/* Who is too many is closed at once: a client that knows can try elsewhere. */
static void welcome(struct http_server *server, int fd, const struct sockaddr_storage *address)
{
	uint8_t peer[16];
	bool for_another;

	peer_of(address, peer);
	for_another = is_proxy(server, peer);
	if (!may_enter(server, peer, for_another)) {
		close(fd);
		return;
	}
	meter_count(server->options.meter, METRIC_CONNECTIONS_ACCEPTED, 0);
	meter_change(server->options.meter, METRIC_CONNECTIONS, 1);
	if (++server->n_open > server->most)
		server->most = server->n_open;
	if (connection_new(server, fd, peer, for_another))
		hurry_when_half_full(server);
	else
		server_forget(server, for_another ? NULL : peer);
}

/* Of a file that is there: a confined process opens none. */
static int spare_descriptor(void)
{
	return dup(STDERR_FILENO);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct listener *listener;

	(void)fd;
	(void)what;
	server->paused = false;
	if (server->reserve_fd < 0)
		server->reserve_fd = spare_descriptor();
	LIST_FOREACH(listener, &server->listeners, link)
	event_add(listener->event, NULL);
}

/* The listener stays readable, so waiting for it would spin. */
static void pause_accepting(struct http_server *server, int cause)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	struct listener *listener;

	if (server->options.log != NULL)
		log_warning(server->options.log, "accepting pauses",
			    LOG_TEXT("cause", strerror(cause)),
			    LOG_NUMBER("connections", server->n_open));
	server->paused = true;
	LIST_FOREACH(listener, &server->listeners, link)
	event_del(listener->event);
	evtimer_add(server->pause, &pause);
}

/* One client learns by a close that there is no room, instead of waiting in the queue. */
static void spend_reserve(struct http_server *server, int listen_fd)
{
	if (server->reserve_fd < 0)
		return;
	close(server->reserve_fd);
	server->reserve_fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	server->reserve_fd = spare_descriptor();
}

static void on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct http_server *server = listener->server;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = sizeof(address);
		int fd = accept4(listen_fd, (struct sockaddr *)&address, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(server, fd, &address);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			pause_accepting(server, errno);
			spend_reserve(server, listen_fd);
		}
		return;
	}
}

bool http_server_listen(struct http_server *server, int fd, struct error *error)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int flags = fcntl(fd, F_GETFL);

	if (listener == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	listener->server = server;
	listener->event =
		event_new(server->options.base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || listener->event == NULL ||
	    event_add(listener->event, NULL) != 0) {
		if (listener->event != NULL)
			event_free(listener->event);
		free(listener);
		return error_set(error, ERROR_UNAVAILABLE, "cannot listen on descriptor %d: %s", fd,
				 strerror(errno));
	}
	LIST_INSERT_HEAD(&server->listeners, listener, link);
	return true;
}

static void stop_listening(struct http_server *server)
{
	struct listener *listener;

	evtimer_del(server->pause);
	while ((listener = LIST_FIRST(&server->listeners)) != NULL) {
		LIST_REMOVE(listener, link);
		event_free(listener->event);
		free(listener);
	}
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
	stop_listening(server);
	evtimer_add(server->drain_deadline, &tv);
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
	server->reserve_fd = spare_descriptor();
	server->pause = evtimer_new(options->base, on_pause_over, server);
	server->reap = evtimer_new(options->base, on_reap, server);
	server->drain_deadline = evtimer_new(options->base, on_drain_deadline, server);
	if (server->pause != NULL && server->reap != NULL && server->drain_deadline != NULL)
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
		stop_listening(server);
	connections_close(server);
	connections_reap(server);
	free_event(server->pause);
	free_event(server->reap);
	free_event(server->drain_deadline);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	SSL_CTX_free(server->options.tls);
	free(server);
}
