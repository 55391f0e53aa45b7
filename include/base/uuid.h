/* SPDX-License-Identifier: Apache-2.0 */
/* UUID version 7 (RFC 9562 section 5.7): begins with its time, so the ledger grows at one end. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define UUID_TEXT_LEN 36

/* Make one from Unix @now_ms and 74 random bits of the kernel.  ERROR_UNAVAILABLE when the kernel
 * has none to give. */
bool uuid7_make(uint8_t uuid[16], int64_t now_ms, struct error *error) MUST_CHECK;

/* Lower-case text with hyphens and a NUL. */
void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT_LEN + 1]);

#endif
