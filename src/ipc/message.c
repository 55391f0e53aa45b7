/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/message.h"

#include <string.h>

#include "asn1/tnauthlist.h"
#include "base/base64url.h"

#define FINGERPRINT_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_: "

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One text within a body. */
struct text {
	const char *name;
	size_t offset;
	size_t size; /* with its NUL */
};

#define TEXT(type, member)                                                                         \
	{                                                                                          \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member)         \
	}

static const struct text order_texts[] = {
	TEXT(order, request_id), TEXT(order, account),	   TEXT(order, spc),
	TEXT(order, tkvalue),	 TEXT(order, fingerprint),
};

static const struct text answer_texts[] = {
	TEXT(answer, spc),
	TEXT(answer, text),
};

static bool is_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0')
			return false;
	}
	return true;
}

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

static bool text_check(const char *text, size_t size, const char *name, struct error *error)
{
	size_t len = strnlen(text, size);

	if (len == size)
		return error_set(error, ERROR_INVALID, "%s: has no end", name);
	if (!is_printable(text, len))
		return error_set(error, ERROR_INVALID, "%s: not printable ASCII", name);
	if (!is_zero(text + len, size - len))
		return error_set(error, ERROR_INVALID, "%s: bytes behind its end", name);
	return true;
}

static bool texts_check(const struct text *texts, size_t n, const void *body, struct error *error)
{
	for (size_t i = 0; i < n; i++) {
		if (!text_check((const char *)body + texts[i].offset, texts[i].size, texts[i].name,
				error))
			return false;
	}
	return true;
}

static void texts_tidy(const struct text *texts, size_t n, void *body)
{
	for (size_t i = 0; i < n; i++) {
		char *text = (char *)body + texts[i].offset;
		size_t len = strnlen(text, texts[i].size - 1);

		memset(text + len, 0, texts[i].size - len);
	}
}

/* What is signed is tkvalue, what is authorised is the SPC: an edge in other hands could pair an
 * SPC that the account holds with the list of another. */
static bool tkvalue_names_spc(const struct order *order)
{
	uint8_t der[TNAUTHLIST_DER_MAX];
	struct tnauthlist list = { 0 };
	size_t len;

	return base64_decode_any(order->tkvalue, strlen(order->tkvalue), der, sizeof(der), &len) &&
	       tnauthlist_check(der, len, &list) == TNAUTHLIST_GOOD &&
	       strcmp(list.spc, order->spc) == 0;
}

static bool atc_check(const struct order *order, struct error *error)
{
	return tkvalue_names_spc(order) ||
	       error_set(error, ERROR_INVALID, "tkvalue: is not the list of spc");
}

static bool form_2017_check(const struct order *order, struct error *error)
{
	if (order->tkvalue[0] != '\0' || order->ca != 0)
		return error_set(error, ERROR_INVALID, "tkvalue, ca: not of the 2017 form");
	if (order->spc[0] != '\0' && !spc_is_well_formed(order->spc, strlen(order->spc)))
		return error_set(error, ERROR_INVALID, "spc: malformed");
	return true;
}

/* What a body without a defect has, by its form. */
static bool order_members_check(const struct order *order, struct error *error)
{
	const char *fingerprint = order->fingerprint;

	if (fingerprint[0] == '\0' || fingerprint[strspn(fingerprint, FINGERPRINT_CHARS)] != '\0')
		return error_set(error, ERROR_INVALID, "fingerprint: empty, or of no known form");
	return order->form == TOKEN_FORM_ATC ? atc_check(order, error)
					     : form_2017_check(order, error);
}

bool ipc_order_check(const struct order *order, struct error *error)
{
	/* grant, login and revoke will come with a layout each */
	if (order->kind != ORDER_ISSUE)
		return error_set(error, ERROR_INVALID, "kind: %d", order->kind);
	if (order->defect >= DEFECT_COUNT)
		return error_set(error, ERROR_INVALID, "defect: %d", order->defect);
	if (order->form > TOKEN_FORM_2017 || (order->form == 0 && order->defect == DEFECT_NONE))
		return error_set(error, ERROR_INVALID, "form: %d", order->form);
	if (order->ca > 1)
		return error_set(error, ERROR_INVALID, "ca: %d", order->ca);
	if (!texts_check(order_texts, COUNT(order_texts), order, error))
		return false;
	return order->defect != DEFECT_NONE || order_members_check(order, error);
}

