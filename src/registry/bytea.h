/* SPDX-License-Identifier: Apache-2.0 */
/* Octets as PostgreSQL reads them. */
#ifndef REGISTRY_BYTEA_H
#define REGISTRY_BYTEA_H

#include <stddef.h>
#include <stdint.h>

#define BYTEA_TEXT_MAX(n) (2 + 2 * (n) + 1)

/* "\x" and hexadecimals.  @text has room for BYTEA_TEXT_MAX(len). */
void bytea_text(const uint8_t *bytes, size_t len, char *text);

#endif
