/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Some orders that go together: one call, one commit, then the signatures.
 *
 *	record → judge → sign → each order answered
 *	   └ SQLSTATE 22 or 23: two halves, recorded anew
 *
 * Every order is answered exactly once, by whoever holds it last.
 */
#ifndef ISSUE_BATCH_H
#define ISSUE_BATCH_H

#include <sys/queue.h>

#include "base/log.h"
#include "issue_db.h"
#include "jose/jws.h"
#include "keys/signer.h"
#include "loop/flow.h"

#define COMMIT_MS 2000 /* a later commit is no commit */
#define SIGN_MS	  1000 /* a later signature is no token */

/* An order on its way. */
struct issue_entry {
	struct order order;
	struct answer *answer;
	done_fn done;
	void *arg;
	int64_t arrived_ms;
	uint8_t jti[16];
	struct issue_row row;
	struct jws jws;
	struct error refused; /* why it was not even recorded */
	STAILQ_ENTRY(issue_entry) link;
};

STAILQ_HEAD(issue_entries, issue_entry);

/* Answer one, log it, free it.  @error says why there is no verdict. */
void issue_entry_answer(struct issue_entry *entry, const struct log *log,
			const struct error *error);

struct batch;
TAILQ_HEAD(batches, batch);

/* What has become of the connection that a batch was recorded over. */
enum connection_fate {
	CONNECTION_FREE,    /* the next may go */
	CONNECTION_SUSPECT, /* nobody knows what the server did: break it off */
};

struct batch_services {
	struct signer *signer;
	const struct log *log;
	/* The answer to this batch is here, whatever it is. */
	void (*recorded)(void *arg, enum connection_fate fate, const struct error *error);
	void (*again)(void *arg, struct batch *half);  /* takes it */
	void (*ended)(void *arg, struct batch *batch); /* it is freed next */
	void *arg;
};

struct batch {
	struct flow flow;
	const struct batch_services *services; /* NULL: the issuer is gone */
	struct issue_entries entries;	       /* not answered yet */
	unsigned int n;			       /* of them */
	struct issue_params params;
	struct db_pipeline *pipe;
	struct db_call call, commit;
	char x5u[X5U_MAX + 1];
	bool sent, handed_over;
	int64_t sent_ms, committed_ms;
	struct signer_job job;
	TAILQ_ENTRY(batch) link; /* its owner's */
};

struct batch *batch_new(const struct batch_services *services);
void batch_add(struct batch *batch, struct issue_entry *entry); /* takes entry */

/* Record over @pipe; the rest follows by itself, and frees the batch. */
void batch_start(struct batch *batch, struct db_pipeline *pipe, const char *x5u);

/* Answer what is left with @error.  A batch that was not started is freed; one that waits for its
 * signatures frees itself when they come. */
void batch_abandon(struct batch *batch, const struct error *error);

#endif
