/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "connection_own.h"
#include "http/problem.h"
#include "metrics/metrics.h"
#include "response.h"

#define PATH_BEGINNING 256 /* enough to tell whose form an answer has */

/* ---- the log ---- */

static const char *peer_text(const struct connection *c, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr address;

	memcpy(&address, c->peer, sizeof(address));
	if (IN6_IS_ADDR_UNSPECIFIED(&address))
		return "local";
	if (IN6_IS_ADDR_V4MAPPED(&address))
		return inet_ntop(AF_INET, c->peer + 12, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, c->peer, text, INET6_ADDRSTRLEN);
}

void connection_log(const struct connection *c, const struct http_request *http, const char *id,
		    int status, const char *why)
{
	const struct log *log = c->server->options.log;
	const struct http_route *route = http != NULL ? http->match.route : NULL;
	int64_t us = http != NULL ? clock_running_us() - http->started_us : 0;
	char peer[INET6_ADDRSTRLEN];

	if (status != 0)
		meter_count_request(c->server->options.meter, route != NULL ? route->name : NULL,
				    status, us);
	if (log == NULL || log->least > LOG_LEVEL_INFO)
		return; /* writing an address costs more than most of a line */
	log_info(log, "request", LOG_TEXT("request", id), LOG_TEXT("peer", peer_text(c, peer)),
		 LOG_TEXT("method", http != NULL ? http_method_name(http->head.method) : NULL),
		 LOG_TEXT("route", route != NULL ? route->name : NULL),
		 LOG_NUMBER("status", status), LOG_TEXT("code", http != NULL ? http->code : NULL),
		 LOG_TEXT("why", why), LOG_NUMBER("us", us));
}

void connection_log_proxy(const struct connection *c, const char *why)
{
	const struct log *log = c->server->options.log;
	char peer[INET6_ADDRSTRLEN];

	if (log != NULL)
		log_warning(log, "a proxy's header failed: does it send PROXY protocol version 2?",
			    LOG_TEXT("peer", peer_text(c, peer)), LOG_TEXT("why", why));
}

void connection_report(struct connection *c, const struct error *error)
{
	if (c->server->options.log != NULL)
		log_error(c->server->options.log, "internal error",
			  LOG_TEXT("request", c->request->id), LOG_TEXT("where", error->where),
			  LOG_TEXT("detail", error->detail));
}

/* ---- answers ---- */

static bool build(struct connection *c, const char *id, bool head_only,
		  const struct http_reply *reply, struct error *error)
{
	const struct response response = {
		.request_id = id,
		.date = server_date(c->server),
		.tls = c->stream.ssl != NULL,
		.head_only = head_only,
		.close = c->last,
	};

	if (!response_build(&response, reply, &c->out, &c->out_len, error))
		return false;
	if (c->out_len <= c->server->options.limits.output)
		return true;
	error_set(error, ERROR_INTERNAL, "an answer of %zu bytes is over the limit", c->out_len);
	connection_release_out(c);
	return false;
}

static const struct problem_form *form_of(const struct connection *c, const char *path)
{
	const struct http_server_options *options = &c->server->options;

	return options->form_of != NULL && path != NULL ? options->form_of(path)
							: &problem_document;
}

/* @path NULL: it could not be read. */
static bool refuse(struct connection *c, const char *path, int status, const char *why,
		   const struct http_field *fields)
{
	const struct problem_form *form = form_of(c, path);
	struct http_request *http = c->request;
	struct error error = { 0 };
	struct problem problem;
	char id[REQUEST_ID_MAX + 1];
	char *document;
	struct http_reply reply = { .status = status,
				    .media_type = form->media_type,
				    .fields = fields };

	if (http != NULL)
		strcpy(id, http->id);
	else
		request_id_make(id);
	connection_log(c, http, id, status, why);
	c->last = true;
	problem_of_status(&problem, status, why, id);
	document = form->write(&problem);
	reply.body = document;
	reply.len = document != NULL ? strlen(document) : 0;
	if (build(c, id, http != NULL && http->head.method == HTTP_HEAD, &reply, &error))
		connection_enter(c, CONNECTION_RESPONSE);
	else
		connection_enter(c, CONNECTION_CLOSED);
	free(document);
	connection_let_go_of_request(c);
	return true;
}

bool connection_refuse(struct connection *c, int status, const char *why,
		       const struct http_field *fields)
{
	return refuse(c, c->request != NULL ? c->request->path : NULL, status, why, fields);
}

bool connection_refuse_head(struct connection *c, const struct http_head *head)
{
	char path[PATH_BEGINNING];

	snprintf(path, sizeof(path), "%.*s", (int)head->path.len, c->in + head->path.at);
	return refuse(c, head->path.len > 0 ? path : NULL, head->status, head->why, NULL);
}

void connection_let_go_of_request(struct connection *c)
{
	struct http_request *http = c->request;

	c->request = NULL;
	if (http == NULL)
		return;
	if (http->handed)
		request_closed(http);
	else
		request_free(http);
}

void connection_reply(struct connection *c, const struct http_reply *reply)
{
	struct http_request *http = c->request;
	struct error error = { 0 };

	http->closed = NULL;
	c->last = c->last || c->server->draining;
	if (!build(c, http->id, http->head.method == HTTP_HEAD, reply, &error)) {
		connection_report(c, &error);
		connection_refuse(c, error.kind == ERROR_UNAVAILABLE ? 503 : 500, NULL, NULL);
	} else {
		connection_log(c, http, http->id, reply->status, NULL);
		connection_enter(c, CONNECTION_RESPONSE);
	}
	c->request = NULL;
	http->connection = NULL;
	connection_run(c);
}

void connection_drop(struct connection *c)
{
	struct http_request *http = c->request;

	connection_log(c, http, http->id, 0, "cancelled");
	http->closed = NULL;
	connection_enter(c, CONNECTION_CLOSED);
}
