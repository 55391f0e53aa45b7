/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "ipc/message.h"

#define DIGEST                                                                                     \
	{                                                                                          \
		1, 2, 3                                                                            \
	}
#define PROOF_SECRET                                                                               \
	{                                                                                          \
		.method = METHOD_SECRET, .credential = DIGEST                                      \
	}
#define PROOF_ASSERTION                                                                            \
	{                                                                                          \
		.method = METHOD_ASSERTION, .exp = 1790000000, .input_digest = DIGEST,             \
		.signature = DIGEST, .client = "demo", .kid = "k1", .jti = "j1"                    \
	}
#define GRANTED                                                                                    \
	{                                                                                          \
		.exp = 1790000000, .scopes = SCOPE_ALL, .text = "stipa_demo_at_x"                  \
	}

/* One good body of each kind. */
static const union ipc_body bodies[IPC_KIND_COUNT] = {
	[IPC_ORDER].order = { .kind = ORDER_ISSUE,
			      .form = TOKEN_FORM_ATC,
			      .request_id = "r-1",
			      .account = "sp-1",
			      .spc = "281K",
			      .tkvalue = "MAigBhYEMjgxSw",
			      .fingerprint = "SHA256 00:11" },
	[IPC_ANSWER].answer = { .spc = "281K", .text = "a.b.c" },
	[IPC_GRANT].grant = { .proof = PROOF_ASSERTION, .scopes = SCOPE_ALL, .request_id = "r-1" },
	[IPC_GRANT_ANSWER].granted = GRANTED,
	[IPC_LOGIN].login = { .method = METHOD_PASSWORD,
			      .user = "demo",
			      .password_len = 3,
			      .password = { 0xe9, 0, 'x' } },
	[IPC_LOGIN_ANSWER].granted = GRANTED,
	[IPC_REVOKE].revoke = { .proof = PROOF_SECRET, .token = DIGEST },
	[IPC_REPORT].report = { .secret = DIGEST },
};

/* A message of our own with one byte, or the header, set otherwise. */
static struct ipc_message whole(uint32_t kind, uint32_t size)
{
	struct ipc_message message = { .header = { .kind = kind, .size = size } };

	if (kind < IPC_KIND_COUNT)
		message.body = bodies[kind];
	return message;
}

#define BODY		  offsetof(struct ipc_message, body)
#define IN_ORDER(member)  (BODY + offsetof(struct order, member))
#define IN_ANSWER(member) (BODY + offsetof(struct answer, member))
#define IN_HEADER(member) offsetof(struct ipc_message, header.member)
#define ORDER_BYTE(...)	  .kind = IPC_ORDER, .size = sizeof(struct order), __VA_ARGS__
#define ANSWER_BYTE(...)  .kind = IPC_ANSWER, .size = sizeof(struct answer), __VA_ARGS__
#define IN(type, member)  (BODY + offsetof(struct type, member))
#define GRANT_BYTE(...)	  .kind = IPC_GRANT, .size = sizeof(struct grant_order), __VA_ARGS__
#define LOGIN_BYTE(...)	  .kind = IPC_LOGIN, .size = sizeof(struct login_order), __VA_ARGS__
#define REVOKE_BYTE(...)  .kind = IPC_REVOKE, .size = sizeof(struct revoke_order), __VA_ARGS__
#define REPORT_BYTE(...)  .kind = IPC_REPORT, .size = sizeof(struct report_order), __VA_ARGS__
#define GRANTED_BYTE(...) .kind = IPC_LOGIN_ANSWER, .size = sizeof(struct grant_answer), __VA_ARGS__
#define DONE_BYTE(...)	  .kind = IPC_REVOKE_ANSWER, .size = 2, __VA_ARGS__
#define FILL(first, len)  .at = (first), .n = (len)

