/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority's side of a token: orders come in, tokens go out, many orders to one transaction
 * (db/desk.h).  Nothing is signed before its ledger row has been committed, nothing leaves that
 * was not signed within 1 s of it.
 */
#ifndef ISSUE_ISSUER_H
#define ISSUE_ISSUER_H

#include "base/done.h"
#include "base/log.h"
#include "ipc/order.h"

struct db_desk;
struct event_base;
struct issuer;
struct mark_keeper;
struct meter;
struct signer;

/* Ready, or not any more.  @why is NULL when ready. */
typedef void (*issuer_ready_fn)(void *arg, const char *why);

struct issuer_options {
	struct event_base *base;
	struct db_desk *desk; /* greeted with issue/schema.h; the issuer watches it */
	struct signer *signer;
	struct mark_keeper *mark; /* the database must know of it */
	const struct log *log;
	struct meter *meter;	  /* counts batches, their commits and signatures; or NULL */
	unsigned int queue_max;	  /* orders that wait: 4096 */
	issuer_ready_fn on_ready; /* told at every change */
	void *arg;
};

/* Checks what it finds on each new connection, and anew every 2 s: settings, signer registered
 * with the same certificate, partitions, clock; and, once for each connection, that the signer
 * signs; and that the database has the last token known committed.  Makes the ledger's partitions
 * ahead, each hour. */
struct issuer *issuer_new(const struct issuer_options *options, struct error *error) MUST_CHECK;

/* @done runs after the verdict has been committed and an issued token signed, or with the error:
 * ERROR_UNAVAILABLE for a full queue, 2 s in it, not ready, a failed or late commit, a late
 * signature; ERROR_INTERNAL for an order that the database does not take.  @answer->failed is set
 * with every error.  Not before this returns, unless there is no memory at all. */
void issuer_order_start(struct issuer *issuer, const struct order *order, struct answer *answer,
			done_fn done, void *arg);

void issuer_free(struct issuer *issuer); /* after its desk: answers what is being signed */

#endif
