/* SPDX-License-Identifier: Apache-2.0 */
/* What each request of the API passes before it is read, and what its failure costs its address. */
#ifndef EDGE_GUARD_H
#define EDGE_GUARD_H

#include "base/error.h"

struct http_request;
struct services;

/* ERROR_LIMITED, "too-many-requests", when its address has asked or failed too often. */
bool guard_admit(const struct services *services, const struct http_request *http,
		 struct error *error) MUST_CHECK;

/* Count @error against the address when it says that the credentials are not right. */
void guard_heed(const struct services *services, const struct http_request *http,
		const struct error *error);

#endif
