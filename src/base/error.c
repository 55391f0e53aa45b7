/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 5, 0))) static void set(struct error *e, enum error_kind kind,
						      const char *code, const char *where,
						      const char *fmt, va_list ap)
{
	if (e->kind != ERROR_NONE)
		return;
	e->kind = kind;
	e->where = where;
	e->code = code;
	vsnprintf(e->detail, sizeof(e->detail), fmt, ap);
}

bool error_set_at(struct error *e, enum error_kind kind, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, NULL, where, fmt, ap);
	va_end(ap);
	return false;
}

bool error_set_code_at(struct error *e, enum error_kind kind, const char *code, const char *where,
		       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, code, where, fmt, ap);
	va_end(ap);
	return false;
}

bool error_context(struct error *e, const char *fmt, ...)
{
	char context[sizeof(e->detail)];
	char cause[sizeof(e->detail)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);

	memcpy(cause, e->detail, sizeof(cause));
	snprintf(e->detail, sizeof(e->detail), "%.*s: %.*s", (int)(sizeof(e->detail) / 2 - 2),
		 context, (int)(sizeof(e->detail) / 2 - 2), cause);
	return false;
}
