/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/message.h"

#include <string.h>

#include "asn1/tnauthlist.h"
#include "base/base64url.h"
#include "base/bytes.h"

#define FINGERPRINT_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_: "
#define CLIENT_ID_CHARS	  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

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

/* Up to one without a name. */
static const struct text order_texts[] = {
	TEXT(order, request_id), TEXT(order, account),	   TEXT(order, spc),
	TEXT(order, tkvalue),	 TEXT(order, fingerprint), { 0 },
};

static const struct text answer_texts[] = { TEXT(answer, spc), TEXT(answer, text), { 0 } };

static const struct text grant_texts[] = {
	TEXT(grant_order, proof.client),
	TEXT(grant_order, proof.kid),
	TEXT(grant_order, proof.jti),
	TEXT(grant_order, request_id),
	{ 0 },
};

static const struct text login_texts[] = {
	TEXT(login_order, user),
	TEXT(login_order, request_id),
	{ 0 },
};

static const struct text granted_texts[] = { TEXT(grant_answer, text), { 0 } };

static const struct text revoke_texts[] = {
	TEXT(revoke_order, proof.client),
	TEXT(revoke_order, proof.kid),
	TEXT(revoke_order, proof.jti),
	TEXT(revoke_order, request_id),
	{ 0 },
};

static const struct text report_texts[] = { TEXT(report_order, request_id), { 0 } };

static const struct text no_texts[] = { { 0 } };

static bool text_check(const char *text, size_t size, const char *name, struct error *error)
{
	size_t len = strnlen(text, size);

	if (len == size)
		return error_set(error, ERROR_INVALID, "%s: has no end", name);
	if (!bytes_are_printable(text, len))
		return error_set(error, ERROR_INVALID, "%s: not printable ASCII", name);
	if (!bytes_are_zero(text + len, size - len))
		return error_set(error, ERROR_INVALID, "%s: bytes behind its end", name);
	return true;
}

static bool texts_check(const struct text *text, const void *body, struct error *error)
{
	for (; text->name != NULL; text++) {
		if (!text_check((const char *)body + text->offset, text->size, text->name, error))
			return false;
	}
	return true;
}

static bool want_zero(const void *bytes, size_t len, const char *name, struct error *error)
{
	return bytes_are_zero(bytes, len) || error_set(error, ERROR_INVALID, "%s: not zero", name);
}

/* ---- the order for an SPC token, and its answer ---- */

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

static bool order_check(const void *body, struct error *error)
{
	const struct order *order = body;

	if (order->kind != ORDER_ISSUE)
		return error_set(error, ERROR_INVALID, "kind: %d", order->kind);
	if (order->defect >= DEFECT_COUNT)
		return error_set(error, ERROR_INVALID, "defect: %d", order->defect);
	if (order->form > TOKEN_FORM_2017 || (order->form == 0 && order->defect == DEFECT_NONE))
		return error_set(error, ERROR_INVALID, "form: %d", order->form);
	if (order->ca > 1)
		return error_set(error, ERROR_INVALID, "ca: %d", order->ca);
	if (order->presented > PRESENTED_TOKEN)
		return error_set(error, ERROR_INVALID, "presented: %d", order->presented);
	if (order->dry_run > 1)
		return error_set(error, ERROR_INVALID, "dry_run: %d", order->dry_run);
	return order->defect != DEFECT_NONE || order_members_check(order, error);
}

static bool outcome_check(unsigned int verdict, unsigned int failed, struct error *error)
{
	if (verdict >= VERDICT_COUNT)
		return error_set(error, ERROR_INVALID, "verdict: %u", verdict);
	if (failed > 1)
		return error_set(error, ERROR_INVALID, "failed: %u", failed);
	return true;
}

static bool answer_check(const void *body, struct error *error)
{
	const struct answer *answer = body;

	if (!outcome_check(answer->verdict, answer->failed, error))
		return false;
	if (answer->defect >= DEFECT_COUNT)
		return error_set(error, ERROR_INVALID, "defect: %d", answer->defect);
	if (answer->exp < 0)
		return error_set(error, ERROR_INVALID, "exp: before 1970");
	return want_zero(answer->unused, sizeof(answer->unused), "unused", error);
}

/* ---- access tokens and secrets ---- */

static bool client_id_is_well_formed(const char *client)
{
	return client[0] != '\0' && client[strspn(client, CLIENT_ID_CHARS)] == '\0';
}

