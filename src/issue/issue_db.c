/* SPDX-License-Identifier: Apache-2.0 */
#include "issue_db.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "issue/schema.h"

const struct db_statement schema_greeting = {
	.name = "schema_version",
	.sql = "SELECT stipa.schema_version()",
	.result = DB_BINARY,
};

const struct db_statement issue_tokens = {
	.name = "issue_tokens",
	.sql = "SELECT n, verdict, iat, exp, spc, optional_claims, iss, account, client"
	       " FROM stipa.issue_tokens(kid => $1::text, node_clock => $2::timestamptz,"
	       " digests => $3::bytea[], accounts => $4::text[], spcs => $5::text[],"
	       " tkvalues => $6::text[], fingerprints => $7::text[], cas => $8::bool[],"
	       " forms => $9::int2[], defects => $10::int2[], jtis => $11::uuid[],"
	       " request_ids => $12::text[], peers => $13::bytea[], presented => $14::int2[],"
	       " dry_runs => $15::bool[])",
	.params = 15,
	.result = DB_BINARY,
};

static const struct db_statement node_signer = {
	.name = "node_signer",
	.sql = "SELECT x5u, sha256, state FROM stipa.node_signer($1::text)",
	.params = 1,
	.result = DB_BINARY,
};

static const struct db_statement issuing_state = {
	.name = "issuing_state",
	.sql = "SELECT stipa.issuing_state($1::text, $2::timestamptz)",
	.params = 2,
	.result = DB_BINARY,
};

static const struct db_statement mark_state = {
	.name = "mark_state",
	.sql = "SELECT ledger, known FROM stipa.mark_state($1::uuid, $2::uuid)",
	.params = 2,
	.result = DB_BINARY,
};

const struct db_statement issue_extend_ledger = {
	.name = "extend_ledger",
	.sql = "SELECT stipa.token_partitions_extend()",
	.result = DB_BINARY,
};

const struct db_statement *const issue_question_statements[] = {
	&mark_state,
	&node_signer,
	&issuing_state,
	NULL,
};

void schema_greeting_check(void *arg, const PGresult *rows, struct error *error)
{
	int64_t version;

	(void)arg;
	if (PQntuples(rows) != 1) {
		error_set(error, ERROR_INTERNAL, "schema_version: %d rows", PQntuples(rows));
		return;
	}
	if (!db_int(rows, 0, 0, &version, error))
		return;
	if (version < SCHEMA_OLDEST)
		error_set(
			error, ERROR_UNAVAILABLE,
			"the schema is version %d, this program wants %d: run stipactl db migrate",
			(int)version, SCHEMA_OLDEST);
	if (version > SCHEMA_NEWEST)
		error_set(
			error, ERROR_UNAVAILABLE,
			"the schema is version %d, this program knows up to %d: run a newer stipad",
			(int)version, SCHEMA_NEWEST);
}

/* ---- issue_tokens() ---- */

/* The order of the parameters, from $3 on. */
enum {
	DIGESTS,
	ACCOUNTS,
	SPCS,
	TKVALUES,
	FINGERPRINTS,
	CAS,
	FORMS,
	DEFECTS,
	JTIS,
	REQUEST_IDS,
	PEERS,
	PRESENTED,
	DRY_RUNS
};

const enum db_type issue_arrays[] = {
	[DIGESTS] = DB_TYPE_BYTEA,    [ACCOUNTS] = DB_TYPE_TEXT,     [SPCS] = DB_TYPE_TEXT,
	[TKVALUES] = DB_TYPE_TEXT,    [FINGERPRINTS] = DB_TYPE_TEXT, [CAS] = DB_TYPE_BOOL,
	[FORMS] = DB_TYPE_INT2,	      [DEFECTS] = DB_TYPE_INT2,	     [JTIS] = DB_TYPE_UUID,
	[REQUEST_IDS] = DB_TYPE_TEXT, [PEERS] = DB_TYPE_BYTEA,	     [PRESENTED] = DB_TYPE_INT2,
	[DRY_RUNS] = DB_TYPE_BOOL,
};

static void add_text(struct db_array *array, const char *text)
{
	db_array_add(array, text, strlen(text));
}

void issue_tokens_add(const struct order *order, const uint8_t jti[16], struct db_array *arrays)
{
	db_array_add(&arrays[DIGESTS], order->credential, sizeof(order->credential));
	add_text(&arrays[ACCOUNTS], order->account);
	add_text(&arrays[SPCS], order->spc);
	add_text(&arrays[TKVALUES], order->tkvalue);
	add_text(&arrays[FINGERPRINTS], order->fingerprint);
	db_array_add_bool(&arrays[CAS], order->ca != 0);
	db_array_add_int2(&arrays[FORMS], order->form);
	db_array_add_int2(&arrays[DEFECTS], order->defect);
	db_array_add(&arrays[JTIS], jti, 16);
	add_text(&arrays[REQUEST_IDS], order->request_id);
	db_array_add(&arrays[PEERS], order->peer, sizeof(order->peer));
	db_array_add_int2(&arrays[PRESENTED], order->presented);
	db_array_add_bool(&arrays[DRY_RUNS], order->dry_run != 0);
}

void issue_tokens_bind(const char *kid, struct db_call *call, const uint8_t clock[DB_TIME_LEN])
{
	db_bind_text(call, 0, kid);
	db_bind_bytes(call, 1, clock, DB_TIME_LEN);
}

