/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/buckets.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "ipc/verdict.h"
#include "metrics/metrics.h"

#define CLIENTS_MAX 16384

struct limits {
	struct buckets *clients;
	const struct log *log;
	struct meter *meter;
};

/* What the log says of an order. */
struct subject {
	const char *kind, *request_id;
};

static bool admit(struct limits *limits, const uint8_t digest[SHA256_LEN], struct subject subject)
{
	if (buckets_take(limits->clients, digest, clock_steady_ms()))
		return true;
	meter_count(limits->meter, METRIC_LIMITS_HIT, METRIC_LIMIT_CLIENT_REQUESTS);
	log_info(limits->log, "order refused", LOG_TEXT("kind", subject.kind),
		 LOG_TEXT("request", subject.request_id),
		 LOG_TEXT("verdict", verdict_code(VERDICT_RATE)));
	return false;
}

static bool admit_name(struct limits *limits, const char *name, const uint8_t peer[16],
		       struct subject subject)
{
	uint8_t both[16 + CLIENT_ID_MAX], digest[SHA256_LEN];
	size_t len = strnlen(name, CLIENT_ID_MAX);

	memcpy(both, peer, 16);
	memcpy(both + 16, name, len);
	sha256(both, 16 + len, digest);
	return admit(limits, digest, subject);
}

bool limits_admit_order(struct limits *limits, const struct order *order)
{
	return admit(limits, order->credential, (struct subject){ "issue", order->request_id });
}

bool limits_admit_grant(struct limits *limits, const struct grant_order *order)
{
	const struct client_proof *proof = &order->proof;
	const struct subject subject = { "grant", order->request_id };

	return proof->method == METHOD_SECRET
		       ? admit(limits, proof->credential, subject)
		       : admit_name(limits, proof->client, order->peer, subject);
}

bool limits_admit_login(struct limits *limits, const struct login_order *order)
{
	const struct subject subject = { "login", order->request_id };

	return order->method == METHOD_LOGIN
		       ? admit(limits, order->digest, subject)
		       : admit_name(limits, order->user, order->peer, subject);
}

bool limits_admit_revocation(struct limits *limits, const struct revoke_order *order)
{
	const struct client_proof *proof = &order->proof;
	const struct subject subject = { "revoke", order->request_id };

	if (proof->method == METHOD_ASSERTION)
		return admit_name(limits, proof->client, order->peer, subject);
	return admit(limits, proof->method == METHOD_TOKEN ? order->token : proof->credential,
		     subject);
}

struct limits *limits_new(const struct config *config, const struct log *log, struct meter *meter)
{
	const struct buckets_rate clients = {
		.per_min = (unsigned int)config->requests_per_client_s * 60,
		.burst = (unsigned int)config->requests_per_client_burst,
		.max = CLIENTS_MAX,
	};
	struct limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return NULL;
	*limits = (struct limits){ buckets_new(&clients), log, meter };
	if (limits->clients != NULL)
		return limits;
	limits_free(limits);
	return NULL;
}

void limits_free(struct limits *limits)
{
	if (limits == NULL)
		return;
	buckets_free(limits->clients);
	free(limits);
}
