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
	struct order tidy = *order;

	ipc_order_tidy(&tidy);
	want(memcmp(&tidy, order, sizeof(tidy)) == 0);
	want(order->kind == ORDER_ISSUE && order->form <= TOKEN_FORM_2017);
	want(order->defect < DEFECT_COUNT && order->ca <= 1);
	want(strnlen(order->account, sizeof(order->account)) <= ACCOUNT_REF_MAX);
	want(strnlen(order->tkvalue, sizeof(order->tkvalue)) <= TKVALUE_MAX);
}

static void check_answer(const struct answer *answer)
{
	struct answer tidy = *answer;

	ipc_answer_tidy(&tidy);
	want(memcmp(&tidy, answer, sizeof(tidy)) == 0);
	want(answer->verdict < VERDICT_COUNT && answer->defect < DEFECT_COUNT);
	want(strnlen(answer->text, sizeof(answer->text)) <= TOKEN_MAX);
}

static void check(const struct ipc_message *message)
{
	if (message->header.kind == IPC_ORDER)
		check_order(&message->body.order);
	else if (message->header.kind == IPC_ANSWER)
		check_answer(&message->body.answer);
	else
		want(message->header.kind == IPC_STATUS && message->body.status.ready <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ipc_reader reader;
	struct ipc_message message, other;
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