static const struct row {
	const char *name;
	uint32_t kind;
	uint32_t size;
	size_t at; /* where @n bytes become @byte */
	size_t n;
	uint8_t byte;
	const char *why; /* NULL: it is taken */
} rows[] = {
	{ "an order", ORDER_BYTE(.why = NULL) },
	{ "an answer", ANSWER_BYTE(.why = NULL) },
	{ "a status", IPC_STATUS, 1, .why = NULL },
	{ "no kind", 0, 0, .why = "no message has kind 0" },
	{ "an unknown kind", IPC_KIND_COUNT, 1, .why = "no message has kind 12" },
	{ "a huge kind", 0xffffffff, 1, .why = "no message has kind 4294967295" },
	{ "an order too short", IPC_ORDER, sizeof(struct order) - 1, .why = "343 bytes, want 344" },
	{ "an order too long", IPC_ORDER, sizeof(struct order) + 1, .why = "345 bytes, want 344" },
	{ "a huge size", IPC_ORDER, 0xffffffff, .why = "want 344" },
	{ "an answer of an order's size", IPC_ANSWER, sizeof(struct order), .why = "want 1568" },
	{ "a status that is neither", IPC_STATUS, 1, FILL(BODY, 1), 2, "ready: 2" },
	{ "a status with an id", IPC_STATUS, 1, FILL(IN_HEADER(id), 1), 1, "has an id" },

	{ "an order of no kind", ORDER_BYTE(FILL(IN_ORDER(kind), 1)), 0, "kind: 0" },
	{ "an order of an unknown kind", ORDER_BYTE(FILL(IN_ORDER(kind), 1)), 255, "kind: 255" },
	{ "no form", ORDER_BYTE(FILL(IN_ORDER(form), 1)), 0, "form: 0" },
	{ "an unknown form", ORDER_BYTE(FILL(IN_ORDER(form), 1)), 3, "form: 3" },
	{ "the last defect", ORDER_BYTE(FILL(IN_ORDER(defect), 1)), DEFECT_COUNT - 1, NULL },
	{ "an unknown defect", ORDER_BYTE(FILL(IN_ORDER(defect), 1)), DEFECT_COUNT, "defect: " },
	{ "ca true", ORDER_BYTE(FILL(IN_ORDER(ca), 1)), 1, NULL },
	{ "ca two", ORDER_BYTE(FILL(IN_ORDER(ca), 1)), 2, "ca: 2" },
	{ "an access token", ORDER_BYTE(FILL(IN_ORDER(presented), 1)), 1, NULL },
	{ "presented otherwise", ORDER_BYTE(FILL(IN_ORDER(presented), 1)), 2, "presented: 2" },
	{ "a dry run", ORDER_BYTE(FILL(IN_ORDER(dry_run), 1)), 1, NULL },
	{ "a very dry run", ORDER_BYTE(FILL(IN_ORDER(dry_run), 1)), 2, "dry_run: 2" },
	{ "any credential", ORDER_BYTE(FILL(IN_ORDER(credential), 32)), 255, NULL },
	{ "any peer", ORDER_BYTE(FILL(IN_ORDER(peer), 16)), 255, NULL },
	{ "a full account", ORDER_BYTE(FILL(IN_ORDER(account), ACCOUNT_REF_MAX)), 'x', NULL },
	{ "an account without end", ORDER_BYTE(FILL(IN_ORDER(account), ACCOUNT_REF_MAX + 1)), 'x',
	  "account: has no end" },
	{ "an account with a gap", ORDER_BYTE(FILL(IN_ORDER(account) + 5, 1)), 'x',
	  "account: bytes behind its end" },
	{ "an account with a newline", ORDER_BYTE(FILL(IN_ORDER(account), 1)), '\n',
	  "account: not printable" },
	{ "an account with DEL", ORDER_BYTE(FILL(IN_ORDER(account), 1)), 0x7f,
	  "account: not printable" },
	{ "an account not ASCII", ORDER_BYTE(FILL(IN_ORDER(account), 1)), 0xe9,
	  "account: not printable" },
	{ "a request id without end", ORDER_BYTE(FILL(IN_ORDER(request_id), REQUEST_ID_MAX + 1)),
	  'x', "request_id: has no end" },
	{ "an SPC without end", ORDER_BYTE(FILL(IN_ORDER(spc), SPC_MAX + 1)), 'X',
	  "spc: has no end" },
	{ "a tkvalue without end", ORDER_BYTE(FILL(IN_ORDER(tkvalue), TKVALUE_MAX + 1)), 'M',
	  "tkvalue: has no end" },
	{ "a fingerprint without end", ORDER_BYTE(FILL(IN_ORDER(fingerprint), FINGERPRINT_MAX + 1)),
	  'A', "fingerprint: has no end" },
	{ "a last byte behind the end",
	  ORDER_BYTE(FILL(IN_ORDER(fingerprint) + FINGERPRINT_MAX, 1)), 1,
	  "fingerprint: bytes behind" },
	{ "no tkvalue", ORDER_BYTE(FILL(IN_ORDER(tkvalue), TKVALUE_MAX)), 0,
	  "tkvalue: is not the list of spc" },
	{ "the list of another SPC", ORDER_BYTE(FILL(IN_ORDER(spc), 1)), '3',
	  "tkvalue: is not the list of spc" },
	{ "the SPC of another list", ORDER_BYTE(FILL(IN_ORDER(tkvalue) + 9, 1)), 'T',
	  "tkvalue: is not the list of spc" },
	{ "no SPC", ORDER_BYTE(FILL(IN_ORDER(spc), SPC_MAX)), 0,
	  "tkvalue: is not the list of spc" },
	{ "no fingerprint", ORDER_BYTE(FILL(IN_ORDER(fingerprint), FINGERPRINT_MAX)), 0,
	  "fingerprint: empty" },
	{ "a fingerprint with a quote", ORDER_BYTE(FILL(IN_ORDER(fingerprint) + 3, 1)), '"',
	  "fingerprint: empty, or of no known form" },
	{ "2017 with a tkvalue", ORDER_BYTE(FILL(IN_ORDER(form), 1)), TOKEN_FORM_2017,
	  "tkvalue, ca: not of the 2017 form" },

	{ "the last verdict", ANSWER_BYTE(FILL(IN_ANSWER(verdict), 1)), VERDICT_COUNT - 1, NULL },
	{ "an unknown verdict", ANSWER_BYTE(FILL(IN_ANSWER(verdict), 1)), VERDICT_COUNT,
	  "verdict: " },
	{ "an answer's unknown defect", ANSWER_BYTE(FILL(IN_ANSWER(defect), 1)), DEFECT_COUNT,
	  "defect: " },
	{ "failed", ANSWER_BYTE(FILL(IN_ANSWER(failed), 1)), 1, NULL },
	{ "failed twice", ANSWER_BYTE(FILL(IN_ANSWER(failed), 1)), 2, "failed: 2" },
	{ "the unused byte", ANSWER_BYTE(FILL(IN_ANSWER(unused), 1)), 1, "unused: not zero" },
	{ "an exp before 1970", ANSWER_BYTE(FILL(IN_ANSWER(exp), 8)), 0xff, "exp: before 1970" },
	{ "a token without end", ANSWER_BYTE(FILL(IN_ANSWER(text), TOKEN_MAX + 1)), 'x',
	  "text: has no end" },
	{ "a token with a gap", ANSWER_BYTE(FILL(IN_ANSWER(text) + 9, 1)), 'x',
	  "text: bytes behind" },

	{ "a grant", GRANT_BYTE(.why = NULL) },
	{ "a grant of no scope named", GRANT_BYTE(FILL(IN(grant_order, scopes), 1)), 0, NULL },
	{ "a grant of an unknown scope", GRANT_BYTE(FILL(IN(grant_order, scopes), 1)), 8,
	  "scopes: 8" },
	{ "a grant by no method", GRANT_BYTE(FILL(IN(grant_order, proof.method), 1)), 0,
	  "method: 0" },
	{ "a grant by a login", GRANT_BYTE(FILL(IN(grant_order, proof.method), 1)), METHOD_LOGIN,
	  "method: 3" },
	{ "a grant for a token", GRANT_BYTE(FILL(IN(grant_order, proof.method), 1)), METHOD_TOKEN,
	  "method: 5" },
	{ "an unknown method", GRANT_BYTE(FILL(IN(grant_order, proof.method), 1)), 6, "method: 6" },
	{ "a secret with an assertion", GRANT_BYTE(FILL(IN(grant_order, proof.method), 1)),
	  METHOD_SECRET, "assertion: not zero" },
	{ "an assertion with a secret", GRANT_BYTE(FILL(IN(grant_order, proof.credential), 1)), 1,
	  "credential: not zero" },
	{ "an assertion of nobody", GRANT_BYTE(FILL(IN(grant_order, proof.client), 5)), 0,
	  "client: empty" },
	{ "an assertion of no client", GRANT_BYTE(FILL(IN(grant_order, proof.client), 1)), '\'',
	  "client: empty, or no client's" },
	{ "an assertion without a kid", GRANT_BYTE(FILL(IN(grant_order, proof.kid), 2)), 0, NULL },
	{ "an assertion without a jti", GRANT_BYTE(FILL(IN(grant_order, proof.jti), 2)), 0,
	  "jti: empty" },
	{ "an assertion without an exp", GRANT_BYTE(FILL(IN(grant_order, proof.exp), 8)), 0,
	  "exp: before 1970" },
	{ "an assertion before 1970", GRANT_BYTE(FILL(IN(grant_order, proof.exp), 8)), 0xff,
	  "exp: before 1970" },
	{ "a jti without end", GRANT_BYTE(FILL(IN(grant_order, proof.jti), ASSERTION_ID_MAX + 1)),
	  'x', "jti: has no end" },
	{ "a proof's unused byte", GRANT_BYTE(FILL(IN(grant_order, proof.unused) + 3, 1)), 1,
	  "unused: not zero" },
	{ "a grant's unused byte", GRANT_BYTE(FILL(IN(grant_order, unused), 1)), 1,
	  "unused: not zero" },

	{ "a login", LOGIN_BYTE(.why = NULL) },
	{ "a login by a secret", LOGIN_BYTE(FILL(IN(login_order, method), 1)), METHOD_SECRET,
	  "method: 1" },
	{ "a digest with its password", LOGIN_BYTE(FILL(IN(login_order, method), 1)), METHOD_LOGIN,
	  "password: beside its digest" },
	{ "a password with its digest", LOGIN_BYTE(FILL(IN(login_order, digest), 1)), 1,
	  "digest: not zero" },
	{ "a password too long", LOGIN_BYTE(FILL(IN(login_order, password_len), 1)),
	  PASSWORD_MAX + 1, "password_len: 129" },
	{ "a full password", LOGIN_BYTE(FILL(IN(login_order, password_len), 1)), PASSWORD_MAX,
	  NULL },
	{ "more password than its length", LOGIN_BYTE(FILL(IN(login_order, password_len), 1)), 2,
	  "behind the password: not zero" },
	{ "a login of nobody", LOGIN_BYTE(FILL(IN(login_order, user), 4)), 0, NULL },
	{ "a user not ASCII", LOGIN_BYTE(FILL(IN(login_order, user), 1)), 0xe9,
	  "user: not printable" },

	{ "granted", GRANTED_BYTE(.why = NULL) },
	{ "granted without a token", GRANTED_BYTE(FILL(IN(grant_answer, text), 32)), 0,
	  "text: a token is granted, or there is none" },
	{ "not granted, with a token", GRANTED_BYTE(FILL(IN(grant_answer, verdict), 1)), 1,
	  "text: a token is granted, or there is none" },
	{ "failed, with a token", GRANTED_BYTE(FILL(IN(grant_answer, failed), 1)), 1,
	  "text: a token is granted, or there is none" },
	{ "granted without a scope", GRANTED_BYTE(FILL(IN(grant_answer, scopes), 1)), 0,
	  "scopes: 0" },
	{ "granted an unknown scope", GRANTED_BYTE(FILL(IN(grant_answer, scopes), 1)), 9,
	  "scopes: 9" },
	{ "granted without an exp", GRANTED_BYTE(FILL(IN(grant_answer, exp), 8)), 0,
	  "exp: a token has one" },
	{ "a grant's unknown verdict", GRANTED_BYTE(FILL(IN(grant_answer, verdict), 1)),
	  VERDICT_COUNT, "verdict: " },

	{ "a revocation", REVOKE_BYTE(.why = NULL) },
	{ "a token revoked by itself", REVOKE_BYTE(FILL(IN(revoke_order, proof.method), 1)),
	  METHOD_TOKEN, "credential: not zero" },
	{ "a report", REPORT_BYTE(.why = NULL) },
	{ "a report of nothing", REPORT_BYTE(FILL(IN(report_order, secret), 3)), 0,
	  "secret, token, password: none" },
	{ "a report of a token", REPORT_BYTE(FILL(IN(report_order, token), 32)), 5, NULL },
	{ "done", DONE_BYTE(.why = NULL) },
	{ "done, failed", DONE_BYTE(FILL(IN(access_answer, failed), 1)), 1, NULL },
	{ "done, an unknown verdict", DONE_BYTE(FILL(IN(access_answer, verdict), 1)), 99,
	  "verdict: 99" },
};