static bool assertion_check(const struct client_proof *proof, struct error *error)
{
	if (!client_id_is_well_formed(proof->client))
		return error_set(error, ERROR_INVALID, "client: empty, or no client's");
	if (proof->jti[0] == '\0')
		return error_set(error, ERROR_INVALID, "jti: empty");
	if (proof->exp <= 0)
		return error_set(error, ERROR_INVALID, "exp: before 1970");
	return want_zero(proof->credential, sizeof(proof->credential), "credential", error);
}

/* A proof without an assertion. */
static bool no_assertion_check(const struct client_proof *proof, struct error *error)
{
	struct client_proof rest = *proof;

	rest.method = 0;
	memset(rest.credential, 0, sizeof(rest.credential));
	return want_zero(&rest, sizeof(rest), "assertion", error);
}

static bool proof_check(const struct client_proof *proof, struct error *error)
{
	if (!want_zero(proof->unused, sizeof(proof->unused), "unused", error))
		return false;
	switch ((enum access_method)proof->method) {
	case METHOD_SECRET:
		return no_assertion_check(proof, error);
	case METHOD_ASSERTION:
		return assertion_check(proof, error);
	case METHOD_TOKEN:
		return want_zero(proof->credential, sizeof(proof->credential), "credential",
				 error) &&
		       no_assertion_check(proof, error);
	case METHOD_LOGIN:
	case METHOD_PASSWORD:
	default:
		return error_set(error, ERROR_INVALID, "method: %d", proof->method);
	}
}

static bool grant_check(const void *body, struct error *error)
{
	const struct grant_order *grant = body;

	if (grant->proof.method == METHOD_TOKEN)
		return error_set(error, ERROR_INVALID, "method: %d", grant->proof.method);
	if (grant->scopes & ~SCOPE_ALL)
		return error_set(error, ERROR_INVALID, "scopes: %d", grant->scopes);
	return want_zero(grant->unused, sizeof(grant->unused), "unused", error) &&
	       proof_check(&grant->proof, error);
}

static bool login_check(const void *body, struct error *error)
{
	const struct login_order *login = body;

	if (login->method != METHOD_LOGIN && login->method != METHOD_PASSWORD)
		return error_set(error, ERROR_INVALID, "method: %d", login->method);
	if (login->password_len > PASSWORD_MAX)
		return error_set(error, ERROR_INVALID, "password_len: %d", login->password_len);
	if (login->method == METHOD_LOGIN && login->password_len != 0)
		return error_set(error, ERROR_INVALID, "password: beside its digest");
	if (login->method == METHOD_PASSWORD &&
	    !want_zero(login->digest, sizeof(login->digest), "digest", error))
		return false;
	return want_zero(login->password + login->password_len, PASSWORD_MAX - login->password_len,
			 "behind the password", error);
}

static bool granted_check(const void *body, struct error *error)
{
	const struct grant_answer *answer = body;
	bool granted = answer->verdict == VERDICT_ISSUED && !answer->failed;

	if (!outcome_check(answer->verdict, answer->failed, error) ||
	    !want_zero(answer->unused, sizeof(answer->unused), "unused", error))
		return false;
	if (granted != (answer->text[0] != '\0'))
		return error_set(error, ERROR_INVALID,
				 "text: a token is granted, or there is none");
	if (granted != (answer->scopes != 0) || answer->scopes & ~SCOPE_ALL)
		return error_set(error, ERROR_INVALID, "scopes: %d", answer->scopes);
	if (granted != (answer->exp > 0) || answer->exp < 0)
		return error_set(error, ERROR_INVALID, "exp: a token has one");
	return true;
}

static bool revoke_check(const void *body, struct error *error)
{
	return proof_check(&((const struct revoke_order *)body)->proof, error);
}

static bool report_check(const void *body, struct error *error)
{
	const struct report_order *report = body;

	if (bytes_are_zero(report->secret, sizeof(report->secret)) &&
	    bytes_are_zero(report->token, sizeof(report->token)) &&
	    bytes_are_zero(report->password, sizeof(report->password)))
		return error_set(error, ERROR_INVALID, "secret, token, password: none");
	return true;
}

static bool done_check(const void *body, struct error *error)
{
	const struct access_answer *answer = body;

	return outcome_check(answer->verdict, answer->failed, error);
}

