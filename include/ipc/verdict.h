/* SPDX-License-Identifier: Apache-2.0 */
/* What a verdict means to the client: a kind, a stable code and a sentence that names the member
 * and the rule. */
#ifndef IPC_VERDICT_H
#define IPC_VERDICT_H

#include "base/error.h"
#include "ipc/order.h"

/* True for VERDICT_ISSUED.  A verdict that is not in the table is ERROR_INTERNAL.  The order names
 * what the answer does not: the address it came from, the scope it needs. */
bool verdict_is_issued(const struct order *order, const struct answer *answer,
		       struct error *error) MUST_CHECK;

/* The same for the verdicts of ipc/access.h; @peer is the order's. */
bool verdict_is_good(unsigned int verdict, const uint8_t peer[16], struct error *error) MUST_CHECK;

/* The scope that an access token must have for this order, as RFC 6750 names it. */
const char *order_scope(const struct order *order);

/* Stable names for logs, refusals and problem documents: "issued", "spc-not-held";
 * "tkvalue-canonical".  "unknown" for a number outside the table. */
const char *verdict_code(unsigned int verdict);
const char *defect_code(unsigned int defect);

#endif
