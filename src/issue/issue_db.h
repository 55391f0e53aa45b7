/* SPDX-License-Identifier: Apache-2.0 */
/* All SQL of issuing: what is asked of the database, and how its answers are read. */
#ifndef ISSUE_ISSUE_DB_H
#define ISSUE_ISSUE_DB_H

#include "db/pipeline.h"
#include "db/value.h"
#include "ipc/order.h"
#include "mark/mark.h"

#define X5U_MAX 255

/* The lane of issue_tokens(): kid and clock, then an array for each member. */
#define ISSUE_SCALARS 2
extern const struct db_statement issue_tokens;
extern const enum db_type issue_arrays[];

void issue_tokens_bind(const char *kid, struct db_call *call, const uint8_t clock[DB_TIME_LEN]);
void issue_tokens_add(const struct order *order, const uint8_t jti[16], struct db_array *arrays);

/* One answered order.  The texts belong to the result. */
struct issue_row {
	enum verdict verdict;
	int64_t iat, exp;    /* of an issued one */
	int64_t optional;    /* CLAIM_* */
	const char *spc;     /* or, of SPC_AMBIGUOUS, the SPCs */
	const char *iss;     /* NULL: not signed */
	const char *account; /* names for the log; NULL for a stranger */
	const char *client;
};

bool issue_row_read(const PGresult *rows, unsigned int i, struct issue_row *row,
		    struct error *error) MUST_CHECK;

/* Make the ledger's partitions that are missing ahead; the answer says how many were made. */
extern const struct db_statement issue_extend_ledger;

/* Could a token be issued now?  Three calls: does the database know of our mark, whose key is this,
 * and what stands against it. */
extern const struct db_statement *const issue_question_statements[]; /* up to a NULL */

struct issue_question {
	struct mark asked;
	uint8_t node_clock[DB_TIME_LEN];
	struct db_call mark, signer, state;
};

struct issue_state {
	uint8_t ledger[16]; /* which one this is */
	bool behind;	    /* it lacks our mark */
	char x5u[X5U_MAX + 1];
};

void issue_question_ask(struct issue_question *question, struct db_pipeline *pipe, const char *kid,
			int64_t unix_us, const struct mark *mark);
/* ERROR_UNAVAILABLE with the reason why no token could be issued. */
bool issue_question_read(const struct issue_question *question, const char *kid,
			 const uint8_t certificate_sha256[32], struct issue_state *state,
			 struct error *error) MUST_CHECK;
void issue_question_clear(struct issue_question *question);

#endif
