/* SPDX-License-Identifier: Apache-2.0 */
/* The server from the inside: what its connections use. */
#ifndef HTTP_SERVER_OWN_H
#define HTTP_SERVER_OWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "http/server.h"
#include "response.h"

struct connection;

LIST_HEAD(connection_list, connection);

struct http_server {
	struct http_server_options options;
	struct connection_list open, dying;
	unsigned int n_open;
	int slots;	   /* of libevent, for descriptors below this number */
	unsigned int most; /* at once, since memory was given back */
	struct addresses *addresses;

	LIST_HEAD(, listener) listeners;
	int reserve_fd; /* given up to refuse a client when there are no descriptors */
	struct event *pause, *reap, *trim;
	int64_t hurried_ms; /* when idle connections were last told to hurry */

	bool draining;
	bool handing_over; /* without haste */
	struct event *drain_deadline;
	done_fn drained;
	void *drained_arg;

	time_t date_at;
	char date[RESPONSE_DATE_SIZE];
};

const char *server_date(struct http_server *server);
bool server_is_half_full(const struct http_server *server);

bool server_is_local(const uint8_t peer[16]); /* no address: the local socket */

/* Count one more connection of this address; false when it has too many. */
bool server_count(struct http_server *server, const uint8_t peer[16]);
/* One has closed, counted for @peer, or for nobody yet when that is NULL. */
void server_forget(struct http_server *server, const uint8_t *peer);

void server_take_reserve(struct http_server *server);
void server_stop_listening(struct http_server *server);
/* What the event "pause" calls. */
void server_on_pause_over(int fd, short what, void *arg);

#endif
