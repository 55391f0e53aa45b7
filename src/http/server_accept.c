/* SPDX-License-Identifier: Apache-2.0 */
/* How a server's connections come in: whom it lets in, and what it does without descriptors. */
#define _GNU_SOURCE /* accept4() */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "connection.h"
#include "metrics/metrics.h"
#include "server_own.h"

#define ACCEPTS_A_TURN 64
#define PAUSE_MS       100
#define HURRY_AGAIN_MS 1000
#define SLOTS	       256

struct listener {
	LIST_ENTRY(listener) link;
	struct http_server *server;
	struct event *event;
};

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
			return !server_is_local(peer);
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

static void on_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* libevent keeps a few bytes for every descriptor that it has ever had, and never frees them.  Made
 * one by one, between what connections use and give back, each would hold on to a page; so they are
 * made for the next many at once. */
static void make_slots(struct http_server *server, int fd)
{
	int copies[SLOTS], n = 0;
	struct event event;

	if (fd < server->slots)
		return;
	server->slots = fd + 1;
	while (n < SLOTS && (copies[n] = dup(fd)) >= 0) {
		event_assign(&event, server->options.base, copies[n], EV_READ | EV_ET, on_nothing,
			     NULL);
		event_add(&event, NULL);
		event_del(&event);
		if (copies[n++] >= server->slots)
			server->slots = copies[n - 1] + 1;
	}
	while (n > 0)
		close(copies[--n]);
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
	make_slots(server, fd);
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

void server_take_reserve(struct http_server *server)
{
	if (server->reserve_fd < 0)
		server->reserve_fd = spare_descriptor();
}

/* Without memory for the timer it is over at the next turn, rather than never. */
static void pause_for_a_while(struct http_server *server)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };

	if (evtimer_add(server->pause, &pause) != 0)
		event_active(server->pause, EV_TIMEOUT, 0);
}

void server_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct listener *listener;

	(void)fd;
	(void)what;
	server_take_reserve(server);
	LIST_FOREACH(listener, &server->listeners, link)
	if (event_add(listener->event, NULL) != 0)
		pause_for_a_while(server);
}

/* The listener stays readable, so waiting for it would spin. */
static void pause_accepting(struct http_server *server, int cause)
{
	struct listener *listener;

	if (server->options.log != NULL)
		log_warning(server->options.log, "accepting pauses",
			    LOG_TEXT("cause", strerror(cause)),
			    LOG_NUMBER("connections", server->n_open));
	LIST_FOREACH(listener, &server->listeners, link)
	event_del(listener->event);
	pause_for_a_while(server);
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

void server_stop_listening(struct http_server *server)
{
	struct listener *listener;

	evtimer_del(server->pause);
	while ((listener = LIST_FIRST(&server->listeners)) != NULL) {
		LIST_REMOVE(listener, link);
		event_free(listener->event);
		free(listener);
	}
}
