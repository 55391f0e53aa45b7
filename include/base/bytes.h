/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about a range of bytes, answered eight bytes at a time. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

bool bytes_are_zero(const void *bytes, size_t len);

/* ASCII from space to tilde. */
bool bytes_are_printable(const char *text, size_t len);

/* Printable, and nothing that a JSON string escapes (RFC 8259 section 7). */
bool bytes_are_plain(const char *text, size_t len);

#endif
