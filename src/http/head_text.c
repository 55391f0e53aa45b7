/* SPDX-License-Identifier: Apache-2.0 */
#include "head_text.h"

#include "http/head.h"

/* ---- the target ---- */

/* A segment "." or ".." has no place in a path that a client means. */
static bool segment_is_dots(const char *segment, size_t len)
{
	return (len == 1 && segment[0] == '.') || (len == 2 && memcmp(segment, "..", 2) == 0);
}

/* An escape in a path stands for printable ASCII that has no meaning in paths. */
static bool path_escape_is_fair(int value)
{
	return value >= ' ' && value <= '~' && strchr("/\\.%", value) == NULL;
}

const char *path_fault(const char *path, size_t len)
{
	size_t segment = 1;

	for (size_t i = 1; i < len; i++) {
		if (path[i] == '/') {
			if (i == segment)
				return "empty segment in the path";
			if (segment_is_dots(path + segment, i - segment))
				return "dot segment in the path";
			segment = i + 1;
		} else if (path[i] == '%') {
			if (!path_escape_is_fair(escape_value(path, len, i)))
				return "malformed escape in the path";
			i += 2;
		} else if (!is_pchar(path[i])) {
			return "malformed path";
		}
	}
	if (segment_is_dots(path + segment, len - segment))
		return "dot segment in the path";
	return NULL;
}

const char *query_fault(const char *query, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (query[i] == '%') {
			if (escape_value(query, len, i) <= 0)
				return "malformed escape in the query";
			i += 2;
		} else if (!is_pchar(query[i]) && query[i] != '/' && query[i] != '?') {
			return "malformed query";
		}
	}
	return NULL;
}

void http_path_decode(const char *path, size_t len, char *decoded)
{
	for (size_t i = 0; i < len; i++) {
		int value = path[i] == '%' ? escape_value(path, len, i) : -1;

		*decoded++ = value >= 0 ? (char)value : path[i];
		i += value >= 0 ? 2 : 0;
	}
	*decoded = '\0';
}

/* ---- Host ---- */

bool host_name_is_fair(const char *name, size_t len)
{
	bool literal = len > 2 && name[0] == '[' && name[len - 1] == ']';

	if (len == 0 || len > 255)
		return false;
	for (size_t i = literal; i < len - literal; i++) {
		if (literal ? hex_value(name[i]) < 0 && name[i] != ':' && name[i] != '.'
			    : !is_alnum(name[i]) && strchr("-._", name[i]) == NULL)
			return false;
	}
	return true;
}

bool port_is_fair(const char *port, size_t len)
{
	unsigned int number = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(port[i]))
			return false;
		number = number * 10 + (unsigned int)(port[i] - '0');
	}
	return number <= 65535;
}
