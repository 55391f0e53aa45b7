/* SPDX-License-Identifier: Apache-2.0 */
/* Which characters may stand where in a head, never by the locale; and the parts of a target and of
 * Host that are judged by their characters alone. */
#ifndef HTTP_HEAD_TEXT_H
#define HTTP_HEAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 section 5.6.2, without "_": a gateway that turns "-" into "_" must not be fooled. */
static inline bool is_token(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^`|~", c) != NULL);
}

/* RFC 3986 section 3.3, without "%", which is judged with what follows it. */
static inline bool is_pchar(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static inline bool is_text(char c)
{
	return c == '\t' || (c >= ' ' && c <= '~');
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at @i stands for; -1 when there is none. */
static inline int escape_value(const char *text, size_t len, size_t i)
{
	if (i + 2 >= len || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
		return -1;
	return hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
}

/* What is wrong with a path that begins with "/", or with a query; NULL: nothing. */
const char *path_fault(const char *path, size_t len);
const char *query_fault(const char *query, size_t len);

/* The two parts of Host. */
bool host_name_is_fair(const char *name, size_t len);
bool port_is_fair(const char *port, size_t len);

#endif