bool ipc_answer_check(const struct answer *answer, struct error *error)
{
	if (answer->verdict >= VERDICT_COUNT)
		return error_set(error, ERROR_INVALID, "verdict: %d", answer->verdict);
	if (answer->defect >= DEFECT_COUNT)
		return error_set(error, ERROR_INVALID, "defect: %d", answer->defect);
	if (answer->failed > 1)
		return error_set(error, ERROR_INVALID, "failed: %d", answer->failed);
	if (answer->unused != 0)
		return error_set(error, ERROR_INVALID, "unused: %d", answer->unused);
	return texts_check(answer_texts, COUNT(answer_texts), answer, error);
}

void ipc_order_tidy(struct order *order)
{
	texts_tidy(order_texts, COUNT(order_texts), order);
}

void ipc_answer_tidy(struct answer *answer)
{
	answer->unused = 0;
	texts_tidy(answer_texts, COUNT(answer_texts), answer);
}

static bool order_body_check(const struct ipc_message *message, struct error *error)
{
	return ipc_order_check(&message->body.order, error);
}

static bool answer_body_check(const struct ipc_message *message, struct error *error)
{
	return ipc_answer_check(&message->body.answer, error);
}

static bool status_body_check(const struct ipc_message *message, struct error *error)
{
	if (message->body.status.ready > 1)
		return error_set(error, ERROR_INVALID, "ready: %d", message->body.status.ready);
	if (message->header.id != 0)
		return error_set(error, ERROR_INVALID, "a status has no id");
	return true;
}

static const struct kind {
	const char *name;
	enum ipc_reader reader;
	uint32_t size;
	bool (*check)(const struct ipc_message *message, struct error *error);
} kinds[] = {
	[IPC_ORDER] = { "order", IPC_READER_AUTHORITY, sizeof(struct order), order_body_check },
	[IPC_ANSWER] = { "answer", IPC_READER_EDGE, sizeof(struct answer), answer_body_check },
	[IPC_STATUS] = { "status", IPC_READER_EDGE, sizeof(struct ipc_status), status_body_check },
};

static const struct kind *kind_for(enum ipc_reader reader, const struct ipc_header *header,
				   struct error *error)
{
	const struct kind *kind;

	if (header->kind >= COUNT(kinds) || kinds[header->kind].name == NULL) {
		error_set(error, ERROR_INVALID, "no message has kind %u", header->kind);
		return NULL;
	}
	kind = &kinds[header->kind];
	if (kind->reader != reader) {
		error_set(error, ERROR_INVALID, "%s: not from this end", kind->name);
		return NULL;
	}
	if (header->size != kind->size) {
		error_set(error, ERROR_INVALID, "%s: %u bytes, want %u", kind->name, header->size,
			  kind->size);
		return NULL;
	}
	return kind;
}

enum ipc_read ipc_message_read(enum ipc_reader reader, const uint8_t *bytes, size_t len,
			       struct ipc_message *message, size_t *used, struct error *error)
{
	const struct kind *kind;

	if (len < sizeof(message->header))
		return IPC_READ_MORE;
	memcpy(&message->header, bytes, sizeof(message->header));
	kind = kind_for(reader, &message->header, error);
	if (kind == NULL)
		return IPC_READ_BAD;
	if (len - sizeof(message->header) < kind->size)
		return IPC_READ_MORE;
	memcpy(&message->body, bytes + sizeof(message->header), kind->size);
	if (!kind->check(message, error)) {
		error_context(error, "%s", kind->name);
		return IPC_READ_BAD;
	}
	*used = sizeof(message->header) + kind->size;
	return IPC_READ_MESSAGE;
}
