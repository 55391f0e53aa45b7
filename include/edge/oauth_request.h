/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two requests of an OAuth client: POST /oauth2/token (RFC 6749 section 4.4) and POST
 * /oauth2/revoke (RFC 7009).  The edge reads, the authority decides.
 */
#ifndef EDGE_OAUTH_REQUEST_H
#define EDGE_OAUTH_REQUEST_H

struct http_request;

void oauth_token_handle(struct http_request *http, void *services);
void oauth_revoke_handle(struct http_request *http, void *services);

#endif
