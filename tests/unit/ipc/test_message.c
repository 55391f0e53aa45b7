/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "ipc/message.h"

/* A message of our own with one byte, or the header, set otherwise. */
static struct ipc_message whole(uint32_t kind, uint32_t size)
{
	struct ipc_message message = { .header = { .kind = kind, .size = size } };
	struct order *order = &message.body.order;

	if (kind == IPC_ORDER) {
		*order = (struct order){
			.kind = ORDER_ISSUE,
			.form = TOKEN_FORM_ATC,
			.request_id = "r-1",
			.account = "sp-1",
			.spc = "281K",
			.tkvalue = "MAigBhYEMjgxSw",
			.fingerprint = "SHA256 00:11",
		};
	} else if (kind == IPC_ANSWER) {
		message.body.answer = (struct answer){ .spc = "281K", .text = "a.b.c" };
	}
	return message;
}

#define BODY		  offsetof(struct ipc_message, body)
#define IN_ORDER(member)  (BODY + offsetof(struct order, member))
#define IN_ANSWER(member) (BODY + offsetof(struct answer, member))
#define IN_HEADER(member) offsetof(struct ipc_message, header.member)
#define ORDER_BYTE(...)	  .kind = IPC_ORDER, .size = sizeof(struct order), __VA_ARGS__
#define ANSWER_BYTE(...)  .kind = IPC_ANSWER, .size = sizeof(struct answer), __VA_ARGS__
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
	{ "an unknown kind", 4, 1, .why = "no message has kind 4" },
	{ "a huge kind", 0xffffffff, 1, .why = "no message has kind 4294967295" },
	{ "an order too short", IPC_ORDER, sizeof(struct order) - 1, .why = "341 bytes, want 342" },
	{ "an order too long", IPC_ORDER, sizeof(struct order) + 1, .why = "343 bytes, want 342" },
	{ "a huge size", IPC_ORDER, 0xffffffff, .why = "want 342" },
	{ "an answer of an order's size", IPC_ANSWER, sizeof(struct order), .why = "want 1557" },
	{ "a status that is neither", IPC_STATUS, 1, FILL(BODY, 1), 2, "ready: 2" },
	{ "a status with an id", IPC_STATUS, 1, FILL(IN_HEADER(id), 1), 1, "has no id" },

	{ "an order of no kind", ORDER_BYTE(FILL(IN_ORDER(kind), 1)), 0, "kind: 0" },
	{ "a grant, not yet", ORDER_BYTE(FILL(IN_ORDER(kind), 1)), ORDER_GRANT, "kind: 2" },
	{ "an order of an unknown kind", ORDER_BYTE(FILL(IN_ORDER(kind), 1)), 255, "kind: 255" },
	{ "no form", ORDER_BYTE(FILL(IN_ORDER(form), 1)), 0, "form: 0" },
	{ "an unknown form", ORDER_BYTE(FILL(IN_ORDER(form), 1)), 3, "form: 3" },
	{ "the last defect", ORDER_BYTE(FILL(IN_ORDER(defect), 1)), DEFECT_COUNT - 1, NULL },
	{ "an unknown defect", ORDER_BYTE(FILL(IN_ORDER(defect), 1)), DEFECT_COUNT, "defect: " },
	{ "ca true", ORDER_BYTE(FILL(IN_ORDER(ca), 1)), 1, NULL },
	{ "ca two", ORDER_BYTE(FILL(IN_ORDER(ca), 1)), 2, "ca: 2" },
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
	{ "the unused byte", ANSWER_BYTE(FILL(IN_ANSWER(unused), 1)), 1, "unused: 1" },
	{ "a token without end", ANSWER_BYTE(FILL(IN_ANSWER(text), TOKEN_MAX + 1)), 'x',
	  "text: has no end" },
	{ "a token with a gap", ANSWER_BYTE(FILL(IN_ANSWER(text) + 9, 1)), 'x',
	  "text: bytes behind" },
};

static enum ipc_reader reader_of(uint32_t kind)
{
	return kind == IPC_ORDER ? IPC_READER_AUTHORITY : IPC_READER_EDGE;
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
	for (uint32_t kind = IPC_ORDER; kind <= IPC_STATUS; kind++) {
		static const uint32_t sizes[] = { [IPC_ORDER] = sizeof(struct order),
						  [IPC_ANSWER] = sizeof(struct answer),
						  [IPC_STATUS] = sizeof(struct ipc_status) };
		struct ipc_message message = whole(kind, sizes[kind]), got;
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
	CU_ASSERT_TRUE(ipc_order_check(&order, &error));
	memset(order.spc, 0, sizeof(order.spc)); /* the account's only one */
	CU_ASSERT_TRUE(ipc_order_check(&order, &error));
	strcpy(order.spc, "281k");
	CU_ASSERT_FALSE(ipc_order_check(&order, &error));
	memset(order.spc, 0, sizeof(order.spc));
	CU_ASSERT_TRUE(ipc_order_check(&order, &error));
	order.ca = 1;
	CU_ASSERT_FALSE(ipc_order_check(&order, &error));
}

static void test_a_defect_excuses_empty_members(void)
{
	struct order order = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON };
	struct error error = { 0 };

	CU_ASSERT_TRUE(ipc_order_check(&order, &error));
	order.defect = DEFECT_NONE;
	CU_ASSERT_FALSE(ipc_order_check(&order, &error));
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
	order.ca = 0;
	order.account[4] = '\0';
	strcpy(order.spc, "281K");
	strcpy(order.tkvalue, "MAigBhYEMjgxSw");
	ipc_order_tidy(&order);
	CU_ASSERT_TRUE(ipc_order_check(&order, &error));
	CU_ASSERT_STRING_EQUAL(order.account, "xxxx");
	CU_ASSERT_EQUAL(strlen(order.fingerprint), FINGERPRINT_MAX);

	memset(&answer, 'x', sizeof(answer));
	answer.verdict = VERDICT_ISSUED;
	answer.defect = DEFECT_NONE;
	answer.failed = 0;
	ipc_answer_tidy(&answer);
	CU_ASSERT_TRUE(ipc_answer_check(&answer, &error));
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
		{ "tidy leaves no old memory", test_tidy_leaves_no_old_memory },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "message", .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_run_tests();
	return CU_get_number_of_failures() != 0;
}
