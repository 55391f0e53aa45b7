/* SPDX-License-Identifier: Apache-2.0 */
/* Which row of a table of routes serves a request.  Pure. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stddef.h>

#include "http/server.h"

#define ROUTE_PARAMS_MAX 4
#define ROUTE_ALLOW_MAX	 64

/* "{id}" of a pattern and the segment in its place; both are parts of what was given. */
struct route_param {
	const char *name, *value;
	size_t name_len, value_len;
};

struct route_match {
	const struct http_route *route; /* NULL: none */
	size_t n_params;
	struct route_param params[ROUTE_PARAMS_MAX];
	char allow[ROUTE_ALLOW_MAX]; /* no row: methods that the path has; "": no such path */
};

/* Find the row for @method and @path, whose escapes are decoded.  The first row that fits wins. */
void route_find(const struct http_route *routes, const char *method, const char *path,
		struct route_match *match);

#endif
