/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/guard.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "edge/address_limits.h"
#include "edge/services.h"
#include "http/request.h"
#include "metrics/metrics.h"

static int64_t now_us(void)
{
	return clock_steady_ms() * 1000;
}

static bool refuse(const struct services *services, enum metric_limit limit, int64_t wait_us,
		   struct error *error)
{
	meter_count(services->meter, METRIC_LIMITS_HIT, limit);
	error_set_code(error, ERROR_LIMITED, "too-many-requests", "too many requests");
	error->retry_s = (unsigned int)((wait_us + 999999) / 1000000);
	return false;
}

bool guard_admit(const struct services *services, const struct http_request *http,
		 struct error *error)
{
	struct address_limits *limits = services->limits;
	const uint8_t *peer = http_peer(http);
	int64_t now = now_us(), wait;

	if (!address_limits_take(limits, ADDRESS_REQUESTS, peer, now)) {
		wait = address_limits_wait_us(limits, ADDRESS_REQUESTS, peer, now);
		return refuse(services, METRIC_LIMIT_ADDRESS_REQUESTS, wait, error);
	}
	wait = address_limits_wait_us(limits, ADDRESS_FAILURES, peer, now);
	return wait == 0 || refuse(services, METRIC_LIMIT_ADDRESS_FAILURES, wait, error);
}

void guard_heed(const struct services *services, const struct http_request *http,
		const struct error *error)
{
	static const char *const costly[] = { "invalid-credentials", "invalid-token",
					      "invalid_client", "foreign-environment" };

	for (size_t i = 0; i < sizeof(costly) / sizeof(costly[0]); i++)
		if (error->code != NULL && strcmp(error->code, costly[i]) == 0)
			address_limits_charge(services->limits, ADDRESS_FAILURES, http_peer(http),
					      now_us());
}
