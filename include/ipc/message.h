/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of what passes between an edge and the authority, and its check.
 *
 * A message is a header and a body whose size its kind fixes, in the byte order and alignment of
 * this machine: both ends are one program.  The reader trusts nothing: it takes a message whole
 * or says what is wrong with it, looks at no byte that is not there, and keeps no state.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/access.h"
#include "ipc/order.h"

enum ipc_kind {
	IPC_ORDER = 1,
	IPC_ANSWER,
	IPC_STATUS,
	IPC_GRANT,
	IPC_GRANT_ANSWER,
	IPC_LOGIN,
	IPC_LOGIN_ANSWER,
	IPC_REVOKE,
	IPC_REVOKE_ANSWER,
	IPC_REPORT,
	IPC_REPORT_ANSWER,
	IPC_KIND_COUNT
};

/* Which end reads: an order never comes from the authority, an answer never from an edge. */
enum ipc_reader { IPC_READER_EDGE, IPC_READER_AUTHORITY };

struct ipc_header {
	uint32_t kind; /* enum ipc_kind */
	uint32_t size; /* of the body */
	uint64_t id;   /* of the order, chosen by the edge and given back; 0 in a status */
};

struct ipc_status {
	uint8_t ready; /* 0 or 1: could a token be issued now */
};

union ipc_body {
	struct order order;
	struct answer answer;
	struct ipc_status status;
	struct grant_order grant;
	struct login_order login;
	struct grant_answer granted; /* to a grant, to a login */
	struct revoke_order revoke;
	struct report_order report;
	struct access_answer done; /* to a revocation, to a report */
};

struct ipc_message {
	struct ipc_header header;
	union ipc_body body;
};

static_assert(sizeof(struct ipc_header) == 16, "a header has one layout in every process");

enum ipc_read { IPC_READ_MORE, IPC_READ_MESSAGE, IPC_READ_BAD };

/* Read one message from the start of @bytes to @message and the bytes it took to @used.  MORE:
 * there is not yet a whole one.  BAD: @error says why (ERROR_INVALID); the stream is of no use any
 * more.  A header alone can be BAD. */
enum ipc_read ipc_message_read(enum ipc_reader reader, const uint8_t *bytes, size_t len,
			       struct ipc_message *message, size_t *used, struct error *error);

/* What each kind is, which is one of the enum. */
size_t ipc_kind_size(enum ipc_kind kind);	   /* of the body */
bool ipc_kind_is_secret(enum ipc_kind kind);	   /* a body that is wiped after use */
enum ipc_kind ipc_kind_answer(enum ipc_kind kind); /* that answers this order; 0: no order */

/* The checks of the bodies: methods, ranges, texts of printable ASCII that end with a NUL, zero in
 * every byte after it and in what the method does not use.  An order without a defect has the
 * members that its form needs, and its tkvalue is the list of its SPC: an edge may not have one
 * judged and another signed.  An answer that grants has a token, one that does not has none. */
bool ipc_body_check(enum ipc_kind kind, const void *body, struct error *error) MUST_CHECK;

/* Zero what stands behind the end of each text, so that no old memory leaves with it. */
void ipc_body_tidy(enum ipc_kind kind, void *body);

/* An answer that says ERROR_UNAVAILABLE; and whether one does. */
void ipc_answer_make_failed(enum ipc_kind kind, union ipc_body *body);
bool ipc_answer_has_failed(enum ipc_kind kind, const void *body);

#endif
