/* SPDX-License-Identifier: Apache-2.0 */
#include "response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/problem.h"

#define FIXED_MAX 640 /* all that does not come from the reply */

static bool field_is_fair(const struct http_field *field)
{
	for (const char *c = field->value; *c != '\0'; c++)
		if ((*c < ' ' && *c != '\t') || *c > '~')
			return false;
	return field->name[strcspn(field->name, " :\r\n")] == '\0';
}

static bool measure(const struct http_reply *reply, size_t *size, struct error *error)
{
	*size = FIXED_MAX + reply->len +
		(reply->media_type != NULL ? strlen(reply->media_type) : 0);
	if (reply->status < 200 || reply->status > 599 ||
	    (reply->status / 100 == 3 && reply->status != 304))
		return error_set(error, ERROR_INTERNAL, "status %d is never sent", reply->status);
	for (const struct http_field *f = reply->fields; f != NULL && f->name != NULL; f++) {
		if (!field_is_fair(f))
			return error_set(error, ERROR_INTERNAL, "malformed field %.40s", f->name);
		*size += strlen(f->name) + strlen(f->value) + 4;
	}
	return true;
}

static char *put(char *at, const char *text)
{
	return stpcpy(at, text);
}

static char *put_field(char *at, const char *name, const char *value)
{
	at = put(put(at, name), ": ");
	return put(put(at, value), "\r\n");
}

/* RFC 9110 section 8.6: no Content-Length with 204; 304 tells nothing of a body. */
static char *put_body_fields(char *at, const struct http_reply *reply)
{
	if (reply->media_type != NULL)
		at = put_field(at, "Content-Type", reply->media_type);
	if (reply->status != 204 && reply->status != 304)
		at += sprintf(at, "Content-Length: %zu\r\n", reply->len);
	return at;
}

static char *put_head(char *at, const struct response *response, const struct http_reply *reply)
{
	at += sprintf(at, "HTTP/1.1 %d ", reply->status);
	at = put(put(at, status_title(reply->status)), "\r\n");
	at = put_field(at, "Date", response->date);
	at = put_body_fields(at, reply);
	at = put_field(at, "X-Request-Id", response->request_id);
	if (!reply->store)
		at = put(at, "Cache-Control: no-store\r\nPragma: no-cache\r\n");
	at = put(at, "X-Content-Type-Options: nosniff\r\n");
	if (response->tls)
		at = put(at, "Strict-Transport-Security: max-age=31536000\r\n");
	if (response->close)
		at = put(at, "Connection: close\r\n");
	for (const struct http_field *f = reply->fields; f != NULL && f->name != NULL; f++)
		at = put_field(at, f->name, f->value);
	return put(at, "\r\n");
}

bool response_build(const struct response *response, const struct http_reply *reply, char **bytes,
		    size_t *len, struct error *error)
{
	size_t size;
	char *at;

	if (!measure(reply, &size, error))
		return false;
	*bytes = at = malloc(size);
	if (at == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	at = put_head(at, response, reply);
	if (!response->head_only && reply->len > 0 && reply->status != 204 &&
	    reply->status != 304) {
		memcpy(at, reply->body, reply->len);
		at += reply->len;
	}
	*len = (size_t)(at - *bytes);
	return true;
}
