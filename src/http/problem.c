/* SPDX-License-Identifier: Apache-2.0 */
#include "http/problem.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static const struct {
	int status;
	const char *retry_after;
} kinds[] = {
	[ERROR_NONE] = { 500 },		[ERROR_INVALID] = { 400 },
	[ERROR_UNAUTHORIZED] = { 401 }, [ERROR_FORBIDDEN] = { 403 },
	[ERROR_NOT_FOUND] = { 404 },	[ERROR_CONFLICT] = { 409 },
	[ERROR_LIMITED] = { 429, "5" }, [ERROR_UNAVAILABLE] = { 503, "1" },
	[ERROR_CANCELLED] = { 0 },	[ERROR_INTERNAL] = { 500 },
};

static const struct {
	int status;
	const char *title;
} titles[] = {
	/* clang-format off */
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	/* clang-format on */
};

int problem_status(enum error_kind kind)
{
	return kinds[kind].status;
}

const char *problem_retry_after(enum error_kind kind)
{
	return kinds[kind].retry_after;
}

const char *status_title(int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Unknown";
}

/* A detail may quote what a client sent; JSON text must be UTF-8 and a reader's screen unhurt. */
static void printable(const char *text, char *out, size_t size)
{
	size_t i;

	for (i = 0; text[i] != '\0' && i + 1 < size; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	out[i] = '\0';
}

static char *document(int status, const char *code, const char *detail, const char *request_id)
{
	char type[80] = "about:blank", instance[96], clean[sizeof(((struct error *)0)->detail)];
	json_auto_t *problem = NULL;

	if (code != NULL)
		snprintf(type, sizeof(type), "urn:stipa:problem:%s", code);
	snprintf(instance, sizeof(instance), "urn:stipa:request:%s", request_id);
	printable(detail != NULL ? detail : "", clean, sizeof(clean));
	problem = json_pack("{s:s, s:s, s:i, s:s*, s:s*, s:s}", "type", type, "title",
			    status_title(status), "status", status, "detail",
			    clean[0] != '\0' ? clean : NULL, "code", code, "instance", instance);
	return problem == NULL ? NULL : json_dumps(problem, JSON_COMPACT);
}

char *problem_of_error(const struct error *error, const char *request_id)
{
	int status = problem_status(error->kind);

	if (status >= 500 && error->kind != ERROR_UNAVAILABLE)
		return document(status, NULL, NULL, request_id);
	return document(status, error->code, error->detail, request_id);
}

char *problem_of_status(int status, const char *detail, const char *request_id)
{
	return document(status, NULL, detail, request_id);
}
