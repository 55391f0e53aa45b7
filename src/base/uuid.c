/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool uuid7_make(uint8_t uuid[16], int64_t now_ms, struct error *error)
{
	if (now_ms < 0 || now_ms >> 48 != 0)
		return error_set(error, ERROR_INTERNAL, "UUIDv7: the time does not fit 48 bits");
	if (getrandom(uuid + 6, 10, GRND_NONBLOCK) != 10)
		return error_set(error, ERROR_UNAVAILABLE, "UUIDv7: no random bits: %s",
				 strerror(errno));
	for (int i = 0; i < 6; i++)
		uuid[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	uuid[6] = 0x70 | (uuid[6] & 0x0f); /* version 7 */
	uuid[8] = 0x80 | (uuid[8] & 0x3f); /* variant of RFC 9562 section 4.1 */
	return true;
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = hex[uuid[i] >> 4];
		*text++ = hex[uuid[i] & 15];
	}
	*text = '\0';
}
