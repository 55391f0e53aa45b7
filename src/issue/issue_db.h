/* SPDX-License-Identifier: Apache-2.0 */
/* All SQL of issuing: what is asked of the database, and how its answers are read. */
#ifndef ISSUE_ISSUE_DB_H
#define ISSUE_ISSUE_DB_H

#include "db/pipeline.h"
#include "db/value.h"
#include "ipc/order.h"

#define BATCH_MAX 256
#define X5U_MAX	  255

/* Asked first of all: is the schema one that this program knows? */
extern const struct db_statement issue_greeting;
void issue_greeting_check(const PGresult *rows, struct error *error);

extern const struct db_statement *const issue_statements[]; /* up to a NULL */

/* The parameters of one issue_tokens(): kid and clock, then an array for each member. */
#define ISSUE_ARRAYS 13
struct issue_params {
	uint8_t node_clock[DB_TIME_LEN];
	struct db_array array[ISSUE_ARRAYS];
};

void issue_params_begin(struct issue_params *params, unsigned int n);
void issue_params_add(struct issue_params *params, const struct order *order,
		      const uint8_t jti[16]);
/* @kid and @params are borrowed until the call has been sent. */
bool issue_params_bind(struct issue_params *params, const char *kid, int64_t unix_us,
		       struct db_call *call, struct error *error) MUST_CHECK;
void issue_params_clear(struct issue_params *params);

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

/* ERROR_INTERNAL when @rows are not @n rows in the order of the batch. */
bool issue_rows_check(const PGresult *rows, unsigned int n, struct error *error) MUST_CHECK;
bool issue_row_read(const PGresult *rows, unsigned int i, struct issue_row *row,
		    struct error *error) MUST_CHECK;

/* Make the ledger's partitions that are missing ahead; the answer says how many were made. */
void issue_extend_ask(struct db_call *call, struct db_pipeline *pipe);
int64_t issue_extend_made(const struct db_call *call);

/* Could a token be issued now?  Two calls: whose key is this, and what stands against it. */
struct issue_question {
	uint8_t node_clock[DB_TIME_LEN];
	struct db_call signer, state;
};

void issue_question_ask(struct issue_question *question, struct db_pipeline *pipe, const char *kid,
			int64_t unix_us);
/* The x5u of the kid; ERROR_UNAVAILABLE with the reason why no token could be issued. */
bool issue_question_read(const struct issue_question *question, const char *kid,
			 const uint8_t certificate_sha256[32], char x5u[X5U_MAX + 1],
			 struct error *error) MUST_CHECK;
void issue_question_clear(struct issue_question *question);

#endif
