/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "keys/signer.h"
#include "mark/keeper.h"

/* ---- what happened ---- */

char story[512];

static void tell(const char *what, int n)
{
	size_t len = strlen(story);

	snprintf(story + len, sizeof(story) - len, "%s%d ", what, n);
}

/* ---- the clock ---- */

int64_t steady_ms;

int64_t clock_steady_ms(void)
{
	return steady_ms;
}

int64_t clock_running_us(void)
{
	return steady_ms * 1000;
}

int64_t clock_running_ms(void)
{
	return steady_ms;
}

int64_t clock_unix_us(void)
{
	return INT64_C(1767225600000000) + steady_ms * 1000;
}

/* ---- the connection ---- */

struct db_link_options link_options;
char broken[200];
static bool connected;

struct sent sent;
struct db_pipeline *const the_pipe = (struct db_pipeline *)&sent;

struct db_link *db_link_new(const struct db_link_options *options, struct error *error)
{
	(void)error;
	link_options = *options;
	return (struct db_link *)&link_options;
}

static void finish(struct db_call *call, const struct error *error, const char *sqlstate)
{
	if (call == NULL)
		return;
	call->error = *error;
	strcpy(call->sqlstate, sqlstate);
	if (call->done != NULL)
		call->done(call->arg, error);
}

void answer(enum error_kind kind, const char *sqlstate)
{
	struct db_call *call[3] = { sent.call[0], sent.call[1], sent.call[2] };
	struct db_call *commit = sent.commit;
	struct error error = { .kind = kind, .detail = "as the test wants" };

	memset(&sent, 0, sizeof(sent));
	finish(call[0], &error, sqlstate);
	finish(call[1], &error, sqlstate);
	finish(call[2], &error, sqlstate);
	finish(commit, &error, "");
}

void connect_link(void)
{
	connected = true;
	link_options.on_ready(link_options.arg, the_pipe);
}

void lose_connection(const char *why)
{
	struct error error = { .kind = ERROR_UNAVAILABLE };

	if (!connected)
		return;
	connected = false;
	snprintf(error.detail, sizeof(error.detail), "%s", why);
	answer(ERROR_UNAVAILABLE, "");
	link_options.on_lost(link_options.arg, &error);
}

void db_link_break(struct db_link *link, const struct error *why)
{
	(void)link;
	snprintf(broken, sizeof(broken), "%s", why->detail);
	lose_connection(why->detail);
}

void db_link_free(struct db_link *link)
{
	(void)link;
	connected = false;
	answer(ERROR_UNAVAILABLE, "");
}

/* The next value of a binary array: behind its length. */
static const char *next_value(const char **at, uint32_t *len)
{
	const char *value = *at + 4;

	memcpy(len, *at, 4);
	*len = be32toh(*len);
	*at = value + *len;
	return value;
}

/* The accounts and token ids of a batch, from its binary arrays. */
static void read_orders(const struct db_call *call)
{
	const char *accounts = call->value[3] + 20, *jtis = call->value[10] + 20;
	uint32_t n, len;

	memcpy(&n, call->value[3] + 12, 4);
	sent.orders = (int)be32toh(n);
	CU_ASSERT_FATAL(sent.orders <= BATCH_MAX);
	for (int i = 0; i < sent.orders; i++) {
		const char *account = next_value(&accounts, &len);

		memcpy(sent.account[i], account, len);
		sent.account[i][len] = '\0';
		sent.poisoned |= strcmp(sent.account[i], "poison") == 0;
		memcpy(sent.jti[i], next_value(&jtis, &len), 16);
	}
}

void db_send(struct db_pipeline *pipe, struct db_call *call)
{
	CU_ASSERT_PTR_EQUAL(pipe, the_pipe);
	CU_ASSERT_FATAL(sent.calls < 3);
	sent.call[sent.calls++] = call;
	if (strcmp(call->statement->name, "issue_tokens") == 0)
		read_orders(call);
	sent.extends = strcmp(call->statement->name, "extend_ledger") == 0;
}

void db_commit(struct db_pipeline *pipe, struct db_call *commit)
{
	CU_ASSERT_PTR_EQUAL(pipe, the_pipe);
	CU_ASSERT_PTR_NULL_FATAL(sent.commit); /* one thing at a time */
	sent.commit = commit;
	tell(sent.extends ? "extend" : sent.orders == 0 ? "probe" : "batch", sent.orders);
}

/* ---- results ---- */

static PGresult *table(int columns)
{
	static char name[] = "column";
	PGresAttDesc attributes[9];
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (int i = 0; i < columns; i++)
		attributes[i] = (PGresAttDesc){ .name = name, .format = 1 };
	PQsetResultAttrs(rows, columns, attributes);
	return rows;
}

