/* SPDX-License-Identifier: Apache-2.0 */
#include "mark_text.h"

#include <string.h>
#include <time.h>

/* A UUIDv7 begins with its milliseconds. */
static void time_to_text(const uint8_t jti[16], char text[MARK_AT_MAX])
{
	uint64_t ms = 0;
	time_t seconds;
	struct tm tm;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | jti[i];
	seconds = (time_t)(ms / 1000);
	strftime(text, MARK_AT_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
}

bool mark_text_read(const char *folder, struct mark_text *text, struct error *error)
{
	static const uint8_t none[16];
	struct mark mark;

	*text = (struct mark_text){ 0 };
	if (!mark_read(folder, &mark, error))
		return false;
	if (memcmp(mark.ledger, none, sizeof(none)) != 0)
		uuid_to_text(mark.ledger, text->ledger);
	if (mark_has_jti(&mark)) {
		uuid_to_text(mark.jti, text->jti);
		time_to_text(mark.jti, text->at);
	}
	return true;
}

const char *mark_text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}
