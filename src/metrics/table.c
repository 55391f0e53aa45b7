/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <string.h>

#define US 1000000 /* in a second */

#define VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define BOUNDS(...) ((const int64_t[]){ __VA_ARGS__, 0 })

/* The names of the edge's routes. */
static const char *const routes[] = {
	"token",	"token-dry-run",  "login",	   "logout",	  "oauth-token",
	"oauth-revoke", "oauth-metadata", "secret-report", "certificate", "signer-certificate",
	"livez",	"readyz",	  "metrics",	   "other",	  NULL,
};

/* By first digit, from 1. */
static const char *const status_classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx", NULL };

/* The codes of ipc/verdict.h in the order of enum verdict, and one for an order that failed. */
static const char *const verdicts[] = {
	"issued",
	"stranger",
	"credential-expired",
	"client-disabled",
	"no-such-account",
	"account-not-active",
	"account-lapsed",
	"malformed",
	"form-not-permitted",
	"spc-ambiguous",
	"spc-not-held",
	"spc-lapsed",
	"no-delegation",
	"signer-not-active",
	"clock",
	"address-not-allowed",
	"fingerprint-not-pinned",
	"invalid-token",
	"insufficient-scope",
	"too-many-requests",
	"replayed",
	"scope-not-permitted",
	"failed",
	NULL,
};

const struct metric_row metric_table[METRIC_COUNT] = {
	[METRIC_REQUESTS] = { "stipa_requests", "Requests answered, by route and class of status.",
			      METRIC_COUNTER,
			      .labels = { { "route", routes }, { "status", status_classes } } },
	[METRIC_REQUEST_DURATION] = { "stipa_request_duration_seconds",
				      "From the last byte of a request to its answer.",
				      METRIC_HISTOGRAM, "seconds",
				      .bounds =
					      BOUNDS(1000, 2500, 5000, 10000, 25000, 50000, 100000,
						     250000, 500000, 1000000, 2500000, 5000000),
				      .scale = US },
	[METRIC_CONNECTIONS] = { "stipa_connections", "Connections open now.", METRIC_GAUGE },
	[METRIC_CONNECTIONS_ACCEPTED] = { "stipa_connections_accepted", "Connections accepted.",
					  METRIC_COUNTER },
	[METRIC_CONNECTIONS_REFUSED] = { "stipa_connections_refused",
					 "Connections closed at once, by what was full.",
					 METRIC_COUNTER,
					 .labels = { { "full", VALUES("node", "address") } } },
	[METRIC_HANDSHAKES_FAILED] = { "stipa_handshakes_failed",
				       "TLS handshakes that did not come to an end.",
				       METRIC_COUNTER },
	[METRIC_LIMITS_HIT] = { "stipa_limits_hit", "Requests refused by a limit.", METRIC_COUNTER,
				.labels = { { "limit",
					      VALUES("address-requests", "address-failures",
						     "client-requests", "password-queue",
						     "user-failures") } } },
	[METRIC_ORDERS] = { "stipa_orders", "Orders for SPC tokens judged, by verdict.",
			    METRIC_COUNTER, .labels = { { "verdict", verdicts } } },
	[METRIC_DRY_RUNS] = { "stipa_dry_runs", "Orders judged without a token.", METRIC_COUNTER },
	[METRIC_ORDERS_WAITING] = { "stipa_orders_waiting",
				    "Orders that the authority has not yet answered.",
				    METRIC_GAUGE },
	[METRIC_READY] = { "stipa_ready", "1 while the node can issue tokens, else 0.",
			   METRIC_GAUGE },
	[METRIC_LEDGER_BEHIND] = { "stipa_ledger_behind",
				   "1 while the database lacks a token that this node issued.",
				   METRIC_GAUGE },
	[METRIC_ACCESS_TOKENS] = { "stipa_access_tokens_granted",
				   "Access tokens granted, to clients and API users.",
				   METRIC_COUNTER },
	[METRIC_LOGINS] = { "stipa_logins", "Logins of API users, by outcome.", METRIC_COUNTER,
			    .labels = { { "outcome", VALUES("granted", "refused", "failed") } } },
	[METRIC_BATCH_SIZE] = { "stipa_batch_size_orders", "Orders judged in one transaction.",
				METRIC_HISTOGRAM, "orders",
				.bounds = BOUNDS(1, 2, 4, 8, 16, 32, 64, 128, 256) },
	[METRIC_COMMIT_DURATION] = { "stipa_commit_duration_seconds",
				     "From a batch's departure to its durable commit.",
				     METRIC_HISTOGRAM, "seconds",
				     .bounds = BOUNDS(500, 1000, 2500, 5000, 10000, 25000, 50000,
						      100000, 250000, 500000, 1000000),
				     .scale = US },
	[METRIC_SIGN_DURATION] = { "stipa_sign_duration_seconds",
				   "Signing the tokens of one batch.", METRIC_HISTOGRAM, "seconds",
				   .bounds = BOUNDS(100, 250, 500, 1000, 2500, 5000, 10000, 25000,
						    50000, 100000),
				   .scale = US },
	[METRIC_CHILD_RESTARTS] = { "stipa_child_restarts",
				    "Processes started again after they had ended.", METRIC_COUNTER,
				    .labels = { { "child", VALUES("edge", "authority") } } },
	[METRIC_RELOAD_REFUSED] = { "stipa_reload_refused",
				    "1 while a reload that came after this generation has been "
				    "refused.",
				    METRIC_GAUGE },
	[METRIC_LOG_LINES_DROPPED] = { "stipa_log_lines_dropped",
				       "Log lines that could not be written.", METRIC_COUNTER },
	[METRIC_CALLS_REFUSED] = { "stipa_system_calls_refused",
				   "Forbidden system calls of confined processes.",
				   METRIC_COUNTER },
	[METRIC_START_TIME] = { "stipa_start_time_seconds", "When the node started, Unix time.",
				METRIC_GAUGE, "seconds" },
};

unsigned int metric_values(const struct metric_label *label)
{
	unsigned int n = 1;

	while (label->values[n] != NULL)
		n++;
	return n;
}

unsigned int metric_combinations(const struct metric_row *row)
{
	unsigned int n = 1;

	for (size_t i = 0; i < METRIC_LABELS_MAX && row->labels[i].name != NULL; i++)
		n *= metric_values(&row->labels[i]);
	return n;
}

unsigned int metric_buckets(const struct metric_row *row)
{
	unsigned int n = 0;

	while (row->bounds[n] != 0)
		n++;
	return n;
}

unsigned int metric_cells(const struct metric_row *row)
{
	return row->type == METRIC_HISTOGRAM ? metric_buckets(row) + 2 : metric_combinations(row);
}

unsigned int metric_value_or_last(const struct metric_label *label, const char *value)
{
	unsigned int n = 0;

	while (label->values[n + 1] != NULL && strcmp(label->values[n], value) != 0)
		n++;
	return n;
}
