/* SPDX-License-Identifier: Apache-2.0 */
/* POST …/account/{id}/token, in all its spellings; and …/token/dry-run, which says what would be
 * answered. */
#ifndef EDGE_TOKEN_REQUEST_H
#define EDGE_TOKEN_REQUEST_H

struct http_request;

void token_request_handle(struct http_request *http, void *services); /* a http_handler_fn */
void token_dry_run_handle(struct http_request *http, void *services);

#endif
