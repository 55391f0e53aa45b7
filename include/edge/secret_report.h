/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /secrets/report: somebody has found what may be a secret of ours.  If it is, it is disabled
 * and its owner told; the answer is 202 and the same whatever it was.
 */
#ifndef EDGE_SECRET_REPORT_H
#define EDGE_SECRET_REPORT_H

#include <stdbool.h>

#include "ipc/access.h"

struct http_request;

void secret_report_handle(struct http_request *http, void *services);

/* The digests that the form of @secret allows, for @order.  False when it has no form of ours, or
 * is of another environment: then there is nobody to ask. */
bool report_order_fill(const char *secret, const char *environment, struct report_order *order);

#endif