static enum ipc_reader reader_of(uint32_t kind)
{
	bool is_order = kind < IPC_KIND_COUNT && ipc_kind_answer(kind) != 0;

	return is_order ? IPC_READER_AUTHORITY : IPC_READER_EDGE;
}

static struct ipc_message message_of(const struct row *row)
{
	struct ipc_message message = whole(row->kind, row->size);

	memset((uint8_t *)&message + row->at, row->byte, row->n);
	return message;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct ipc_message message = message_of(row), got;
		struct error error = { 0 };
		size_t used = 0;
		enum ipc_read read = ipc_message_read(reader_of(row->kind), (uint8_t *)&message,
						      sizeof(message), &got, &used, &error);
		bool right = row->why == NULL
				     ? read == IPC_READ_MESSAGE && used == BODY + row->size &&
					       memcmp(&got, &message, used) == 0
				     : read == IPC_READ_BAD && error.kind == ERROR_INVALID &&
					       strstr(error.detail, row->why) != NULL;

		if (!right)
			printf("\n  %s: %d \"%s\"", row->name, read, error.detail);
		CU_ASSERT_TRUE(right);
	}
}

/* Exactly @len bytes on the heap, so that a sanitizer sees a byte more being read. */
static enum ipc_read read_part(const struct ipc_message *message, size_t len)
{
	uint8_t *bytes = malloc(len + (len == 0));
	struct ipc_message got;
	struct error error = { 0 };
	enum ipc_read read;
	size_t used;

