/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbours of the issuer and its desk, faked by linking: the clock, the connection and its
 * pipeline, the mark, the signer.  A test plays the server: it looks at what was sent, and answers
 * it. */
#ifndef TESTS_ISSUE_FAKES_H
#define TESTS_ISSUE_FAKES_H

#include "../suite.h"
#include "db/desk.h"
#include "ipc/order.h"
#include "mark/mark.h"

#define NODE_X5U  "https://pa.example/certs/test.pem"
#define BATCH_MAX 256

extern char story[512]; /* what happened, in order: "batch3 sign3 " */

extern int64_t steady_ms; /* of every clock */

/* ---- the connection ---- */

extern struct db_link_options link_options;
extern struct db_pipeline *const the_pipe;
extern char broken[200]; /* why it was broken off */

/* What has been sent and waits for its answer: three questions of a probe, or a batch. */
extern struct sent {
	struct db_call *call[3];
	int calls;
	struct db_call *commit;
	int orders; /* 0: a probe, or the ledger's partitions */
	bool extends;
	bool poisoned; /* an account is "poison" */
	char account[BATCH_MAX][ACCOUNT_REF_MAX + 1];
	uint8_t jti[BATCH_MAX][16];
} sent;

void connect_link(void);
void lose_connection(const char *why); /* nothing, when there is none */

/* ---- answers to what was sent ---- */

extern int wanted_verdict; /* of every order */

/* What the database knows of our key. */
extern struct database {
	bool registered;
	char certificate[32];
	const char *why_not;
	bool lacks_mark;
} database;

/* An error, and the results that the calls have already. */
void answer(enum error_kind kind, const char *sqlstate);
PGresult *verdicts(int n);
void answer_probe(void);
void answer_extension(void);

/* ---- the mark ---- */

extern struct mark mark;
extern const char this_ledger[]; /* its first 16 bytes */
extern const char *mark_late;
extern bool hurried;
extern void (*marked)(const uint8_t jti[16]); /* NULL, or told of each token */

/* ---- the signer ---- */

extern uint8_t node_certificate[32];
extern int signings; /* that wait */

void finish_signing(enum error_kind kind); /* of the one that has waited longest */

#endif
