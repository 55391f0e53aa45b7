/* SPDX-License-Identifier: Apache-2.0 */
#include "http/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The end of the part at @at: the next @stop outside a quoted string, or the end of the text. */
static const char *part_end(const char *at, const char *end, char stop)
{
	bool quoted = false;

	for (; at < end && (quoted || *at != stop); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at + 1 < end)
			at++;
	}
	return at;
}

static void trim(const char **from, const char **to)
{
	while (*from < *to && (**from == ' ' || **from == '\t'))
		(*from)++;
	while (*to > *from && ((*to)[-1] == ' ' || (*to)[-1] == '\t'))
		(*to)--;
}

/* "q=0", "q=0.", "q=0.000". */
static bool is_q_of_zero(const char *from, const char *to)
{
	size_t len;

	trim(&from, &to);
	len = (size_t)(to - from);
	if (len < 3 || strncasecmp(from, "q=0", 3) != 0)
		return false;
	return len == 3 || (from[3] == '.' && strspn(from + 4, "0") >= len - 4);
}

static bool range_names(const char *from, const char *to, const char *media_type)
{
	const char *type = from, *type_end = part_end(from, to, ';');
	const char *at = type_end;

	trim(&type, &type_end);
	if ((size_t)(type_end - type) != strlen(media_type) ||
	    strncasecmp(type, media_type, strlen(media_type)) != 0)
		return false;
	while (at < to) {
		const char *next = part_end(at + 1, to, ';');

		if (is_q_of_zero(at + 1, next))
			return false;
		at = next;
	}
	return true;
}

bool accept_names(const char *accept, const char *media_type)
{
	const char *end = accept + strlen(accept);

	while (accept < end) {
		const char *next = part_end(accept, end, ',');

		if (range_names(accept, next, media_type))
			return true;
		accept = next + 1;
	}
	return false;
}