static bool status_check(const void *body, struct error *error)
{
	const struct ipc_status *status = body;

	return status->ready <= 1 || error_set(error, ERROR_INVALID, "ready: %d", status->ready);
}

/* ---- the kinds ---- */

static const struct kind {
	const char *name;
	enum ipc_reader reader;
	uint32_t size;
	const struct text *texts;
	bool (*check)(const void *body, struct error *error); /* its texts are good */
	enum ipc_kind answer;				      /* of an order */
	size_t failed;					      /* of an answer: where it says so */
	bool secret;
} kinds[] = {
	[IPC_ORDER] = { "order", IPC_READER_AUTHORITY, sizeof(struct order), order_texts,
			order_check, IPC_ANSWER, 0, false },
	[IPC_ANSWER] = { "answer", IPC_READER_EDGE, sizeof(struct answer), answer_texts,
			 answer_check, 0, offsetof(struct answer, failed), false },
	[IPC_STATUS] = { "status", IPC_READER_EDGE, sizeof(struct ipc_status), no_texts,
			 status_check, 0, 0, false },
	[IPC_GRANT] = { "grant", IPC_READER_AUTHORITY, sizeof(struct grant_order), grant_texts,
			grant_check, IPC_GRANT_ANSWER, 0, false },
	[IPC_GRANT_ANSWER] = { "grant's answer", IPC_READER_EDGE, sizeof(struct grant_answer),
			       granted_texts, granted_check, 0,
			       offsetof(struct grant_answer, failed), true },
	[IPC_LOGIN] = { "login", IPC_READER_AUTHORITY, sizeof(struct login_order), login_texts,
			login_check, IPC_LOGIN_ANSWER, 0, true },
	[IPC_LOGIN_ANSWER] = { "login's answer", IPC_READER_EDGE, sizeof(struct grant_answer),
			       granted_texts, granted_check, 0,
			       offsetof(struct grant_answer, failed), true },
	[IPC_REVOKE] = { "revoke", IPC_READER_AUTHORITY, sizeof(struct revoke_order), revoke_texts,
			 revoke_check, IPC_REVOKE_ANSWER, 0, false },
	[IPC_REVOKE_ANSWER] = { "revoke's answer", IPC_READER_EDGE, sizeof(struct access_answer),
				no_texts, done_check, 0, offsetof(struct access_answer, failed),
				false },
	[IPC_REPORT] = { "report", IPC_READER_AUTHORITY, sizeof(struct report_order), report_texts,
			 report_check, IPC_REPORT_ANSWER, 0, false },
	[IPC_REPORT_ANSWER] = { "report's answer", IPC_READER_EDGE, sizeof(struct access_answer),
				no_texts, done_check, 0, offsetof(struct access_answer, failed),
				false },
};

static_assert(COUNT(kinds) == IPC_KIND_COUNT, "every kind has a row");

size_t ipc_kind_size(enum ipc_kind kind)
{
	return kinds[kind].size;
}

bool ipc_kind_is_secret(enum ipc_kind kind)
{
	return kinds[kind].secret;
}

enum ipc_kind ipc_kind_answer(enum ipc_kind kind)
{
	return kinds[kind].answer;
}

bool ipc_body_check(enum ipc_kind kind, const void *body, struct error *error)
{
	return texts_check(kinds[kind].texts, body, error) && kinds[kind].check(body, error);
}

void ipc_body_tidy(enum ipc_kind kind, void *body)
{
	for (const struct text *text = kinds[kind].texts; text->name != NULL; text++) {
		char *bytes = (char *)body + text->offset;
		size_t len = strnlen(bytes, text->size - 1);

		memset(bytes + len, 0, text->size - len);
	}
}

void ipc_answer_make_failed(enum ipc_kind kind, union ipc_body *body)
{
	memset(body, 0, sizeof(*body));
	((uint8_t *)body)[kinds[kind].failed] = 1;
}

bool ipc_answer_has_failed(enum ipc_kind kind, const void *body)
{
	return ((const uint8_t *)body)[kinds[kind].failed] != 0;
}

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
	if (header->kind == IPC_STATUS && header->id != 0) {
		error_set(error, ERROR_INVALID, "%s: has an id", kind->name);
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
	if (!ipc_body_check(message->header.kind, &message->body, error)) {
		error_context(error, "%s", kind->name);
		return IPC_READ_BAD;
	}
	*used = sizeof(message->header) + kind->size;
	return IPC_READ_MESSAGE;
}
