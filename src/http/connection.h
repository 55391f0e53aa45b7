/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: one state, changed in one function, with a deadline for each that no byte
 * resets.
 *
 *   (proxy →) handshake → head → body → handler → response ─→ closing → closed
 *                           ↑                        │
 *                           └──────── idle ←─────────┘         (from every state: closed)
 *
 * "proxy" and "handshake" have one deadline together.
 *
 * The descriptor's one event is edge-triggered and stays registered for life: in the state
 * "handler" nothing is read, yet a client that leaves is seen, and no request costs a call of
 * epoll_ctl.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct connection;
struct http_reply;
struct http_server;

/* Takes @fd also when it fails.  @peer is all zero on a local socket.  @for_another: it is a proxy,
 * which says first whose the connection is; only then it is counted for an address. */
bool connection_new(struct http_server *server, int fd, const uint8_t peer[16], bool for_another);

void connection_reply(struct connection *connection, const struct http_reply *reply);
void connection_drop(struct connection *connection); /* close without an answer */
void connection_report(struct connection *connection, const struct error *error);

/* For all of a server's connections. */
void connections_drain(struct http_server *server); /* close what is not in use */
void connections_hurry(struct http_server *server); /* idle ones have less time from now on */
void connections_close(struct http_server *server);
void connections_reap(struct http_server *server); /* free what has closed, at the turn's end */

#endif
