/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "ipc/verdict.h"
#include "issue/claims.h"

/* ---- one order ---- */

static const char *text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

static void log_failed(const struct issue_entry *entry, const struct log *log,
		       const struct error *error)
{
	if (error->kind == ERROR_INTERNAL)
		log_error(log, "order failed: a defect",
			  LOG_TEXT("request", entry->order.request_id),
			  LOG_TEXT("reason", error->detail), LOG_TEXT("where", error->where));
	else
		log_warning(log, "order not answered", LOG_TEXT("request", entry->order.request_id),
			    LOG_TEXT("reason", error->detail));
}

static void log_verdict(const struct issue_entry *entry, const struct log *log)
{
	const struct issue_row *row = &entry->row;
	bool issued = row->verdict == VERDICT_ISSUED;
	bool malformed = row->verdict == VERDICT_MALFORMED;
	char jti[UUID_TEXT_LEN + 1];

	uuid_to_text(entry->jti, jti);
	log_info(log, issued ? "token issued" : "order refused",
		 LOG_TEXT("request", entry->order.request_id),
		 LOG_TEXT("verdict", verdict_code(row->verdict)),
		 LOG_TEXT("defect", malformed ? defect_code(entry->order.defect) : NULL),
		 LOG_TEXT("account", text_or_null(row->account)),
		 LOG_TEXT("client", text_or_null(row->client)),
		 LOG_TEXT("spc", text_or_null(issued ? row->spc : entry->order.spc)),
		 LOG_TEXT("fingerprint", issued ? entry->order.fingerprint : NULL),
		 LOG_TEXT("jti", issued ? jti : NULL));
}

static void copy_text(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return;
	snprintf(to, size, "%s", from);
}

static void fill_answer(const struct issue_entry *entry)
{
	const struct issue_row *row = &entry->row;
	struct answer *answer = entry->answer;

	answer->verdict = (uint8_t)row->verdict;
	answer->defect = entry->order.defect;
	if (row->verdict == VERDICT_ISSUED) {
		copy_text(answer->spc, sizeof(answer->spc), row->spc);
		copy_text(answer->text, sizeof(answer->text), entry->jws.text);
	} else if (row->verdict == VERDICT_SPC_AMBIGUOUS) {
		copy_text(answer->text, sizeof(answer->text), row->spc);
	}
}

void issue_entry_answer(struct issue_entry *entry, const struct log *log, const struct error *error)
{
	memset(entry->answer, 0, sizeof(*entry->answer));
	if (error->kind == ERROR_NONE) {
		fill_answer(entry);
		log_verdict(entry, log);
	} else {
		entry->answer->failed = 1;
		log_failed(entry, log, error);
	}
	entry->done(entry->arg, error);
	free(entry);
}

/* ---- the batch ---- */

static struct issue_entry *take_first(struct batch *batch)
{
	struct issue_entry *entry = STAILQ_FIRST(&batch->entries);

	STAILQ_REMOVE_HEAD(&batch->entries, link);
	batch->n--;
	return entry;
}

static void answer_all(struct batch *batch, const struct error *error)
{
	while (batch->n > 0)
		issue_entry_answer(take_first(batch), batch->services->log, error);
}

static struct batch *of(struct flow *flow)
{
	return (struct batch *)flow;
}

static bool add_params(struct batch *batch, struct error *error)
{
	int64_t now_us = clock_unix_us();
	struct issue_entry *entry;

	issue_params_begin(&batch->params, batch->n);
	STAILQ_FOREACH(entry, &batch->entries, link)
	{
		if (!uuid7_make(entry->jti, now_us / 1000, error))
			return false;
		issue_params_add(&batch->params, &entry->order, entry->jti);
	}
	return issue_params_bind(&batch->params, signer_kid(batch->services->signer), now_us,
				 &batch->call, error);
}

static enum flow_next record(struct flow *flow)
{
	struct batch *batch = of(flow);

	batch->commit.done = flow_resume;
	batch->commit.arg = flow;
	batch->sent_ms = clock_steady_ms();
	if (!add_params(batch, &flow->error))
		return FLOW_FAIL;
	batch->sent = true;
	db_send(batch->pipe, &batch->call);
	db_commit(batch->pipe, &batch->commit);
	return FLOW_WAIT;
}

/* The timer for a late commit may come after the commit itself, when the whole process stood
 * still: the clock decides. */
static enum flow_next check_commit(struct flow *flow)
{
	struct batch *batch = of(flow);

	batch->committed_ms = clock_steady_ms();
	if (batch->committed_ms - batch->sent_ms > COMMIT_MS)
		return flow_next_if(error_set(&flow->error, ERROR_UNAVAILABLE,
					      "the commit came after %d ms",
					      (int)(batch->committed_ms - batch->sent_ms)));
	return flow_next_if(issue_rows_check(batch->call.result, batch->n, &flow->error));
}

/* The next batch leaves before this one is signed. */
static enum flow_next hand_over(struct flow *flow)
{
	struct batch *batch = of(flow);

	batch->handed_over = true;
	batch->services->recorded(batch->services->arg, CONNECTION_FREE, &flow->error);
	return FLOW_NEXT;
}

static bool encode(struct batch *batch, struct issue_entry *entry, uint8_t digest[32],
		   struct error *error)
{
	struct token_claims claims = {
		.form = entry->order.form,
		.optional = (uint8_t)entry->row.optional,
		.iat = entry->row.iat,
		.exp = entry->row.exp,
		.ca = entry->order.ca != 0,
		.spc = entry->row.spc,
		.tkvalue = entry->order.tkvalue,
		.fingerprint = entry->order.fingerprint,
		.iss = entry->row.iss,
		.x5u = batch->x5u,
	};

