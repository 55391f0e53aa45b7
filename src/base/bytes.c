/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdint.h>
#include <string.h>

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

bool bytes_are_zero(const void *bytes, size_t len)
{
	const uint8_t *first = bytes;

	/* each byte is the one before it, and the first is zero */
	return len == 0 || (first[0] == 0 && memcmp(first, first + 1, len - 1) == 0);
}

/* Has one of the eight bytes its high bit, or is it below a space or above a tilde?  A byte that
 * borrows from or carries into the next one is itself among these. */
static bool has_unprintable(uint64_t eight)
{
	return ((eight | (eight - ONES * 0x20) | (eight + ONES)) & HIGHS) != 0;
}

bool bytes_are_printable(const char *text, size_t len)
{
	uint64_t eight;

	for (; len >= sizeof(eight); text += sizeof(eight), len -= sizeof(eight)) {
		memcpy(&eight, text, sizeof(eight));
		if (has_unprintable(eight))
			return false;
	}
	eight = ONES * ' ';
	memcpy(&eight, text, len);
	return !has_unprintable(eight);
}

bool bytes_are_plain(const char *text, size_t len)
{
	return bytes_are_printable(text, len) && memchr(text, '"', len) == NULL &&
	       memchr(text, '\\', len) == NULL;
}