	memcpy(bytes, message, len);
	read = ipc_message_read(IPC_READER_AUTHORITY, bytes, len, &got, &used, &error);
	free(bytes);
	return read;
}

static void test_a_part_of_a_message_wants_more(void)
{
	struct ipc_message message = whole(IPC_ORDER, sizeof(struct order));
	size_t size = BODY + sizeof(struct order);

	for (size_t len = 0; len < size; len++)
		CU_ASSERT_EQUAL(read_part(&message, len), IPC_READ_MORE);
	CU_ASSERT_EQUAL(read_part(&message, size), IPC_READ_MESSAGE);
}

static void test_a_header_alone_can_be_bad(void)
{
	struct ipc_message message = whole(IPC_ORDER, 5000);

	CU_ASSERT_EQUAL(read_part(&message, BODY - 1), IPC_READ_MORE);
	CU_ASSERT_EQUAL(read_part(&message, BODY), IPC_READ_BAD);
}

static void test_no_end_takes_what_it_sends_itself(void)
{
	for (uint32_t kind = IPC_ORDER; kind < IPC_KIND_COUNT; kind++) {
		struct ipc_message message = whole(kind, (uint32_t)ipc_kind_size(kind)), got;
		struct error error = { 0 };
		size_t used;

		CU_ASSERT_EQUAL(ipc_message_read(!reader_of(kind), (uint8_t *)&message,
						 sizeof(message), &got, &used, &error),
				IPC_READ_BAD);
		CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "not from this end"));
	}
}

