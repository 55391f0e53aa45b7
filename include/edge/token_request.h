/* SPDX-License-Identifier: Apache-2.0 */
/* POST …/account/{id}/token, in all its spellings. */
#ifndef EDGE_TOKEN_REQUEST_H
#define EDGE_TOKEN_REQUEST_H

struct http_request;

void token_request_handle(struct http_request *http, void *services); /* a http_handler_fn */

#endif
