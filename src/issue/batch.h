/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Some orders that the database has decided together: the signatures, then the answers.
 *
 *	judge → sign → release
 *	          └─ some ─┘
 *
 * Every order is answered exactly once, by whoever holds it last.
 */
#ifndef ISSUE_BATCH_H
#define ISSUE_BATCH_H

#include <sys/queue.h>

#include "base/log.h"
#include "db/desk.h"
#include "issue_db.h"
#include "jose/jws.h"
#include "keys/signer.h"
#include "loop/flow.h"

#define SIGN_MS		1000 /* a later signature is no token */
#define SIGNED_TOGETHER 16   /* of a batch, between two turns of the loop */

/* An order on its way. */
struct issue_entry {
	struct db_ask ask;
	struct order order;
	struct answer *answer;
	done_fn done;
	void *arg;
	uint8_t jti[16];
	struct issue_row row;
	struct jws jws;
};

/* Answer one, log it, free it.  @error says why there is no verdict. */
void issue_entry_answer(struct issue_entry *entry, const struct log *log,
			const struct error *error);

struct batch;
TAILQ_HEAD(batches, batch);

struct batch_services {
	struct signer *signer;
	struct mark_keeper *mark;
	const struct log *log;
	struct meter *meter;
	void (*ended)(void *arg, struct batch *batch); /* it is freed next */
	void *arg;
};

struct batch {
	struct flow flow;
	const struct batch_services *services; /* NULL: the issuer is gone */
	struct db_asks asks;		       /* entries that are not answered yet */
	PGresult *rows;
	char x5u[X5U_MAX + 1];
	int64_t committed_ms;
	int64_t sign_us; /* when signing began */
	unsigned int n;	 /* digests of the job */
	struct signer_job job;
	TAILQ_ENTRY(batch) link; /* its owner's */
};

/* Takes the entries and their rows.  NULL: no memory, and nothing is taken. */
struct batch *batch_new(const struct batch_services *services, const char *x5u,
			struct db_asks *asks, PGresult *rows);

/* The rest follows by itself, and frees the batch. */
void batch_start(struct batch *batch);

/* Answer what is left with @error.  The batch waits for its signatures, and frees itself when they
 * come. */
void batch_abandon(struct batch *batch, const struct error *error);

#endif
