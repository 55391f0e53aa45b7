/* SPDX-License-Identifier: Apache-2.0 */
/* What a verdict means to the client: a kind, a stable code and a sentence that names the member
 * and the rule. */
#ifndef IPC_VERDICT_H
#define IPC_VERDICT_H

#include "base/error.h"
#include "ipc/order.h"

/* True for VERDICT_ISSUED.  A verdict that is not in the table is ERROR_INTERNAL. */
bool verdict_is_issued(const struct answer *answer, struct error *error) MUST_CHECK;

/* Stable names for logs, refusals and problem documents: "issued", "spc-not-held";
 * "tkvalue-canonical".  "unknown" for a number outside the table. */
const char *verdict_code(unsigned int verdict);
const char *defect_code(unsigned int defect);

#endif