	memcpy(claims.jti, entry->jti, sizeof(claims.jti));
	return token_claims_encode(&claims, &entry->jws, digest, error);
}

/* An order that is issued stays, with its digest in the job; any other is answered. */
static void judge_one(struct batch *batch, struct issue_entry *entry, unsigned int row)
{
	struct error error = { 0 };

	if (issue_row_read(batch->call.result, row, &entry->row, &error) &&
	    entry->row.verdict == VERDICT_ISSUED &&
	    encode(batch, entry, batch->job.digest[batch->job.n], &error)) {
		STAILQ_INSERT_TAIL(&batch->entries, entry, link);
		batch->n++;
		batch->job.n++;
		return;
	}
	issue_entry_answer(entry, batch->services->log, &error);
}

static enum flow_next judge(struct flow *flow)
{
	struct batch *batch = of(flow);
	unsigned int n = batch->n;

	for (unsigned int row = 0; row < n; row++)
		judge_one(batch, take_first(batch), row);
	return FLOW_NEXT;
}

static enum flow_next sign(struct flow *flow)
{
	struct batch *batch = of(flow);

	if (batch->job.n == 0)
		return FLOW_NEXT;
	signer_sign_start(batch->services->signer, &batch->job, flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next check_signatures(struct flow *flow)
{
	struct batch *batch = of(flow);
	int64_t took_ms = clock_steady_ms() - batch->committed_ms;

	if (batch->n > 0 && took_ms > SIGN_MS)
		return flow_next_if(error_set(&flow->error, ERROR_UNAVAILABLE,
					      "signed %d ms after the commit: dropped",
					      (int)took_ms));
	return FLOW_NEXT;
}

static enum flow_next release(struct flow *flow)
{
	struct batch *batch = of(flow);

	for (unsigned int i = 0; batch->n > 0; i++) {
		struct issue_entry *entry = take_first(batch);
		struct error error = { 0 };
		bool whole = jws_finish(&entry->jws, batch->job.sig[i], &error);

		error.kind = whole ? ERROR_NONE : ERROR_INTERNAL;
		issue_entry_answer(entry, batch->services->log, &error);
	}
	return FLOW_NEXT;
}

static const struct flow_step steps[] = {
	{ "record", record },	    { "check commit", check_commit },
	{ "hand over", hand_over }, { "judge", judge },
	{ "sign", sign },	    { "check signatures", check_signatures },
	{ "release", release },	    { NULL, NULL },
};

/* ---- its end ---- */

/* What the server said against the whole: the statement's own word, or the commit's. */
static const char *sqlstate_of(const struct batch *batch)
{
	return batch->call.sqlstate[0] != '\0' ? batch->call.sqlstate : batch->commit.sqlstate;
}

/* Data that PostgreSQL does not take, or a constraint: the fault of one order. */
static bool is_fault_of_an_order(const char *sqlstate)
{
	return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0;
}

static void halve(struct batch *batch)
{
	unsigned int half = batch->n / 2;

	for (int i = 0; i < 2; i++) {
		struct batch *part = batch_new(batch->services);

		if (part == NULL) {
			answer_all(batch, &batch->flow.error);
			return;
		}
		while (batch->n > (i == 0 ? half : 0))
			batch_add(part, take_first(batch));
		batch->services->again(batch->services->arg, part);
	}
}

static void give_up(struct batch *batch)
{
	const char *sqlstate = sqlstate_of(batch);
	struct error error = batch->flow.error;

	if (is_fault_of_an_order(sqlstate) && batch->n > 1) {
		halve(batch);
		return;
	}
	if (is_fault_of_an_order(sqlstate))
		error.kind = ERROR_INTERNAL;
	answer_all(batch, &error);
}

/* The server has said what it undid, or nothing was sent; or else nobody knows. */
static enum connection_fate fate_of(const struct batch *batch)
{
	return batch->sent && sqlstate_of(batch)[0] == '\0' ? CONNECTION_SUSPECT : CONNECTION_FREE;
}

static void batch_free(struct batch *batch)
{
	PQclear(batch->call.result);
	issue_params_clear(&batch->params);
	free(batch);
}

static void finish(struct flow *flow)
{
	struct batch *batch = of(flow);
	const struct batch_services *services = batch->services;

	if (services != NULL && !batch->handed_over)
		services->recorded(services->arg, fate_of(batch), &flow->error);
	if (services != NULL && flow->error.kind != ERROR_NONE)
		give_up(batch);
	if (services != NULL)
		services->ended(services->arg, batch);
	batch_free(batch);
}

struct batch *batch_new(const struct batch_services *services)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	STAILQ_INIT(&batch->entries);
	batch->services = services;
	return batch;
}

void batch_add(struct batch *batch, struct issue_entry *entry)
{
	STAILQ_INSERT_TAIL(&batch->entries, entry, link);
	batch->n++;
}

void batch_start(struct batch *batch, struct db_pipeline *pipe, const char *x5u)
{
	batch->pipe = pipe;
	copy_text(batch->x5u, sizeof(batch->x5u), x5u);
	flow_start(&batch->flow, steps, finish);
}

void batch_abandon(struct batch *batch, const struct error *error)
{
	answer_all(batch, error);
	batch->services = NULL;
	if (batch->flow.step == NULL)
		batch_free(batch);
}
