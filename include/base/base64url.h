/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url (RFC 4648 section 5) without padding, as JOSE wants it (RFC 7515 section 2), and a
 * reader that takes what SHAKEN clients really send: either alphabet, padded or not.
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that @n bytes become, without the terminating NUL. */
#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)

/* Write the text and a NUL to @text, which has room for BASE64URL_LEN(len) + 1.  Returns the
 * length of the text. */
size_t base64url_encode(const void *bytes, size_t len, char *text);

/* Read exactly @len characters into at most @size bytes.  False when a character is of neither
 * alphabet, both alphabets are mixed, padding is wrong or partial, unused bits are not zero, or
 * there is no room.  An absent padding is right. */
bool base64_decode_any(const char *text, size_t len, uint8_t *bytes, size_t size, size_t *used);

/* The same, strictly unpadded base64url. */
bool base64url_decode(const char *text, size_t len, uint8_t *bytes, size_t size, size_t *used);

#endif
