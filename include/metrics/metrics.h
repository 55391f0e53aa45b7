/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the node counts, for Prometheus and its kin.
 *
 * The monitor makes one block of shared memory before it forks; each process counts in a slot of
 * its own, through its meter, and whoever is asked prints the sum of all slots.  A process that
 * is started again goes on in the slot of the one before it, so counters never fall.
 *
 * A metric is a row of src/metrics/table.c: name, help, type, labels with the values they may
 * have.  No value ever comes from input.  To count something new: add a name to the enum and a
 * row to the table, take a struct meter with your options, and say
 *
 *   meter_count(meter, METRIC_ORDERS, verdict);              the verdict is the row's label
 *   meter_observe(meter, METRIC_COMMIT_DURATION, 1250);      in microseconds
 *   meter_change(meter, METRIC_CONNECTIONS, +1);             a gauge
 *   meter_count_request(meter, route->name, 200, 830);
 *
 * Each is one relaxed atomic addition (two for a histogram).  A NULL meter counts nothing, so
 * tests need none.  A label that is not in the table is not counted.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric {
	METRIC_REQUESTS,	 /* by route and class of status: meter_count_request() */
	METRIC_REQUEST_DURATION, /* us */
	METRIC_CONNECTIONS,
	METRIC_CONNECTIONS_ACCEPTED,
	METRIC_CONNECTIONS_REFUSED, /* by enum metric_refusal */
	METRIC_HANDSHAKES_FAILED,
	METRIC_LIMITS_HIT, /* by enum metric_limit */
	METRIC_ORDERS,	   /* by verdict; VERDICT_COUNT: failed */
	METRIC_DRY_RUNS,
	METRIC_ORDERS_WAITING,
	METRIC_READY,
	METRIC_LEDGER_BEHIND, /* 0 or 1 */
	METRIC_ACCESS_TOKENS,
	METRIC_LOGINS, /* by enum metric_outcome */
	METRIC_BATCH_SIZE,
	METRIC_COMMIT_DURATION, /* us */
	METRIC_SIGN_DURATION,	/* us */
	METRIC_CHILD_RESTARTS,	/* 0: an edge, 1: the authority */
	METRIC_RELOAD_REFUSED,	/* 0 or 1 */
	METRIC_LOG_LINES_DROPPED,
	METRIC_CALLS_REFUSED, /* of the system, by confinement */
	METRIC_START_TIME,
	METRIC_COUNT
};

enum metric_refusal { METRIC_REFUSAL_NODE_FULL, METRIC_REFUSAL_ADDRESS_FULL };

enum metric_limit {
	METRIC_LIMIT_ADDRESS_REQUESTS,
	METRIC_LIMIT_ADDRESS_FAILURES,
	METRIC_LIMIT_CLIENT_REQUESTS,
	METRIC_LIMIT_PASSWORD_QUEUE,
	METRIC_LIMIT_USER_FAILURES,
};

enum metric_outcome { METRIC_OUTCOME_GRANTED, METRIC_OUTCOME_REFUSED, METRIC_OUTCOME_FAILED };

#define METRICS_MEDIA_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics; /* all slots */
struct meter;	/* one of them */

/* Slots for @processes, all zero.  NULL without memory.  Each process that forks from this one
 * has the same memory. */
struct metrics *metrics_new(unsigned int processes);
void metrics_free(struct metrics *metrics);

/* The meter of a process, for as long as @metrics lives. */
struct meter *metrics_meter(struct metrics *metrics, unsigned int process);

/* A process has ended: what it had now, it has no more.  Its counters stay. */
void metrics_clear_gauges(struct metrics *metrics, unsigned int process);

/* All slots summed up, as OpenMetrics text.  Free with free(); NULL without memory. */
char *metrics_to_text(const struct metrics *metrics, size_t *len);

/* Is there such a route in the table?  The names are those of struct http_route. */
bool metrics_has_route(const char *route);

/* @label is the number of the label's value, 0 where there is no label. */
void meter_count(struct meter *meter, enum metric metric, unsigned int label);
void meter_change(struct meter *meter, enum metric gauge, int64_t by);
void meter_set(struct meter *meter, enum metric gauge, int64_t value);
void meter_observe(struct meter *meter, enum metric histogram, int64_t value);

/* One request: its route (NULL or not in the table: "other"), the status it was answered with, and
 * how long that took. */
void meter_count_request(struct meter *meter, const char *route, int status, int64_t us);

/* The counter itself, for one who may not know of metrics: add with relaxed order.  NULL for a NULL
 * meter. */
_Atomic uint64_t *meter_counter(struct meter *meter, enum metric metric, unsigned int label);

#endif
