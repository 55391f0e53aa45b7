/* SPDX-License-Identifier: Apache-2.0 */
#include "http/problem.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/json_text.h"

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
static void set_detail(struct problem *problem, const char *text)
{
	size_t i;

	for (i = 0; text != NULL && text[i] != '\0' && i + 1 < sizeof(problem->detail); i++)
		problem->detail[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	problem->detail[i] = '\0';
}

void problem_of_error(struct problem *problem, const struct error *error, const char *request_id)
{
	int status = problem_status(error->kind);
	bool is_ours = status >= 500 && error->kind != ERROR_UNAVAILABLE;

	problem_of_status(problem, status, is_ours ? NULL : error->detail, request_id);
	problem->code = is_ours ? NULL : error->code;
	if (error->kind == ERROR_UNAVAILABLE && error->code == NULL)
		problem->code = "unavailable"; /* whatever is away: a client does the same */
}

void problem_of_status(struct problem *problem, int status, const char *detail,
		       const char *request_id)
{
	*problem = (struct problem){ .status = status, .request_id = request_id };
	set_detail(problem, detail);
}

/* ---- RFC 9457 ---- */

static bool add_more(json_t *document, const struct problem_member *more)
{
	for (; more != NULL && more->name != NULL; more++) {
		json_t *value = more->text != NULL ? json_string(more->text) : json_true();

		if (json_object_set_new(document, more->name, value) != 0)
			return false;
	}
	return true;
}

/* Where jansson has no memory for an optional member, it leaves it out and says nothing. */
static bool is_whole(json_t *document, const char *detail, const char *code)
{
	return (detail == NULL || json_object_get(document, "detail") != NULL) &&
	       (code == NULL || json_object_get(document, "code") != NULL);
}

static char *write_document(const struct problem *problem)
{
	char type[80] = "about:blank", instance[96];
	const char *detail = problem->detail[0] != '\0' ? problem->detail : NULL;
	json_auto_t *document = NULL;

	if (problem->code != NULL)
		snprintf(type, sizeof(type), "urn:stipa:problem:%s", problem->code);
	snprintf(instance, sizeof(instance), "urn:stipa:request:%s", problem->request_id);
	document = json_pack("{s:s, s:s, s:i, s:s*, s:s*, s:s}", "type", type, "title",
			     status_title(problem->status), "status", problem->status, "detail",
			     detail, "code", problem->code, "instance", instance);
	if (document == NULL || !is_whole(document, detail, problem->code) ||
	    !add_more(document, problem->more))
		return NULL;
	return json_text(document);
}

const struct problem_form problem_document = {
	.media_type = "application/problem+json",
	.write = write_document,
};
