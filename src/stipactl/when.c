/* SPDX-License-Identifier: Apache-2.0 */
#include "when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_MIN     1900
#define YEAR_MAX     9999
#define DISTANCE_MAX (1000L * 366 * 86400) /* a thousand years */

static const struct {
	char letter;
	long seconds;
} units[] = {
	{ 'w', 7 * 86400 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
};

static bool not_a_time(struct error *error)
{
	return error_set(error, ERROR_INVALID,
			 "not a time: write 2026-01-31, 2026-01-31T12:00:00Z, or a distance like "
			 "90d or 12h");
}

bool when_parse_distance(const char *text, long *seconds, struct error *error)
{
	char *end;
	long n = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : 0;

	if (n > 0 && end[0] != '\0' && end[1] == '\0')
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (end[0] == units[i].letter && n <= DISTANCE_MAX / units[i].seconds) {
				*seconds = n * units[i].seconds;
				return true;
			}
	return error_set(error, ERROR_INVALID,
			 "not a distance in time: write a number and one of w d h m s, like 90d");
}

/* Read exactly @digits digits. */
static bool take_number(const char **text, int digits, int *number)
{
	*number = 0;
	for (; digits > 0; digits--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return true;
}

static bool take_letter(const char **text, char letter)
{
	if (**text != letter)
		return false;
	(*text)++;
	return true;
}

static bool take_day(const char **text, struct tm *tm)
{
	if (!take_number(text, 4, &tm->tm_year) || !take_letter(text, '-') ||
	    !take_number(text, 2, &tm->tm_mon) || !take_letter(text, '-') ||
	    !take_number(text, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

static bool take_clock(const char **text, struct tm *tm)
{
	if (!take_number(text, 2, &tm->tm_hour) || !take_letter(text, ':') ||
	    !take_number(text, 2, &tm->tm_min) || !take_letter(text, ':') ||
	    !take_number(text, 2, &tm->tm_sec))
		return false;
	if (!take_letter(text, '.'))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	while (isdigit((unsigned char)**text)) /* a part of a second decides nothing */
		(*text)++;
	return true;
}

/* "Z" or "+01:30", in seconds east. */
static bool take_offset(const char **text, long *offset)
{
	int hours, minutes;
	bool west;

	*offset = 0;
	if (take_letter(text, 'Z') || take_letter(text, 'z'))
		return true;
	west = **text == '-';
	if (!west && **text != '+')
		return false;
	(*text)++;
	if (!take_number(text, 2, &hours) || !take_letter(text, ':') ||
	    !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return true;
}

/* timegm() mends 2026-02-31; we refuse it. */
static bool tm_to_time(const struct tm *tm, time_t *time)
{
	struct tm mended = *tm;

	*time = timegm(&mended);
	return mended.tm_mon == tm->tm_mon && mended.tm_mday == tm->tm_mday &&
	       mended.tm_hour == tm->tm_hour && mended.tm_min == tm->tm_min &&
	       mended.tm_sec == tm->tm_sec;
}

static bool parse_time(const char *text, time_t *time)
{
	struct tm tm = { 0 };
	long offset = 0;

	if (!take_day(&text, &tm))
		return false;
	if (*text != '\0') {
		if (*text != 'T' && *text != 't' && *text != ' ')
			return false;
		text++;
		if (!take_clock(&text, &tm) || !take_offset(&text, &offset))
			return false;
	}
	if (*text != '\0' || !tm_to_time(&tm, time))
		return false;
	*time -= offset;
	return true;
}

bool when_parse(const char *text, enum when_direction direction, time_t now,
		char utc[WHEN_TEXT_MAX], struct error *error)
{
	struct error no_distance = { 0 };
	struct tm tm;
	time_t time;
	long seconds;

	if (when_parse_distance(text, &seconds, &no_distance))
		time = direction == WHEN_AHEAD ? now + seconds : now - seconds;
	else if (!parse_time(text, &time))
		return not_a_time(error);
	/* also of a distance, and after the offset: what is written must read again */
	if (gmtime_r(&time, &tm) == NULL || tm.tm_year < YEAR_MIN - 1900 ||
	    tm.tm_year > YEAR_MAX - 1900 ||
	    strftime(utc, WHEN_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return not_a_time(error);
	return true;
}

bool when_interval(const char *text, char interval[WHEN_TEXT_MAX], struct error *error)
{
	long seconds = 0;

	if (!when_parse_distance(text, &seconds, error))
		return false;
	snprintf(interval, WHEN_TEXT_MAX, "%ld seconds", seconds);
	return true;
}