enum {
	COL_N,
	COL_VERDICT,
	COL_IAT,
	COL_EXP,
	COL_SPC,
	COL_OPTIONAL,
	COL_ISS,
	COL_ACCOUNT,
	COL_CLIENT
};

/* An issued one has its times and its SPC. */
static bool read_issued(const PGresult *rows, int i, struct issue_row *row, struct error *error)
{
	if (row->spc == NULL || strlen(row->spc) > SPC_MAX)
		return error_set(error, ERROR_INTERNAL, "issue_tokens: issued without an SPC");
	return db_int(rows, i, COL_IAT, &row->iat, error) &&
	       db_int(rows, i, COL_EXP, &row->exp, error) &&
	       db_int(rows, i, COL_OPTIONAL, &row->optional, error);
}

bool issue_row_read(const PGresult *rows, unsigned int i, struct issue_row *row,
		    struct error *error)
{
	int64_t verdict;

	*row = (struct issue_row){
		.spc = db_text(rows, (int)i, COL_SPC),
		.iss = db_text(rows, (int)i, COL_ISS),
		.account = db_text(rows, (int)i, COL_ACCOUNT),
		.client = db_text(rows, (int)i, COL_CLIENT),
	};
	if (!db_int(rows, (int)i, COL_VERDICT, &verdict, error))
		return false;
	if (verdict < 0 || verdict >= VERDICT_COUNT)
		return error_set(error, ERROR_INTERNAL, "issue_tokens: unknown verdict %d",
				 (int)verdict);
	row->verdict = (enum verdict)verdict;
	return row->verdict != VERDICT_ISSUED || read_issued(rows, (int)i, row, error);
}

/* ---- could a token be issued now? ---- */

void issue_question_ask(struct issue_question *question, struct db_pipeline *pipe, const char *kid,
			int64_t unix_us, const struct mark *mark)
{
	*question = (struct issue_question){
		.asked = *mark,
		.mark.statement = &mark_state,
		.signer.statement = &node_signer,
		.state.statement = &issuing_state,
	};
	if (mark_has_jti(mark)) {
		db_bind_bytes(&question->mark, 0, question->asked.jti, sizeof(mark->jti));
		db_bind_bytes(&question->mark, 1, question->asked.ledger, sizeof(mark->ledger));
	}
	db_bind_text(&question->signer, 0, kid);
	db_time_encode(unix_us, question->node_clock);
	db_bind_text(&question->state, 0, kid);
	db_bind_bytes(&question->state, 1, question->node_clock, DB_TIME_LEN);
	db_send(pipe, &question->mark);
	db_send(pipe, &question->signer);
	db_send(pipe, &question->state);
}

/* First of all: what an older copy of the database says of the rest is of then. */
static bool read_mark(const struct issue_question *question, struct issue_state *state,
		      struct error *error)
{
	const PGresult *rows = question->mark.result;
	char jti[UUID_TEXT_LEN + 1];

	if (PQntuples(rows) != 1 || PQgetlength(rows, 0, 0) != sizeof(state->ledger) ||
	    PQgetlength(rows, 0, 1) != 1)
		return error_set(error, ERROR_INTERNAL, "mark_state: not a ledger and a boolean");
	memcpy(state->ledger, PQgetvalue(rows, 0, 0), sizeof(state->ledger));
	state->behind = PQgetvalue(rows, 0, 1)[0] == 0;
	if (!state->behind)
		return true;
	uuid_to_text(question->asked.jti, jti);
	return error_set(error, ERROR_UNAVAILABLE,
			 "the database is older than what this node issued: it lacks token %s; "
			 "restored? see 'stipactl mark show', then 'stipactl mark accept'",
			 jti);
}

static bool read_signer(const PGresult *rows, const char *kid, const uint8_t sha256[32],
			char x5u[X5U_MAX + 1], struct error *error)
{
	if (PQntuples(rows) != 1)
		return error_set(error, ERROR_UNAVAILABLE,
				 "signer %s is not registered: run stipactl pki", kid);
	if (PQgetlength(rows, 0, 1) != 32 || memcmp(PQgetvalue(rows, 0, 1), sha256, 32) != 0)
		return error_set(
			error, ERROR_UNAVAILABLE,
			"signer %s is registered with another certificate than this node's", kid);
	if (PQgetisnull(rows, 0, 0) || PQgetlength(rows, 0, 0) > X5U_MAX)
		return error_set(error, ERROR_UNAVAILABLE, "signer %s: no x5u, or one over %d", kid,
				 X5U_MAX);
	snprintf(x5u, X5U_MAX + 1, "%s", PQgetvalue(rows, 0, 0));
	return true;
}

bool issue_question_read(const struct issue_question *question, const char *kid,
			 const uint8_t certificate_sha256[32], struct issue_state *state,
			 struct error *error)
{
	const PGresult *rows = question->state.result;
	const char *why;

	if (!read_mark(question, state, error) ||
	    !read_signer(question->signer.result, kid, certificate_sha256, state->x5u, error))
		return false;
	why = PQntuples(rows) == 1 ? db_text(rows, 0, 0) : "issuing_state: no row";
	return why == NULL || error_set(error, ERROR_UNAVAILABLE, "%s", why);
}

void issue_question_clear(struct issue_question *question)
{
	PQclear(question->mark.result);
	PQclear(question->signer.result);
	PQclear(question->state.result);
	question->mark.result = question->signer.result = question->state.result = NULL;
}
