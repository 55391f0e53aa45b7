/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* CPU_COUNT */
#include "generation.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "metrics/metrics.h"
#include "timing.h"

#define GRACE_MS 1000 /* after the drain timeout */

/* ---- the end ---- */

static bool somebody_lives(const struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++) {
		if (generation->children[i].pid != 0)
			return true;
	}
	return false;
}

static void leave_if_alone(struct generation *generation)
{
	if (generation->draining && !somebody_lives(generation))
		event_base_loopbreak(generation->base);
}

/* The authority stays until its edges have ended. */
void generation_drain(struct generation *generation)
{
	if (generation->draining)
		return;
	generation->draining = true;
	for (size_t i = 0; i < generation->n; i++)
		child_dismiss(&generation->children[i]);
	/* whoever comes now shall be refused, and go to another node, not wait for nothing */
	listeners_close(generation->listeners);
	timing_set(generation->too_late, generation->config->drain_timeout_ms + GRACE_MS);
	leave_if_alone(generation);
}

static void on_too_late(evutil_socket_t fd, short what, void *arg)
{
	struct generation *generation = arg;

	(void)fd;
	(void)what;
	generation->status = EXIT_FAILURE;
	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->children[i];

		if (child->pid == 0)
			continue;
		log_error(generation->log, "a child has not drained in time, and is killed",
			  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid));
		kill(child->pid, SIGKILL);
	}
}

/* ---- deaths ---- */

/* A wrong certificate, key or file: started again, it would end again. */
static bool cannot_start(const struct child *child, int how, int64_t alive_ms)
{
	return child->times == 1 && !child_has_settled(alive_ms) && WIFEXITED(how) &&
	       WEXITSTATUS(how) != 0;
}

static void give_up(struct generation *generation, const struct child *child)
{
	log_error(generation->log, "a child cannot start: the node ends",
		  LOG_TEXT("child", child->name));
	generation->status = EXIT_FAILURE;
	generation_drain(generation);
}

static void replace(struct generation *generation, struct child *child)
{
	meter_count(metrics_meter(generation->metrics, MONITOR_SLOT), METRIC_CHILD_RESTARTS,
		    child_is_authority(child));
	child_start_later(child);
}

static void on_death(struct generation *generation, struct child *child, int how)
{
	int64_t alive_ms = child_bury(child, how);

	if (generation->draining)
		leave_if_alone(generation);
	else if (cannot_start(child, how, alive_ms))
		give_up(generation, child);
	else
		replace(generation, child);
}

static struct child *child_with(struct generation *generation, pid_t pid)
{
	for (size_t i = 0; i < generation->n; i++) {
		if (generation->children[i].pid == pid)
			return &generation->children[i];
	}
	return NULL;
}

void generation_reap(struct generation *generation)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		struct child *child = child_with(generation, pid);

		if (child != NULL)
			on_death(generation, child, how);
	}
}

/* ---- life ---- */

static size_t edges_wanted(const struct config *config)
{
	cpu_set_t cores;
	int n = 1;

	if (config->edges > 0)
		return (size_t)config->edges < EDGES_MAX ? (size_t)config->edges : EDGES_MAX;
	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		n = CPU_COUNT(&cores);
	return n < EDGES_MAX ? (size_t)n : EDGES_MAX;
}

static bool make_ticket_key(struct generation *generation, struct error *error)
{
	if (getrandom(generation->ticket_key, sizeof(generation->ticket_key), 0) !=
	    (ssize_t)sizeof(generation->ticket_key))
		return error_set(error, ERROR_UNAVAILABLE, "getrandom: %s", strerror(errno));
	return true;
}

_Atomic uint64_t *generation_dropped(struct generation *generation, unsigned int slot)
{
	return meter_counter(metrics_meter(generation->metrics, slot), METRIC_LOG_LINES_DROPPED, 0);
}

static bool make_metrics(struct generation *generation, size_t children, struct error *error)
{
	generation->metrics = metrics_new(AUTHORITY_SLOT + (unsigned int)children);
	if (generation->metrics == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	meter_set(metrics_meter(generation->metrics, MONITOR_SLOT), METRIC_START_TIME, time(NULL));
	generation->own_log.dropped = generation_dropped(generation, MONITOR_SLOT);
	return true;
}

static bool make_children(struct generation *generation, struct error *error)
{
	size_t wanted = 1 + edges_wanted(generation->config);

	if (!make_metrics(generation, wanted, error))
		return false;
	for (; generation->n < wanted; generation->n++) {
		if (!child_make(&generation->children[generation->n], generation,
				AUTHORITY_SLOT + (unsigned int)generation->n, error))
			return false;
	}
	return true;
}

bool generation_make(struct generation *generation, const struct config *config,
		     const struct log *log, struct event_base *base, struct listeners *listeners,
		     struct error *error)
{
	*generation = (struct generation){
		.config = config,
		.own_log = *log,
		.pid = getpid(),
		.base = base,
		.listeners = listeners,
	};
	generation->log = &generation->own_log;
	generation->too_late = evtimer_new(base, on_too_late, generation);
	if (generation->too_late == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	return make_ticket_key(generation, error) && make_children(generation, error);
}

void generation_clear(struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++)
		child_clear(&generation->children[i]);
	if (generation->too_late != NULL)
		event_free(generation->too_late);
	explicit_bzero(generation->ticket_key, sizeof(generation->ticket_key));
	metrics_free(generation->metrics);
}

void generation_start(struct generation *generation)
{
	log_info(generation->log, "node started", LOG_NUMBER("edges", (int64_t)generation->n - 1),
		 LOG_TEXT("environment", generation->config->environment));
	for (size_t i = 0; i < generation->n; i++)
		child_start(&generation->children[i]);
}
