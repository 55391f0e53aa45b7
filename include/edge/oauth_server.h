/* SPDX-License-Identifier: Apache-2.0 */
/* What this authorization server calls itself, and its metadata (RFC 8414). */
#ifndef EDGE_OAUTH_SERVER_H
#define EDGE_OAUTH_SERVER_H

#include "base/error.h"

struct config;
struct http_request;
struct oauth_server;

/* Its issuer is base_url, or else https:// and the first of server_names. */
struct oauth_server *oauth_server_new(const struct config *config, struct error *error) MUST_CHECK;
void oauth_server_free(struct oauth_server *server);

/* The names by which an assertion may mean us: the issuer, the token and the revocation endpoint;
 * up to a NULL. */
const char *const *oauth_server_audiences(const struct oauth_server *server);

/* GET /.well-known/oauth-authorization-server */
void oauth_metadata_handle(struct http_request *http, void *services);

#endif
