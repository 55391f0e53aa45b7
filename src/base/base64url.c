/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64url.h"

/* Which characters 62 and 63 a text has shown. */
enum alphabet { ALPHABET_UNKNOWN, ALPHABET_STANDARD, ALPHABET_URL };

static const char url_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(const void *bytes, size_t len, char *text)
{
	const uint8_t *in = bytes;
	char *out = text;

	for (; len >= 3; in += 3, len -= 3) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		*out++ = url_alphabet[bits >> 18];
		*out++ = url_alphabet[bits >> 12 & 63];
		*out++ = url_alphabet[bits >> 6 & 63];
		*out++ = url_alphabet[bits & 63];
	}
	if (len > 0) {
		uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);

		*out++ = url_alphabet[bits >> 18];
		*out++ = url_alphabet[bits >> 12 & 63];
		if (len == 2)
			*out++ = url_alphabet[bits >> 6 & 63];
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* The six bits of @c, or -1; remembers in @alphabet what @c shows, and refuses the other. */
static int sextet(char c, enum alphabet *alphabet)
{
	enum alphabet shown = c == '-' || c == '_' ? ALPHABET_URL : ALPHABET_STANDARD;

	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c != '-' && c != '_' && c != '+' && c != '/')
		return -1;
	if (*alphabet != ALPHABET_UNKNOWN && *alphabet != shown)
		return -1;
	*alphabet = shown;
	return c == '-' || c == '+' ? 62 : 63;
}

static bool decode(const char *text, size_t len, enum alphabet alphabet, uint8_t *bytes,
		   size_t size, size_t *used)
{
	uint32_t bits = 0;
	size_t out = 0;
	int n = 0;

	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		int six = sextet(text[i], &alphabet);

		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		n += 6;
		if (n < 8)
			continue;
		if (out == size)
			return false;
		n -= 8;
		bytes[out++] = (uint8_t)(bits >> n);
	}
	if ((bits & ((1U << n) - 1)) != 0) /* RFC 4648 section 3.5: one text for one value */
		return false;
	*used = out;
	return true;
}

bool base64_decode_any(const char *text, size_t len, uint8_t *bytes, size_t size, size_t *used)
{
	size_t padding = 0;

	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (padding > 0 && len % 4 != 0)
		return false;
	return decode(text, len - padding, ALPHABET_UNKNOWN, bytes, size, used);
}

bool base64url_decode(const char *text, size_t len, uint8_t *bytes, size_t size, size_t *used)
{
	return decode(text, len, ALPHABET_URL, bytes, size, used);
}
