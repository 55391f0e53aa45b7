/* SPDX-License-Identifier: Apache-2.0 */
/* A request from the inside.  It belongs to its handler until the reply, so it outlives its
 * connection; then @connection is NULL. */
#ifndef HTTP_REQUEST_OWN_H
#define HTTP_REQUEST_OWN_H

#include "http/head.h"
#include "http/request.h"
#include "http/router.h"

#define REQUEST_ID_MAX 63

struct connection;

struct http_request {
	struct connection *connection;
	uint8_t peer[16];
	char id[REQUEST_ID_MAX + 1];
	int64_t started_us;
	struct http_head head;
	struct route_match match;
	bool handed;	  /* a handler has it, and frees it by replying */
	const char *code; /* of the error that was answered, for the log */
	void (*closed)(void *arg);
	void *closed_arg;
	char *body;
	size_t body_len;
	char *path;  /* decoded; cut into parameters by request_route() */
	size_t size; /* of all this */
	char text[]; /* the head, every name and value ended by a NUL; then the path */
};

/* Copy the head out of @bytes; NULL without memory. */
struct http_request *request_new(const struct http_head *head, const char *bytes);
void request_id_make(char id[REQUEST_ID_MAX + 1]);
void request_route(struct http_request *http, const struct http_route *routes);
const char *request_host(struct http_request *http, char host[256]);
void request_closed(struct http_request *http); /* its client has gone: may free it */
void request_free(struct http_request *http);

#endif
