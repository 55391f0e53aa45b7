/* SPDX-License-Identifier: Apache-2.0 */
/* The scopes of access tokens, RFC 6749 section 3.3.  Pure. */
#ifndef EDGE_SCOPE_H
#define EDGE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCOPE_TEXT_MAX 63

/* Names with a blank between them, in any order; NULL is none named, 0.  False for a name that
 * nobody knows. */
bool scope_parse(const char *text, uint8_t *scopes);
void scope_write(uint8_t scopes, char text[SCOPE_TEXT_MAX + 1]);

#endif
