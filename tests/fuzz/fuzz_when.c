/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them: what is understood is told in UTC, and reads as itself again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/stipactl/when.h"

#define NOW	 1767268800 /* 2026-01-01T12:00:00Z */
#define UTC_FORM "2026-01-01T12:00:00Z"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_time(const char *text, enum when_direction direction, char utc[WHEN_TEXT_MAX])
{
	char again[WHEN_TEXT_MAX];
	struct error error = { 0 };

	if (!when_parse(text, direction, NOW, utc, &error)) {
		require(error.kind == ERROR_INVALID);
		return false;
	}
	require(text[strspn(text, "0123456789-:.+ TtZzwdhms")] == '\0');
	require(strlen(utc) == strlen(UTC_FORM));
	require(when_parse(utc, WHEN_BACK, NOW - 1, again, &error) && strcmp(utc, again) == 0);
	return true;
}

static bool is_distance(const char *text)
{
	char interval[WHEN_TEXT_MAX], same[WHEN_TEXT_MAX];
	struct error error = { 0 };
	long seconds = 0, again = 0;

	if (!when_parse_distance(text, &seconds, &error)) {
		require(error.kind == ERROR_INVALID);
		require(!when_interval(text, interval, &error));
		return false;
	}
	require(seconds > 0 && when_interval(text, interval, &error));
	require(strtol(interval, NULL, 10) == seconds);
	snprintf(same, sizeof(same), "%lds", seconds);
	require(when_parse_distance(same, &again, &error) && again == seconds);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char ahead[WHEN_TEXT_MAX], back[WHEN_TEXT_MAX], *text = malloc(size + 1);
	bool is_ahead, is_back;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	is_ahead = is_time(text, WHEN_AHEAD, ahead);
	is_back = is_time(text, WHEN_BACK, back);
	if (is_distance(text)) {
		require(is_ahead && strcmp(ahead, UTC_FORM) > 0);
		require(!is_back || strcmp(back, UTC_FORM) < 0);
	} else {
		require(is_ahead == is_back && (!is_ahead || strcmp(ahead, back) == 0));
	}
	free(text);
	return 0;
}
