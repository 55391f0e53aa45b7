/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as people write them: RFC 3339 (2026-01-31T12:00:00Z, or with an offset), a day of UTC
 * (2026-01-31: its first moment), or a distance from now (90d, 12h; w d h m s).
 * In UTC the year is from 1900 to 9999.
 */
#ifndef STIPACTL_WHEN_H
#define STIPACTL_WHEN_H

#include <time.h>

#include "base/error.h"

#define WHEN_TEXT_MAX 32

enum when_direction { WHEN_AHEAD, WHEN_BACK }; /* what a distance means */

/* Write the time as RFC 3339 in UTC.  ERROR_INVALID says what is understood. */
bool when_parse(const char *text, enum when_direction direction, time_t now,
		char utc[WHEN_TEXT_MAX], struct error *error) MUST_CHECK;
/* A distance alone, in seconds. */
bool when_parse_distance(const char *text, long *seconds, struct error *error) MUST_CHECK;
/* The same as PostgreSQL reads an interval. */
bool when_interval(const char *text, char interval[WHEN_TEXT_MAX], struct error *error) MUST_CHECK;

#endif
