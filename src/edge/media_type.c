/* SPDX-License-Identifier: Apache-2.0 */
#include "media_type.h"

#include <string.h>
#include <strings.h>

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* RFC 9110 section 8.3: a parameter's value may stand in quotes. */
static bool charset_is_utf8(const char *p)
{
	static const char name[] = "charset=", utf8[] = "utf-8";
	size_t quote;

	if (strncasecmp(p, name, strlen(name)) != 0)
		return false;
	p += strlen(name);
	quote = *p == '"';
	if (strncasecmp(p + quote, utf8, strlen(utf8)) != 0)
		return false;
	p += quote + strlen(utf8);
	return (quote == 0 || *p == '"') && *skip_space(p + quote) == '\0';
}

bool media_type_is(const char *content_type, const char *wanted)
{
	const char *p = content_type;

	if (strncasecmp(p, wanted, strlen(wanted)) != 0)
		return false;
	p = skip_space(p + strlen(wanted));
	return *p == '\0' || (*p == ';' && charset_is_utf8(skip_space(p + 1)));
}
