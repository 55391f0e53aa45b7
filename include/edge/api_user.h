/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login and the logout of deployed clients: POST /api/v1/auth/login with userId and password
 * gives an access token, POST /api/v1/auth/logout takes it back.  Strings only, and
 * application/json whatever Accept says: some clients insist on it here.
 */
#ifndef EDGE_API_USER_H
#define EDGE_API_USER_H

#include <stdbool.h>

#include "ipc/access.h"

struct http_request;

void login_handle(struct http_request *http, void *services);
void logout_handle(struct http_request *http, void *services);

/* Who logs in, for @order.  The method follows from the form of @password alone, never from @user,
 * so that no answer's time tells whether there is such a user.  False for a password that is too
 * long for anybody. */
bool login_order_fill(const char *user, const char *password, struct login_order *order);

#endif
