/* SPDX-License-Identifier: Apache-2.0 */
/* What the edge serves: one table for each of its servers, up to a row with a NULL method.  The
 * handlers take a struct services. */
#ifndef EDGE_ROUTES_H
#define EDGE_ROUTES_H

#include "http/server.h"

extern const struct http_route edge_public_routes[];
extern const struct http_route edge_local_routes[];

#endif
