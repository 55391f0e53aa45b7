/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/health.h"

#include <stdlib.h>
#include <string.h>

#include "edge/face.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"
#include "metrics/metrics.h"

static void reply_text(struct http_request *http, int status, const char *text)
{
	const struct http_reply reply = {
		.status = status,
		.media_type = "text/plain; charset=utf-8",
		.body = text,
		.len = strlen(text),
	};

	http_reply(http, &reply);
}

void health_live_handle(struct http_request *http, void *services)
{
	(void)services;
	reply_text(http, 200, "ok\n");
}

void health_ready_handle(struct http_request *http, void *arg)
{
	const struct services *services = arg;

	if (ipc_channel_is_ready(services->authority))
		reply_text(http, 200, "ok\n");
	else
		reply_text(http, 503, "not ready: no authority that can issue\n");
}

void metrics_handle(struct http_request *http, void *arg)
{
	const struct services *services = arg;
	size_t len = 0;
	char *text = services->metrics == NULL ? NULL : metrics_to_text(services->metrics, &len);
	const struct http_reply reply = {
		.status = 200,
		.media_type = METRICS_MEDIA_TYPE,
		.body = text,
		.len = len,
	};

	if (text == NULL)
		face_reply_no_memory(http);
	else
		http_reply(http, &reply);
	free(text);
}