static void test_the_2017_form_has_its_own_members(void)
{
	struct order order = whole(IPC_ORDER, sizeof(order)).body.order;
	struct error error = { 0 };

	order.form = TOKEN_FORM_2017;
	memset(order.tkvalue, 0, sizeof(order.tkvalue));
	CU_ASSERT_TRUE(ipc_body_check(IPC_ORDER, &order, &error));
	memset(order.spc, 0, sizeof(order.spc)); /* the account's only one */
	CU_ASSERT_TRUE(ipc_body_check(IPC_ORDER, &order, &error));
	strcpy(order.spc, "281k");
	CU_ASSERT_FALSE(ipc_body_check(IPC_ORDER, &order, &error));
	memset(order.spc, 0, sizeof(order.spc));
	CU_ASSERT_TRUE(ipc_body_check(IPC_ORDER, &order, &error));
	order.ca = 1;
	CU_ASSERT_FALSE(ipc_body_check(IPC_ORDER, &order, &error));
}

static void test_a_defect_excuses_empty_members(void)
{
	struct order order = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON };
	struct error error = { 0 };

	CU_ASSERT_TRUE(ipc_body_check(IPC_ORDER, &order, &error));
	order.defect = DEFECT_NONE;
	CU_ASSERT_FALSE(ipc_body_check(IPC_ORDER, &order, &error));
}

