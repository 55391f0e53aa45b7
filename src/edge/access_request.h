/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request about an access token, in whatever words: grant, login, revoke, logout.  How it begins,
 * goes to the authority and ends; oauth_request.c and api_user.c say how each is read, judged and
 * answered.
 */
#ifndef EDGE_ACCESS_REQUEST_H
#define EDGE_ACCESS_REQUEST_H

#include <jansson.h>

#include "edge/form.h"
#include "ipc/access.h"
#include "loop/flow.h"

struct access_request;
struct http_field;
struct http_request;
struct services;

struct access_kind {
	const struct flow_step *steps;
	void (*reply)(struct access_request *req); /* to what has been done */
	const struct http_field *challenges;	   /* of a 401, unless a step says otherwise */
};

/* Wiped when it ends. */
struct access_request {
	struct flow flow;
	struct http_request *http;
	const struct services *services;
	const struct access_kind *kind;
	const struct http_field *challenges;
	union {
		struct grant_order grant;
		struct login_order login;
		struct revoke_order revoke;
	} order;
	union {
		struct grant_answer granted;
		struct access_answer done;
	} answer;
	struct form form; /* its texts are parts of the body */
	size_t body_len;
	char body[]; /* room for the request's, and a NUL */
};

void access_request_start(struct http_request *http, const struct services *services,
			  const struct access_kind *kind);
struct access_request *access_request_of(struct flow *flow);

/* Steps. */
enum flow_next access_admit(struct flow *flow);
enum flow_next access_send_grant(struct flow *flow);
enum flow_next access_send_login(struct flow *flow);
enum flow_next access_send_revoke(struct flow *flow);

/* Who asks, for the order. */
void access_sign(const struct access_request *req, uint8_t peer[16],
		 char request_id[REQUEST_ID_MAX + 1]);

/* 200 with this body.  Takes @json, which may be NULL: no memory. */
void access_reply_json(struct access_request *req, json_t *json);

#endif
