/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/openssl.h"

#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>

bool error_openssl_at(struct error *e, enum error_kind kind, const char *where, const char *fmt,
		      ...)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	char what[sizeof(e->detail)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ERR_clear_error();
	return error_set_at(e, kind, where, "%s: %s", what,
			    reason == NULL ? "OpenSSL gives no reason" : reason);
}

int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}
