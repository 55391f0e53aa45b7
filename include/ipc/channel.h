/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream between one edge and the authority: orders one way, answers and readiness back.
 *
 * Messages have a fixed layout (ipc/message.h): kind, size, id, then a struct of ipc/order.h.
 * Whatever does not fit its kind's size and ranges ends the channel: a peer that sends it is
 * broken.  Everything written in one turn of the loop leaves in one write.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>

#include "base/done.h"
#include "ipc/order.h"

struct event_base;

/* ---- the edge's end ---- */

struct ipc_channel;

/* A channel with no peer yet.  Orders fail with ERROR_UNAVAILABLE until ipc_channel_attach().
 * At most @pending_max orders wait for an answer; one more is ERROR_UNAVAILABLE. */
struct ipc_channel *ipc_channel_new(struct event_base *base, unsigned int pending_max);

/* Take @fd, a connected stream socket, as the authority from now on.  Orders in flight to an
 * earlier one fail with ERROR_UNAVAILABLE. */
void ipc_channel_attach(struct ipc_channel *channel, int fd /* takes it */);

/* What the authority said last of itself: can a token be issued now?  False without a peer, or
 * when it has been silent for 5 s. */
bool ipc_channel_is_ready(const struct ipc_channel *channel);

/* Copy the order and send it; fill @answer before @done, from the loop, never before this
 * returns.  ERROR_UNAVAILABLE when the authority is gone, goes before it has answered, has no
 * room, or does not answer within 3 s.  @answer lives until @done has run. */
void ipc_order_start(struct ipc_channel *authority, const struct order *order,
		     struct answer *answer, done_fn done, void *arg);

void ipc_channel_free(struct ipc_channel *channel); /* fails what waits */

/* ---- the authority's end ---- */

struct ipc_server;
struct ipc_ticket; /* one order to be answered; ipc_answer() ends it */

/* An order has come in.  It is checked: kinds, ranges, terminated texts. */
typedef void (*ipc_order_fn)(void *arg, const struct order *order, struct ipc_ticket *ticket);

struct ipc_server *ipc_server_new(struct event_base *base, ipc_order_fn on_order, void *arg);
void ipc_server_attach(struct ipc_server *server, int fd /* takes it */); /* one more edge */
void ipc_server_tell_ready(struct ipc_server *server, bool ready);	  /* to every edge */

/* Answer, exactly once for each ticket.  An edge that has gone is answered into the void. */
void ipc_answer(struct ipc_ticket *ticket, const struct answer *answer);
void ipc_server_free(struct ipc_server *server); /* after every ticket has been answered */

#endif
