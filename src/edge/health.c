/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/health.h"

#include <string.h>

#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"

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