static void set_text(PGresult *rows, int row, int column, const char *text)
{
	PQsetvalue(rows, row, column, (char *)text, text == NULL ? -1 : (int)strlen(text));
}

static void set_int8(PGresult *rows, int row, int column, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	PQsetvalue(rows, row, column, (char *)&big, sizeof(big));
}

static void set_int2(PGresult *rows, int row, int column, int value)
{
	uint16_t big = htobe16((uint16_t)value);

	PQsetvalue(rows, row, column, (char *)&big, sizeof(big));
}

int wanted_verdict;

PGresult *verdicts(int n)
{
	PGresult *rows = table(9);

	for (int i = 0; i < n; i++) {
		set_int8(rows, i, 0, i + 1);
		set_int2(rows, i, 1, wanted_verdict);
		set_int8(rows, i, 2, 1767225600);
		set_int8(rows, i, 3, 1767312000);
		set_text(rows, i, 4,
			 wanted_verdict == VERDICT_SPC_AMBIGUOUS ? "1001,1002" : "1001");
		set_int2(rows, i, 5, 0);
		set_text(rows, i, 6, NULL);
		set_text(rows, i, 7, "sp-1");
		set_text(rows, i, 8, "client-1");
	}
	return rows;
}

/* ---- the mark ---- */

struct mark mark;
const char *mark_late;
bool hurried;
void (*marked)(const uint8_t jti[16]);

const char this_ledger[] = "this ledger is it";

const struct mark *mark_keeper_mark(const struct mark_keeper *keeper)
{
	(void)keeper;
	return &mark;
}

void mark_keeper_note_jti(struct mark_keeper *keeper, const uint8_t jti[16])
{
	(void)keeper;
	memcpy(mark.jti, jti, sizeof(mark.jti));
	if (marked != NULL)
		marked(jti);
}

void mark_keeper_note_ledger(struct mark_keeper *keeper, const uint8_t ledger[16])
{
	(void)keeper;
	memcpy(mark.ledger, ledger, sizeof(mark.ledger));
}

void mark_keeper_hurry(struct mark_keeper *keeper)
{
	(void)keeper;
	hurried = true;
}

const char *mark_keeper_why_late(const struct mark_keeper *keeper)
{
	(void)keeper;
	return mark_late;
}

bool mark_has_jti(const struct mark *asked)
{
	return asked->jti[0] != 0;
}

struct database database;

void answer_probe(void)
{
	PGresult *of_mark = table(2), *signer = table(3), *state = table(1);
	char known = !database.lacks_mark;

	CU_ASSERT_FATAL(sent.commit != NULL && sent.orders == 0);
	if (database.registered) {
		set_text(signer, 0, 0, NODE_X5U);
		PQsetvalue(signer, 0, 1, database.certificate, 32);
		set_text(signer, 0, 2, "active");
	}
	set_text(state, 0, 0, database.why_not);
	PQsetvalue(of_mark, 0, 0, (char *)this_ledger, 16);
	PQsetvalue(of_mark, 0, 1, &known, 1);
	sent.call[0]->result = of_mark;
	sent.call[1]->result = signer;
	sent.call[2]->result = state;
	answer(ERROR_NONE, "");
}

void answer_extension(void)
{
	CU_ASSERT_FATAL(sent.commit != NULL && sent.extends);
	sent.call[0]->result = table(1);
	set_int8(sent.call[0]->result, 0, 0, 4);
	answer(ERROR_NONE, "");
}

/* ---- the signer ---- */

uint8_t node_certificate[32];
static struct {
	struct signer_job *job;
	done_fn done;
	void *arg;
} signing[4];
int signings;

const char *signer_kid(const struct signer *signer)
{
	(void)signer;
	return "test";
}

const uint8_t *signer_certificate_sha256(const struct signer *signer)
{
	(void)signer;
	return node_certificate;
}

void signer_sign_start(struct signer *signer, struct signer_job *job, done_fn done, void *arg)
{
	(void)signer;
	tell("sign", (int)(job->n - job->from));
	CU_ASSERT_FATAL(signings < 4);
	signing[signings].job = job;
	signing[signings].done = done;
	signing[signings++].arg = arg;
}

void finish_signing(enum error_kind kind)
{
	const struct error error = { .kind = kind, .detail = "the signer is broken" };

	CU_ASSERT_FATAL(signings > 0);
	memset(signing[0].job->sig, 's', sizeof(signing[0].job->sig));
	signings--;
	done_fn done = signing[0].done;
	void *arg = signing[0].arg;
	memmove(&signing[0], &signing[1], sizeof(signing[0]) * 3);
	done(arg, &error);
}