static void test_a_revocation_by_the_token_itself_has_no_other_proof(void)
{
	struct revoke_order revoke = { .proof.method = METHOD_TOKEN, .token = DIGEST };
	struct error error = { 0 };

	CU_ASSERT_TRUE(ipc_body_check(IPC_REVOKE, &revoke, &error));
	strcpy(revoke.proof.kid, "k");
	CU_ASSERT_FALSE(ipc_body_check(IPC_REVOKE, &revoke, &error));
}

static void test_every_order_can_fail(void)
{
	for (uint32_t kind = IPC_ORDER; kind < IPC_KIND_COUNT; kind++) {
		enum ipc_kind answer = ipc_kind_answer(kind);
		union ipc_body body = bodies[answer];
		struct error error = { 0 };

		if (answer == 0)
			continue;
		CU_ASSERT_FALSE(ipc_answer_has_failed(answer, &body));
		ipc_answer_make_failed(answer, &body);
		CU_ASSERT_TRUE(ipc_answer_has_failed(answer, &body));
		CU_ASSERT_TRUE(ipc_body_check(answer, &body, &error));
	}
}

static void test_what_has_a_password_or_a_token_is_secret(void)
{
	for (uint32_t kind = IPC_ORDER; kind < IPC_KIND_COUNT; kind++)
		CU_ASSERT_EQUAL(ipc_kind_is_secret(kind), kind == IPC_LOGIN ||
								  kind == IPC_GRANT_ANSWER ||
								  kind == IPC_LOGIN_ANSWER);
}

static void test_tidy_leaves_no_old_memory(void)
{
	struct order order;
	struct answer answer;
	struct error error = { 0 };

	memset(&order, 'x', sizeof(order));
	order.kind = ORDER_ISSUE;
	order.form = TOKEN_FORM_ATC;
	order.defect = DEFECT_NONE;
	order.ca = order.presented = order.dry_run = 0;
	order.account[4] = '\0';
	strcpy(order.spc, "281K");
	strcpy(order.tkvalue, "MAigBhYEMjgxSw");
	ipc_body_tidy(IPC_ORDER, &order);
	CU_ASSERT_TRUE(ipc_body_check(IPC_ORDER, &order, &error));
	CU_ASSERT_STRING_EQUAL(order.account, "xxxx");
	CU_ASSERT_EQUAL(strlen(order.fingerprint), FINGERPRINT_MAX);

	memset(&answer, 'x', sizeof(answer));
	answer.verdict = VERDICT_ISSUED;
	answer.defect = DEFECT_NONE;
	answer.failed = 0;
	answer.exp = 1;
	memset(answer.unused, 0, sizeof(answer.unused));
	ipc_body_tidy(IPC_ANSWER, &answer);
	CU_ASSERT_TRUE(ipc_body_check(IPC_ANSWER, &answer, &error));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "rows", test_rows },
		{ "a part of a message wants more", test_a_part_of_a_message_wants_more },
		{ "a header alone can be bad", test_a_header_alone_can_be_bad },
		{ "no end takes what it sends itself", test_no_end_takes_what_it_sends_itself },
		{ "the 2017 form has its own members", test_the_2017_form_has_its_own_members },
		{ "a defect excuses empty members", test_a_defect_excuses_empty_members },
		{ "a revocation by the token itself has no other proof",
		  test_a_revocation_by_the_token_itself_has_no_other_proof },
		{ "every order can fail", test_every_order_can_fail },
		{ "what has a password or a token is secret",
		  test_what_has_a_password_or_a_token_is_secret },
		{ "tidy leaves no old memory", test_tidy_leaves_no_old_memory },
		CU_TEST_INFO_NULL,
	};

	return run_suite("message", tests);
}
