/* SPDX-License-Identifier: Apache-2.0 */
/* Is this edge alive; could a token be issued through it; what has the node counted?  On the local
 * socket only. */
#ifndef EDGE_HEALTH_H
#define EDGE_HEALTH_H

struct http_request;

void health_live_handle(struct http_request *http, void *services);
void health_ready_handle(struct http_request *http, void *services);
void metrics_handle(struct http_request *http, void *services); /* of all processes: OpenMetrics */

#endif
