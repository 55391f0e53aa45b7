/* SPDX-License-Identifier: Apache-2.0 */
#include "request_own.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/uuid.h"
#include "connection.h"
#include "http/accept.h"
#include "http/problem.h"

#define REPLY_FIELDS_MAX 6 /* of an error */

static bool is_request_id(const char *id)
{
	static const char fair[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._-";
	size_t len = strlen(id);

	return len >= 1 && len <= REQUEST_ID_MAX && strspn(id, fair) == len;
}

void request_id_make(char id[REQUEST_ID_MAX + 1])
{
	struct error error = { 0 };
	struct timespec now;
	uint8_t uuid[16] = { 0 };

	static_assert(UUID_TEXT_LEN <= REQUEST_ID_MAX, "an id of ours has room");
	clock_gettime(CLOCK_REALTIME, &now);
	if (!uuid7_make(uuid, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, &error))
		memset(uuid, 0, sizeof(uuid)); /* a request without a name is still answered */
	uuid_to_text(uuid, id);
}

static void end_text(struct http_request *http, struct http_span span)
{
	http->text[span.at + span.len] = '\0';
}

struct http_request *request_new(const struct http_head *head, const char *bytes)
{
	size_t size = sizeof(struct http_request) + head->len + head->path.len + 1;
	struct http_request *http = calloc(1, size);
	const char *id;

	if (http == NULL)
		return NULL;
	http->size = size;
	http->head = *head;
	memcpy(http->text, bytes, head->len);
	http->path = http->text + head->len;
	http_path_decode(http->text + head->path.at, head->path.len, http->path);
	for (size_t i = 0; i < head->n_fields; i++) {
		end_text(http, head->fields[i].name);
		end_text(http, head->fields[i].value);
	}
	id = http_header(http, "x-request-id");
	if (id != NULL && is_request_id(id))
		strcpy(http->id, id);
	else
		request_id_make(http->id);
	return http;
}

void request_route(struct http_request *http, const struct http_route *routes)
{
	route_find(routes, http_method_name(http->head.method), http->path, &http->match);
	for (size_t i = 0; i < http->match.n_params; i++) {
		struct route_param *param = &http->match.params[i];

		http->path[param->value - http->path + (ptrdiff_t)param->value_len] = '\0';
	}
}

const char *request_host(struct http_request *http, char host[256])
{
	memcpy(host, http->text + http->head.host.at, http->head.host.len);
	host[http->head.host.len] = '\0';
	return host;
}

void request_closed(struct http_request *http)
{
	http->connection = NULL;
	if (http->closed != NULL)
		http->closed(http->closed_arg);
}

/* Credentials pass through here: leave none behind. */
void request_free(struct http_request *http)
{
	if (http == NULL)
		return;
	if (http->body != NULL)
		explicit_bzero(http->body, http->head.content_length);
	free(http->body);
	explicit_bzero(http, http->size);
	free(http);
}

const uint8_t *http_peer(const struct http_request *http)
{
	return http->peer;
}

const char *http_request_id(const struct http_request *http)
{
	return http->id;
}

static const char *field_after(const struct http_request *http, const char *name, size_t *at)
{
	while (*at < http->head.n_fields) {
		const struct http_head_field *field = &http->head.fields[(*at)++];

		if (strcasecmp(http->text + field->name.at, name) == 0)
			return http->text + field->value.at;
	}
	return NULL;
}

const char *http_header(const struct http_request *http, const char *name)
{
	size_t at = 0;

	return field_after(http, name, &at);
}

const char *http_path_param(const struct http_request *http, const char *name)
{
	for (size_t i = 0; i < http->match.n_params; i++) {
		const struct route_param *param = &http->match.params[i];

		if (strlen(name) == param->name_len &&
		    memcmp(name, param->name, param->name_len) == 0)
			return param->value;
	}
	return NULL;
}

const char *http_path(const struct http_request *http)
{
	return http->path;
}

const char *http_body(const struct http_request *http, size_t *len)
{
	*len = http->body_len;
	return http->body != NULL ? http->body : "";
}

bool http_accepts(const struct http_request *http, const char *media_type)
{
	const char *accept;

	for (size_t at = 0; (accept = field_after(http, "accept", &at)) != NULL;)
		if (accept_names(accept, media_type))
			return true;
	return false;
}

void http_on_close(struct http_request *http, void (*closed)(void *arg), void *arg)
{
	http->closed = closed;
	http->closed_arg = arg;
}

void http_reply(struct http_request *http, const struct http_reply *reply)
{
	if (http->connection != NULL)
		connection_reply(http->connection, reply);
	request_free(http);
}

/* Retry-After first, then the caller's. */
static void join_fields(struct http_field joined[REPLY_FIELDS_MAX + 1], const char *retry_after,
			const struct http_field *fields)
{
	size_t n = 0;

	if (retry_after != NULL)
		joined[n++] = (struct http_field){ "Retry-After", retry_after };
	for (; fields != NULL && fields->name != NULL; fields++) {
		assert(n < REPLY_FIELDS_MAX);
		joined[n++] = *fields;
	}
	joined[n] = (struct http_field){ NULL, NULL };
}

static void reply_error(struct http_request *http, const struct error *error,
			const struct problem_form *form, const struct problem_member *more,
			const struct http_field *fields)
{
	struct http_field joined[REPLY_FIELDS_MAX + 1];
	struct http_reply reply = { .media_type = form->media_type, .fields = joined };
	const char *retry_after = problem_retry_after(error->kind);
	struct problem problem;
	char *document, seconds[16];

	problem_of_error(&problem, error, http->id);
	problem.more = more;
	if (problem.status == 500)
		connection_report(http->connection, error);
	http->code = error->code;
	if (error->retry_s > 0) {
		snprintf(seconds, sizeof(seconds), "%u", error->retry_s);
		retry_after = seconds;
	}
	join_fields(joined, retry_after, fields);
	document = form->write(&problem);
	reply.status = problem.status;
	reply.body = document;
	reply.len = document != NULL ? strlen(document) : 0;
	http_reply(http, &reply);
	free(document);
}

void http_reply_error(struct http_request *http, const struct error *error,
		      const struct problem_form *form, const struct problem_member *more,
		      const struct http_field *fields)
{
	if (http->connection != NULL && problem_status(error->kind) != 0) {
		reply_error(http, error, form, more, fields);
		return;
	}
	if (http->connection != NULL)
		connection_drop(http->connection);
	request_free(http);
}

void http_reply_problem(struct http_request *http, const struct error *error, const char *challenge)
{
	const struct http_field fields[] = { { "WWW-Authenticate", challenge }, { NULL, NULL } };
	bool challenges = challenge != NULL && problem_status(error->kind) == 401;

	http_reply_error(http, error, &problem_document, NULL, challenges ? fields : NULL);
}
