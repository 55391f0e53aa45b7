/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "edge/address_limits.h"
#include "edge/oauth_server.h"
#include "edge/token_answer.h"
#include "http/problem.h"

struct asked asked;
struct authority authority;
struct told told;
struct config config;
struct services services;

static struct {
	void *to;
	const void *from;
	size_t size;
	done_fn done;
	void *arg;
} waiting;

static void (*closed)(void *);
static void *closed_arg;

/* ---- the authority ---- */

static void take(const void *order, size_t order_size, void *to, const void *from, size_t size,
		 done_fn done, void *arg)
{
	authority.n++;
	memcpy(&authority.got, order, order_size);
	waiting.to = to;
	waiting.from = from;
	waiting.size = size;
	waiting.done = done;
	waiting.arg = arg;
}

void ipc_order_start(struct ipc_channel *channel, const struct order *order, struct answer *answer,
		     done_fn done, void *arg)
{
	(void)channel;
	take(order, sizeof(*order), answer, &authority.answer, sizeof(*answer), done, arg);
}

void ipc_grant_start(struct ipc_channel *channel, const struct grant_order *order,
		     struct grant_answer *answer, done_fn done, void *arg)
{
	(void)channel;
	take(order, sizeof(*order), answer, &authority.granted, sizeof(*answer), done, arg);
}

void ipc_login_start(struct ipc_channel *channel, const struct login_order *order,
		     struct grant_answer *answer, done_fn done, void *arg)
{
	(void)channel;
	take(order, sizeof(*order), answer, &authority.granted, sizeof(*answer), done, arg);
}

void ipc_revoke_start(struct ipc_channel *channel, const struct revoke_order *order,
		      struct access_answer *answer, done_fn done, void *arg)
{
	(void)channel;
	take(order, sizeof(*order), answer, &authority.done, sizeof(*answer), done, arg);
}

void ipc_report_start(struct ipc_channel *channel, const struct report_order *order,
		      struct access_answer *answer, done_fn done, void *arg)
{
	(void)channel;
	take(order, sizeof(*order), answer, &authority.done, sizeof(*answer), done, arg);
}

void authority_answers(void)
{
	const struct error error = { .kind = authority.fails, .detail = "the authority is gone" };
	done_fn done = waiting.done;

	if (done == NULL)
		return;
	waiting.done = NULL;
	memcpy(waiting.to, waiting.from, waiting.size);
	done(waiting.arg, &error);
}

/* ---- what is asked ---- */

const uint8_t *http_peer(const struct http_request *http)
{
	(void)http;
	return (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\x01";
}

const char *http_request_id(const struct http_request *http)
{
	(void)http;
	return asked.request_id;
}

const char *http_header(const struct http_request *http, const char *name)
{
	(void)http;
	if (strcasecmp(name, "authorization") == 0)
		return asked.authorization;
	return strcasecmp(name, "content-type") == 0 ? asked.content_type : NULL;
}

const char *http_path_param(const struct http_request *http, const char *name)
{
	(void)http;
	return strcmp(name, "id") == 0 ? asked.id : NULL;
}

const char *http_path(const struct http_request *http)
{
	(void)http;
	return asked.path;
}

const char *http_body(const struct http_request *http, size_t *len)
{
	(void)http;
	*len = strlen(asked.body);
	return asked.body;
}

bool http_accepts(const struct http_request *http, const char *media_type)
{
	(void)http;
	return asked.accept != NULL && strcmp(asked.accept, media_type) == 0;
}

void http_on_close(struct http_request *http, void (*fn)(void *), void *arg)
{
	(void)http;
	closed = fn;
	closed_arg = arg;
}

void client_leaves(void)
{
	closed(closed_arg);
}

/* ---- what is told ---- */

#define KEEP(field, text) snprintf(told.field, sizeof(told.field), "%s", (text) ? (text) : "")

static void keep_fields(const struct http_field *fields)
{
	for (; fields != NULL && fields->name != NULL; fields++) {
		size_t len = strlen(told.fields);

		snprintf(told.fields + len, sizeof(told.fields) - len, "%s: %s\n", fields->name,
			 fields->value);
	}
}

void http_reply(struct http_request *http, const struct http_reply *reply)
{
	(void)http;
	told.n++;
	told.status = reply->status;
	told.store = reply->store;
	KEEP(media_type, reply->media_type);
	keep_fields(reply->fields);
	CU_ASSERT_FATAL(reply->len < sizeof(told.body));
	if (reply->len > 0)
		memcpy(told.body, reply->body, reply->len);
	told.body[reply->len] = '\0';
}

void http_reply_error(struct http_request *http, const struct error *error,
		      const struct problem_form *form, const struct problem_member *more,
		      const struct http_field *fields)
{
	struct problem problem;
	char *body;

	(void)http;
	told.n++;
	told.kind = error->kind;
	told.status = problem_status(error->kind);
	if (told.status == 0)
		return;
	problem_of_error(&problem, error, asked.request_id);
	problem.more = more;
	body = form->write(&problem);
	KEEP(code, error->code);
	KEEP(media_type, form->media_type);
	KEEP(body, body);
	if (problem_retry_after(error->kind) != NULL)
		KEEP(fields, "Retry-After\n");
	keep_fields(fields);
	free(body);
}

static json_t *parsed(void)
{
	static json_t *last;
	static char body[sizeof(told.body)];

	if (last != NULL && strcmp(body, told.body) == 0)
		return last;
	json_decref(last);
	strcpy(body, told.body);
	last = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	return last;
}

const char *told_text(const char *member)
{
	return json_string_value(json_object_get(parsed(), member));
}

int told_members(void)
{
	return (int)json_object_size(parsed());
}

/* ---- each test ---- */

static void free_services(void)
{
	address_limits_free(services.limits);
	oauth_server_free(services.oauth);
	token_answer_free(services.token_answer);
	services = (struct services){ 0 };
}

void begin(void)
{
	static const struct address_rate none[ADDRESS_LIMIT_COUNT];
	struct error error = { 0 };

	free_services();
	memset(&authority, 0, sizeof(authority));
	memset(&told, 0, sizeof(told));
	asked = (struct asked){ .path = "/sti-pa/account/sp-1",
				.authorization = BASIC,
				.content_type = "application/json",
				.body = "",
				.id = "sp-1",
				.request_id = "req-1" };
	config = (struct config){
		.environment = (char *)"demo",
		.base_url = (char *)"https://pa.example",
		.crl_url = (char *)"https://pa.example/sti-pa/crl",
		.crl_url_download = (char *)"https://pa.example/download/v1/crl",
		.crl_issuer = (char *)"CN=STI-PA \"CRL\",O=\xc3\x89",
	};
	services = (struct services){ .config = &config,
				      .limits = address_limits_new(none, 16),
				      .oauth = oauth_server_new(&config, &error),
				      .token_answer = token_answer_new(&config, &error) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(services.limits);
	CU_ASSERT_PTR_NOT_NULL_FATAL(services.token_answer);
	CU_ASSERT_PTR_NOT_NULL_FATAL(services.oauth);
}

void ask(void (*handle)(struct http_request *http, void *arg))
{
	handle(NULL, &services);
	authority_answers();
}
