/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between processes: the first byte says which end reads, the rest is the stream.  What
 * is taken ends within its bounds, is tidy already, and no shorter stream held it. */
#include <stdlib.h>
#include <string.h>

#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool right)
{
	if (!right)
		abort();
}

static void check_order(const struct order *order)
{
	want(order->kind == ORDER_ISSUE && order->form <= TOKEN_FORM_2017);
	want(order->defect < DEFECT_COUNT && order->ca <= 1);
	want(order->presented <= PRESENTED_TOKEN && order->dry_run <= 1);
	want(strnlen(order->account, sizeof(order->account)) <= ACCOUNT_REF_MAX);
	want(strnlen(order->tkvalue, sizeof(order->tkvalue)) <= TKVALUE_MAX);
}

static void check_answer(const struct answer *answer)
{
	want(answer->verdict < VERDICT_COUNT && answer->defect < DEFECT_COUNT);
	want(strnlen(answer->text, sizeof(answer->text)) <= TOKEN_MAX);
}

static void check_proof(const struct client_proof *proof)
{
	want(proof->method == METHOD_SECRET || proof->method == METHOD_ASSERTION ||
	     proof->method == METHOD_TOKEN);
	want(strnlen(proof->client, sizeof(proof->client)) <= CLIENT_ID_MAX);
	want(strnlen(proof->kid, sizeof(proof->kid)) <= KEY_ID_MAX);
	want(strnlen(proof->jti, sizeof(proof->jti)) <= ASSERTION_ID_MAX);
	want((proof->method == METHOD_ASSERTION) == (proof->client[0] != '\0'));
}

static void check_login(const struct login_order *login)
{
	want(login->method == METHOD_LOGIN || login->method == METHOD_PASSWORD);
	want(login->password_len <= PASSWORD_MAX);
	want(strnlen(login->user, sizeof(login->user)) <= USER_NAME_MAX);
}

static void check_granted(const struct grant_answer *answer)
{
	want(answer->verdict < VERDICT_COUNT && answer->scopes <= SCOPE_ALL);
	want(strnlen(answer->text, sizeof(answer->text)) <= ACCESS_TOKEN_MAX);
	want((answer->text[0] != '\0') == (answer->exp > 0));
}

static void check_tidy(const struct ipc_message *message)
{
	union ipc_body tidy = message->body;

	ipc_body_tidy(message->header.kind, &tidy);
	want(memcmp(&tidy, &message->body, message->header.size) == 0);
}

static void check(const struct ipc_message *message)
{
	check_tidy(message);
	switch ((enum ipc_kind)message->header.kind) {
	case IPC_ORDER:
		check_order(&message->body.order);
		return;
	case IPC_ANSWER:
		check_answer(&message->body.answer);
		return;
	case IPC_STATUS:
		want(message->body.status.ready <= 1 && message->header.id == 0);
		return;
	case IPC_GRANT:
		want(message->body.grant.proof.method != METHOD_TOKEN);
		check_proof(&message->body.grant.proof);
		return;
	case IPC_LOGIN:
		check_login(&message->body.login);
		return;
	case IPC_GRANT_ANSWER:
	case IPC_LOGIN_ANSWER:
		check_granted(&message->body.granted);
		return;
	case IPC_REVOKE:
		check_proof(&message->body.revoke.proof);
		return;
	case IPC_REPORT:
		return;
	case IPC_REVOKE_ANSWER:
	case IPC_REPORT_ANSWER:
		want(message->body.done.verdict < VERDICT_COUNT && message->body.done.failed <= 1);
		return;
	case IPC_KIND_COUNT:
	default:
		want(false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ipc_reader reader;
	struct ipc_message message = { 0 }, other;
	size_t used, other_used;

	if (size == 0)
		return 0;
	reader = data[0] & 1 ? IPC_READER_AUTHORITY : IPC_READER_EDGE;
	data++;
	size--;
	for (;;) {
		struct error error = { 0 };
		enum ipc_read read = ipc_message_read(reader, data, size, &message, &used, &error);

		want((read == IPC_READ_BAD) == (error.kind != ERROR_NONE));
		if (read != IPC_READ_MESSAGE)
			return 0;
		want(used <= size && used <= sizeof(message));
		check(&message);
		want(ipc_message_read(reader, data, used - 1, &other, &other_used, &error) ==
		     IPC_READ_MORE);
		data += used;
		size -= used;
	}
}
