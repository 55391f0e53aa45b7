/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "ipc/verdict.h"
#include "issue/claims.h"
#include "mark/keeper.h"
#include "metrics/metrics.h"

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
	bool dry = entry->order.dry_run != 0;
	bool issued = row->verdict == VERDICT_ISSUED && !dry;
	bool malformed = row->verdict == VERDICT_MALFORMED;
	char jti[UUID_TEXT_LEN + 1];

	uuid_to_text(entry->jti, jti);
	log_info(log,
		 dry	  ? "dry run"
		 : issued ? "token issued"
			  : "order refused",
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
	size_t len = from == NULL ? 0 : strnlen(from, size - 1);

	memcpy(to, from == NULL ? "" : from, len);
	to[len] = '\0';
}

static void fill_answer(const struct issue_entry *entry)
{
	const struct issue_row *row = &entry->row;
	struct answer *answer = entry->answer;

	answer->verdict = (uint8_t)row->verdict;
	answer->defect = entry->order.defect;
	if (row->verdict == VERDICT_ISSUED) {
		answer->exp = row->exp;
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
	struct db_ask *ask = STAILQ_FIRST(&batch->asks);

	STAILQ_REMOVE_HEAD(&batch->asks, link);
	return (struct issue_entry *)ask;
}

static void answer_all(struct batch *batch, const struct error *error)
{
	while (!STAILQ_EMPTY(&batch->asks))
		issue_entry_answer(take_first(batch), batch->services->log, error);
}

static struct batch *of(struct flow *flow)
{
	return (struct batch *)flow;
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

static bool is_to_be_signed(const struct issue_entry *entry)
{
	return entry->row.verdict == VERDICT_ISSUED && !entry->order.dry_run;
}

/* Of an order whose row is in the ledger: what is to be signed, and the mark. */
static bool prepare(struct batch *batch, struct issue_entry *entry, struct error *error)
{
	mark_keeper_note_jti(batch->services->mark, entry->jti);
	return encode(batch, entry, batch->job.digest[batch->n], error);
}

/* An order that is issued stays, with its digest in the job; any other is answered. */
static void judge_one(struct batch *batch, struct issue_entry *entry, unsigned int row)
{
	struct error error = { 0 };

	if (issue_row_read(batch->rows, row, &entry->row, &error) && is_to_be_signed(entry) &&
	    prepare(batch, entry, &error)) {
		STAILQ_INSERT_TAIL(&batch->asks, &entry->ask, link);
		batch->n++;
		return;
	}
	issue_entry_answer(entry, batch->services->log, &error);
}

static enum flow_next judge(struct flow *flow)
{
	struct batch *batch = of(flow);
	unsigned int n = (unsigned int)PQntuples(batch->rows);

	for (unsigned int row = 0; row < n; row++)
		judge_one(batch, take_first(batch), row);
	return FLOW_NEXT;
}

/* The next few, so that the first answers are on their way while others are being signed. */
static enum flow_next sign(struct flow *flow)
{
	struct batch *batch = of(flow);
	unsigned int left = batch->n - batch->job.from;

	if (left == 0)
		return FLOW_NEXT;
	batch->job.n = batch->job.from + (left < SIGNED_TOGETHER ? left : SIGNED_TOGETHER);
	if (batch->job.from == 0)
		batch->sign_us = clock_running_us();
	signer_sign_start(batch->services->signer, &batch->job, flow_resume, flow);
	return FLOW_WAIT;
}

static enum flow_next check_signatures(struct flow *flow)
{
	struct batch *batch = of(flow);
	int64_t took_ms = clock_steady_ms() - batch->committed_ms;

	if (batch->n == batch->job.from || batch->services == NULL)
		return FLOW_NEXT;
	if (batch->job.n == batch->n)
		meter_observe(batch->services->meter, METRIC_SIGN_DURATION,
			      clock_running_us() - batch->sign_us);
	if (took_ms > SIGN_MS)
		return flow_next_if(error_set(&flow->error, ERROR_UNAVAILABLE,
					      "signed %d ms after the commit: dropped",
					      (int)took_ms));
	return FLOW_NEXT;
}

static enum flow_next release(struct flow *flow);

enum { STEP_JUDGE, STEP_SIGN };

static const struct flow_step steps[] = {
	[STEP_JUDGE] = { "judge", judge },
	[STEP_SIGN] = { "sign", sign },
	{ "check signatures", check_signatures },
	{ "release", release }, /* and sign again */
	{ NULL, NULL },
};

static enum flow_next release(struct flow *flow)
{
	struct batch *batch = of(flow);

	for (unsigned int i = batch->job.from; i < batch->job.n && !STAILQ_EMPTY(&batch->asks);
	     i++) {
		struct issue_entry *entry = take_first(batch);
		struct error error = { 0 };
		bool whole = jws_finish(&entry->jws, batch->job.sig[i], &error);

		error.kind = whole ? ERROR_NONE : ERROR_INTERNAL;
		issue_entry_answer(entry, batch->services->log, &error);
	}
	batch->job.from = batch->job.n;
	if (batch->services != NULL && batch->job.n < batch->n)
		flow->step = &steps[STEP_SIGN];
	return FLOW_NEXT;
}

static void finish(struct flow *flow)
{
	struct batch *batch = of(flow);
	const struct batch_services *services = batch->services;

	if (services != NULL) {
		answer_all(batch, &flow->error);
		services->ended(services->arg, batch);
	}
	PQclear(batch->rows);
	free(batch);
}

struct batch *batch_new(const struct batch_services *services, const char *x5u,
			struct db_asks *asks, PGresult *rows)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	STAILQ_INIT(&batch->asks);
	STAILQ_CONCAT(&batch->asks, asks);
	batch->services = services;
	batch->rows = rows;
	batch->committed_ms = clock_steady_ms();
	copy_text(batch->x5u, sizeof(batch->x5u), x5u);
	return batch;
}

void batch_start(struct batch *batch)
{
	flow_start(&batch->flow, steps, finish);
}

void batch_abandon(struct batch *batch, const struct error *error)
{
	answer_all(batch, error);
	batch->services = NULL;
}
