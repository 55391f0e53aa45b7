/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream between one edge and the authority: orders one way, answers and readiness back.
 *
 * Messages have a fixed layout (ipc/message.h): kind, size, id, then a struct of ipc/order.h
 * or ipc/access.h.
 * Whatever does not fit its kind's size and ranges ends the channel: a peer that sends it is
 * broken.  Everything written in one turn of the loop leaves in one write.  A message that has a
 * password or an access token is wiped at both ends wherever it lay.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>

#include "base/done.h"
#include "ipc/access.h"
#include "ipc/order.h"

struct event_base;
struct meter;

#define IPC_ANSWER_MS	 3000 /* an order that is not answered by then has failed */
#define IPC_HEARTBEAT_MS 1000 /* the authority says how it is */
#define IPC_SILENCE_MS	 5000 /* an authority not heard for so long is as good as gone */

/* The stream has ended: its other end was closed, or sent what is no message of this program
 * (@why).  Called once for each stream, from the loop; not for one that was replaced or freed.
 * Whoever is cut off and is not given a new peer soon does best to exit: the monitor replaces
 * it. */
typedef void (*ipc_lost_fn)(void *arg, const struct error *why);

/* ---- the edge's end ---- */

struct ipc_channel;

/* A channel with no peer yet.  Orders fail with ERROR_UNAVAILABLE until ipc_channel_attach().
 * At most @pending_max orders wait for an answer; one more is ERROR_UNAVAILABLE. */
struct ipc_channel *ipc_channel_new(struct event_base *base, unsigned int pending_max);

/* Other times than those above, for tests.  Before the first order. */
void ipc_channel_set_times(struct ipc_channel *channel, unsigned int answer_ms,
			   unsigned int silence_ms);
void ipc_channel_on_lost(struct ipc_channel *channel, ipc_lost_fn on_lost, void *arg);

/* Told when the authority says that it has become ready, or is not any more. */
void ipc_channel_on_ready(struct ipc_channel *channel, void (*on_ready)(void *arg), void *arg);

/* Take @fd, a connected stream socket, as the authority from now on.  Orders in flight to an
 * earlier one fail with ERROR_UNAVAILABLE. */
void ipc_channel_attach(struct ipc_channel *channel, int fd /* takes it */);

/* What the authority said last of itself: can a token be issued now?  False without a peer, or
 * when it has been silent for 5 s. */
bool ipc_channel_is_ready(const struct ipc_channel *channel);

/* Copy the order and send it; fill @answer before @done, from the loop, never before this
 * returns.  ERROR_UNAVAILABLE when the authority is gone or silent, goes before it has answered,
 * has no room, says that it failed, or does not answer within 3 s.  ERROR_INTERNAL for an order
 * that ipc_body_check() refuses; what stands behind the end of its texts does not matter.
 * @answer lives until @done has run.  Without an error it has a verdict. */
void ipc_order_start(struct ipc_channel *authority, const struct order *order,
		     struct answer *answer, done_fn done, void *arg);
void ipc_grant_start(struct ipc_channel *authority, const struct grant_order *order,
		     struct grant_answer *answer, done_fn done, void *arg);
void ipc_login_start(struct ipc_channel *authority, const struct login_order *order,
		     struct grant_answer *answer, done_fn done, void *arg);
void ipc_revoke_start(struct ipc_channel *authority, const struct revoke_order *order,
		      struct access_answer *answer, done_fn done, void *arg);
void ipc_report_start(struct ipc_channel *authority, const struct report_order *order,
		      struct access_answer *answer, done_fn done, void *arg);

unsigned int ipc_channel_pending(const struct ipc_channel *channel); /* orders that wait */

/* Fails what waits before it returns (from within the @done of such an order: soon after). */
void ipc_channel_free(struct ipc_channel *channel);

/* ---- the authority's end ---- */

struct ipc_server;
struct ipc_ticket; /* one order to be answered; ipc_answer() ends it */

/* What is done with each kind of order.  An order is checked (ipc_body_check) and lives for the
 * length of the call.  A kind without a function fails. */
struct ipc_handlers {
	void (*on_order)(void *arg, const struct order *order, struct ipc_ticket *ticket);
	void (*on_grant)(void *arg, const struct grant_order *order, struct ipc_ticket *ticket);
	void (*on_login)(void *arg, const struct login_order *order, struct ipc_ticket *ticket);
	void (*on_revoke)(void *arg, const struct revoke_order *order, struct ipc_ticket *ticket);
	void (*on_report)(void *arg, const struct report_order *order, struct ipc_ticket *ticket);
};

struct ipc_server *ipc_server_new(struct event_base *base,
				  const struct ipc_handlers *handlers /* copies it */, void *arg);

/* Count in @meter: orders by verdict, dry runs, logins, access tokens, what waits, readiness. */
void ipc_server_set_meter(struct ipc_server *server, struct meter *meter);
void ipc_server_on_lost(struct ipc_server *server, ipc_lost_fn on_lost, void *arg);
void ipc_server_attach(struct ipc_server *server, int fd /* takes it */); /* one more edge */
void ipc_server_tell_ready(struct ipc_server *server, bool ready);	  /* to every edge */

/* Answer, exactly once for each ticket, with the function of its kind.  An edge that has gone is
 * answered into the void.  An answer that ipc_body_check() refuses leaves as a failed one. */
void ipc_answer(struct ipc_ticket *ticket, const struct answer *answer);
void ipc_answer_grant(struct ipc_ticket *ticket, const struct grant_answer *answer); /* or login */
void ipc_answer_access(struct ipc_ticket *ticket,
		       const struct access_answer *answer);	  /* revoke, report */
void ipc_answer_failed(struct ipc_ticket *ticket);		  /* any: ERROR_UNAVAILABLE */
unsigned int ipc_server_pending(const struct ipc_server *server); /* tickets not yet answered */
void ipc_server_free(struct ipc_server *server); /* after every ticket has been answered */

#endif
