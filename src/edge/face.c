/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/face.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include <jansson.h>

#include "base/json_text.h"
#include "edge/challenge.h"
#include "http/problem.h"
#include "http/request.h"

/* ---- deployed clients: {"status":"error","message","errorCode"}, strings only ---- */

/* "Method Not Allowed" is method-not-allowed. */
static void code_of_status(int status, char code[64])
{
	const char *title = status_title(status);
	size_t i;

	for (i = 0; title[i] != '\0' && i + 1 < 64; i++)
		code[i] = title[i] == ' ' ? '-' : (char)tolower((unsigned char)title[i]);
	code[i] = '\0';
}

static bool add_texts(json_t *object, const struct problem_member *more)
{
	for (; more != NULL && more->name != NULL; more++) {
		const char *text = more->text != NULL ? more->text : "true";

		if (json_object_set_new(object, more->name, json_string(text)) != 0)
			return false;
	}
	return true;
}

static char *write_deployed(const struct problem *problem)
{
	char code[64];
	const char *message =
		problem->detail[0] != '\0' ? problem->detail : status_title(problem->status);
	json_auto_t *object = NULL;

	code_of_status(problem->status, code);
	object = json_pack("{ssssss}", "status", "error", "message", message, "errorCode",
			   problem->code != NULL ? problem->code : code);
	if (object == NULL || !add_texts(object, problem->more))
		return NULL;
	return json_text(object);
}

static const struct problem_form deployed_form = { "application/json", write_deployed };

/* ---- OAuth: RFC 6749 section 5.2, RFC 7009 section 2.2.1 ---- */

static bool is_oauth_code(const char *code)
{
	static const char *const codes[] = {
		"invalid_request",     "invalid_client",	 "invalid_grant",
		"unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"invalid_token",       "unsupported_token_type",
	};

	for (size_t i = 0; code != NULL && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static const char *oauth_code(const struct problem *problem)
{
	if (is_oauth_code(problem->code))
		return problem->code;
	if (problem->status == 429 || problem->status == 503)
		return "temporarily_unavailable";
	return problem->status >= 500 ? "server_error" : "invalid_request";
}

/* %x20-21 / %x23-5B / %x5D-7E */
static void set_description(const char *detail, char *text)
{
	for (; *detail != '\0'; detail++)
		*text++ = (char)(*detail == '"' || *detail == '\\' ? '\'' : *detail);
	*text = '\0';
}

static char *write_oauth(const struct problem *problem)
{
	char description[sizeof(problem->detail)];
	json_auto_t *object = NULL;

	set_description(problem->detail, description);
	object = json_pack("{s:s, s:s*}", "error", oauth_code(problem), "error_description",
			   description[0] != '\0' ? description : NULL);
	return json_text(object);
}

static const struct problem_form oauth_form = { "application/json", write_oauth };

/* ---- the table ---- */

/* RFC 7617 section 2; RFC 6750 section 3: no error when no token was sent. */
static const struct http_field both[] = {
	{ "WWW-Authenticate", CHALLENGE_BASIC },
	{ "WWW-Authenticate", CHALLENGE_BEARER },
	{ 0 },
};

static const struct http_field basic[] = { { "WWW-Authenticate", CHALLENGE_BASIC }, { 0 } };

static const struct http_field bearer_first[] = {
	{ "WWW-Authenticate", CHALLENGE_BEARER },
	{ "WWW-Authenticate", CHALLENGE_BASIC },
	{ 0 },
};

/* The first that fits. */
static const struct face faces[] = {
	{ "/api/v1", &deployed_form, bearer_first, .deployed = true },
	{ "/oauth2", &oauth_form, basic },
	{ "/at", &problem_document, both, .forbids = true },
	{ "", &problem_document, both },
};

static bool stands_below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(path, prefix, len) == 0 &&
	       (len == 0 || path[len] == '/' || path[len] == '\0');
}

const struct face *face_of(const char *path)
{
	const struct face *face = faces;

	while (!stands_below(path, face->prefix))
		face++;
	return face;
}

const struct problem_form *face_form_of(const char *path)
{
	return face_of(path)->form;
}

void face_reply_error(struct http_request *http, const struct error *error,
		      const struct http_field *fields, const struct problem_member *more)
{
	http_reply_error(http, error, face_form_of(http_path(http)), more, fields);
}

void face_reply_no_memory(struct http_request *http)
{
	const struct error full = { .kind = ERROR_UNAVAILABLE, .detail = "out of memory" };

	face_reply_error(http, &full, NULL, NULL);
}
