/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../suite.h"
#include "ipc/order.h"
#include "ipc/verdict.h"
#include "metrics/metrics.h"

enum { PROCESSES = 3 };

static struct metrics *metrics;
static struct meter *meters[PROCESSES];

static void begin(void)
{
	metrics = metrics_new(PROCESSES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
	for (unsigned int i = 0; i < PROCESSES; i++)
		meters[i] = metrics_meter(metrics, i);
}

/* Is @line, whole, a line of the text? */
static bool told(const char *line)
{
	size_t len, line_len = strlen(line);
	char *text = metrics_to_text(metrics, &len);
	bool found = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(len, strlen(text));
	for (const char *at = text; at != NULL && !found; at = strstr(at + 1, line))
		found = strncmp(at, line, line_len) == 0 && at[line_len] == '\n' &&
			(at == text || at[-1] == '\n');
	free(text);
	if (!found)
		printf("\n  no line %s", line);
	return found;
}

static void test_processes_are_summed_up(void)
{
	begin();
	CU_ASSERT_TRUE(told("stipa_connections_accepted_total 0"));
	for (unsigned int i = 0; i < PROCESSES; i++)
		meter_count(meters[i], METRIC_CONNECTIONS_ACCEPTED, 0);
	meter_count(meters[1], METRIC_CONNECTIONS_ACCEPTED, 0);
	meter_change(meters[0], METRIC_CONNECTIONS, 5);
	meter_change(meters[0], METRIC_CONNECTIONS, -2);
	meter_change(meters[2], METRIC_CONNECTIONS, 1);
	meter_set(meters[1], METRIC_READY, 1);
	CU_ASSERT_TRUE(told("stipa_connections_accepted_total 4"));
	CU_ASSERT_TRUE(told("stipa_connections 4"));
	CU_ASSERT_TRUE(told("stipa_ready 1"));
	metrics_free(metrics);
}

static void test_labels(void)
{
	begin();
	meter_count(meters[0], METRIC_ORDERS, VERDICT_SPC_NOT_HELD);
	meter_count(meters[0], METRIC_ORDERS, VERDICT_COUNT);
	meter_count(meters[0], METRIC_ORDERS, VERDICT_COUNT + 1); /* counted nowhere */
	meter_count(meters[0], METRIC_CHILD_RESTARTS, 1);
	meter_count(meters[0], METRIC_LIMITS_HIT, METRIC_LIMIT_PASSWORD_QUEUE);
	meter_count(meters[0], METRIC_LOGINS, METRIC_OUTCOME_REFUSED);
	meter_count(meters[0], METRIC_CONNECTIONS_REFUSED, METRIC_REFUSAL_ADDRESS_FULL);
	CU_ASSERT_TRUE(told("stipa_orders_total{verdict=\"spc-not-held\"} 1"));
	CU_ASSERT_TRUE(told("stipa_orders_total{verdict=\"failed\"} 1"));
	CU_ASSERT_TRUE(told("stipa_dry_runs_total 0")); /* what lies behind it */
	CU_ASSERT_TRUE(told("stipa_child_restarts_total{child=\"authority\"} 1"));
	CU_ASSERT_TRUE(told("stipa_limits_hit_total{limit=\"password-queue\"} 1"));
	CU_ASSERT_TRUE(told("stipa_logins_total{outcome=\"refused\"} 1"));
	CU_ASSERT_TRUE(told("stipa_connections_refused_total{full=\"address\"} 1"));
	metrics_free(metrics);
}

/* The table has the codes a second time, as it lies below ipc. */
static void test_every_verdict_is_a_label(void)
{
	char line[100];

	begin();
	for (unsigned int v = 0; v < VERDICT_COUNT; v++) {
		meter_count(meters[0], METRIC_ORDERS, v);
		snprintf(line, sizeof(line), "stipa_orders_total{verdict=\"%s\"} 1",
			 verdict_code(v));
		CU_ASSERT_TRUE(told(line));
	}
	CU_ASSERT_TRUE(told("stipa_orders_total{verdict=\"failed\"} 0"));
	metrics_free(metrics);
}

static void test_requests_by_route_and_status(void)
{
	begin();
	meter_count_request(meters[0], "token", 200, 900);
	meter_count_request(meters[1], "token", 204, 1000);
	meter_count_request(meters[1], "token", 503, 3000000);
	meter_count_request(meters[0], "no such route", 404, 10000000);
	meter_count_request(meters[0], NULL, 404, -5);
	meter_count_request(meters[0], "token", 0, 1); /* nobody was answered */
	CU_ASSERT_TRUE(told("stipa_requests_total{route=\"token\",status=\"2xx\"} 2"));
	CU_ASSERT_TRUE(told("stipa_requests_total{route=\"token\",status=\"5xx\"} 1"));
	CU_ASSERT_TRUE(told("stipa_requests_total{route=\"token\",status=\"4xx\"} 0"));
	CU_ASSERT_TRUE(told("stipa_requests_total{route=\"other\",status=\"4xx\"} 2"));
	CU_ASSERT_TRUE(told("stipa_request_duration_seconds_count 5"));
	CU_ASSERT_TRUE(metrics_has_route("token"));
	CU_ASSERT_FALSE(metrics_has_route("tokens"));
	metrics_free(metrics);
}

static void test_a_histogram_is_cumulative(void)
{
	static const int64_t seen[] = { 500, 501, 1000, 1001, 1000000, 1000001 };

	begin();
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		meter_observe(meters[i % PROCESSES], METRIC_COMMIT_DURATION, seen[i]);
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_bucket{le=\"0.0005\"} 1"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_bucket{le=\"0.001\"} 3"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_bucket{le=\"0.0025\"} 4"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_bucket{le=\"1.0\"} 5"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_bucket{le=\"+Inf\"} 6"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_count 6"));
	CU_ASSERT_TRUE(told("stipa_commit_duration_seconds_sum 2.003003"));
	meter_observe(meters[0], METRIC_BATCH_SIZE, 64);
	CU_ASSERT_TRUE(told("stipa_batch_size_orders_bucket{le=\"32.0\"} 0"));
	CU_ASSERT_TRUE(told("stipa_batch_size_orders_bucket{le=\"64.0\"} 1"));
	CU_ASSERT_TRUE(told("stipa_batch_size_orders_sum 64.000000"));
	metrics_free(metrics);
}

static void run_child(void (*work)(void))
{
	pid_t pid = fork();
	int how = -1;

	if (pid == 0) {
		work();
		_exit(0);
	}
	waitpid(pid, &how, 0);
	CU_ASSERT_EQUAL(how, 0);
}

static void accept_three(void)
{
	for (int i = 0; i < 3; i++) {
		meter_count(meters[1], METRIC_CONNECTIONS_ACCEPTED, 0);
		meter_change(meters[1], METRIC_CONNECTIONS, 1);
	}
}

static void test_a_process_goes_on_where_the_one_before_it_ended(void)
{
	begin();
	run_child(accept_three);
	CU_ASSERT_TRUE(told("stipa_connections 3"));
	metrics_clear_gauges(metrics, 1);
	CU_ASSERT_TRUE(told("stipa_connections 0"));
	CU_ASSERT_TRUE(told("stipa_connections_accepted_total 3"));
	run_child(accept_three);
	CU_ASSERT_TRUE(told("stipa_connections 3"));
	CU_ASSERT_TRUE(told("stipa_connections_accepted_total 6"));
	metrics_free(metrics);
}

static void test_a_counter_is_lent(void)
{
	_Atomic uint64_t *counter;

	begin();
	counter = meter_counter(meters[2], METRIC_LOG_LINES_DROPPED, 0);
	atomic_fetch_add_explicit(counter, 7, memory_order_relaxed);
	CU_ASSERT_TRUE(told("stipa_log_lines_dropped_total 7"));
	CU_ASSERT_PTR_NULL(meter_counter(NULL, METRIC_LOG_LINES_DROPPED, 0));
	CU_ASSERT_PTR_NULL(meter_counter(meters[2], METRIC_LOG_LINES_DROPPED, 1));
	metrics_free(metrics);
}

static void test_without_a_meter_nothing_is_counted(void)
{
	begin();
	CU_ASSERT_PTR_NULL(metrics_meter(metrics, PROCESSES));
	meter_count(NULL, METRIC_ORDERS, 0);
	meter_change(NULL, METRIC_CONNECTIONS, 1);
	meter_set(NULL, METRIC_READY, 1);
	meter_observe(NULL, METRIC_BATCH_SIZE, 1);
	meter_count_request(NULL, "token", 200, 1);
	CU_ASSERT_TRUE(told("stipa_ready 0"));
	metrics_free(metrics);
	metrics_free(NULL);
}

static bool is_name(const char *text, size_t len)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz_") == len &&
	       strncmp(text, "stipa_", 6) == 0;
}

/* Each metric has a type and a sentence before its numbers, in this order; the end is marked. */
static void test_the_text_is_open_metrics(void)
{
	size_t len, n = 0;
	char *text, *rest, *line;

	begin();
	text = rest = metrics_to_text(metrics, &len);
	CU_ASSERT_TRUE(len > 6 && strcmp(text + len - 6, "# EOF\n") == 0);
	while ((line = strsep(&rest, "\n")) != NULL && strcmp(line, "# EOF") != 0) {
		if (strncmp(line, "# TYPE ", 7) == 0) {
			n++;
			CU_ASSERT_TRUE(is_name(line + 7, strcspn(line + 7, " ")));
			line = strsep(&rest, "\n");
			if (strncmp(line, "# UNIT ", 7) == 0)
				line = strsep(&rest, "\n");
			CU_ASSERT_EQUAL(strncmp(line, "# HELP ", 7), 0);
			CU_ASSERT_EQUAL(line[strlen(line) - 1], '.');
			continue;
		}
		CU_ASSERT_TRUE(is_name(line, strcspn(line, "{ ")));
		CU_ASSERT_PTR_NOT_NULL(strrchr(line, ' '));
	}
	CU_ASSERT_EQUAL(n, METRIC_COUNT);
	free(text);
	metrics_free(metrics);
}

/* A million of them in a fraction of a second, also under a sanitizer. */
static void test_counting_is_cheap(void)
{
	struct timespec before, after;
	double s;

	begin();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	for (int i = 0; i < 1000000; i++)
		meter_count(meters[0], METRIC_ORDERS, 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	s = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	CU_ASSERT_TRUE(s < 0.5);
	CU_ASSERT_TRUE(told("stipa_orders_total{verdict=\"issued\"} 1000000"));
	metrics_free(metrics);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "processes are summed up", test_processes_are_summed_up },
		{ "labels", test_labels },
		{ "every verdict is a label", test_every_verdict_is_a_label },
		{ "requests by route and status", test_requests_by_route_and_status },
		{ "a histogram is cumulative", test_a_histogram_is_cumulative },
		{ "a process goes on where the one before it ended",
		  test_a_process_goes_on_where_the_one_before_it_ended },
		{ "a counter is lent", test_a_counter_is_lent },
		{ "without a meter nothing is counted", test_without_a_meter_nothing_is_counted },
		{ "the text is OpenMetrics", test_the_text_is_open_metrics },
		{ "counting is cheap", test_counting_is_cheap },
		CU_TEST_INFO_NULL,
	};

	return run_suite("metrics", tests);
}
