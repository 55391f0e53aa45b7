/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigabbrev_np */
#include "stipad/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "child.h"
#include "generation.h"
#include "listeners.h"
#include "signals.h"

struct monitor {
	const struct config *config;
	const struct log *log;
	struct event_base *base;
	struct signals signals;
	struct listeners listeners;
	struct generation generation;
};

/* ---- signals ---- */

static void on_signal(void *arg, uint32_t signal_number)
{
	struct monitor *monitor = arg;

	switch (signal_number) {
	case SIGCHLD:
		generation_reap(&monitor->generation);
		break;
	case SIGHUP:
		log_warning(monitor->log, "this version does not reload: restart it instead");
		break;
	default:
		log_info(monitor->log, "draining",
			 LOG_TEXT("signal", sigabbrev_np((int)signal_number)));
		generation_drain(&monitor->generation);
	}
}

/* ---- life ---- */

static bool raise_limits(struct error *error)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return error_set(error, ERROR_INTERNAL, "RLIMIT_NOFILE: %s", strerror(errno));
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		return error_set(error, ERROR_INTERNAL, "RLIMIT_NOFILE: %s", strerror(errno));
	return child_no_dumps(error);
}

static bool make(struct monitor *monitor, struct error *error)
{
	monitor->base = event_base_new();
	if (monitor->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	return raise_limits(error) &&
	       signals_open(&monitor->signals, monitor->base, on_signal, monitor, error) &&
	       generation_make(&monitor->generation, monitor->config, monitor->log, monitor->base,
			       &monitor->listeners, error) &&
	       listeners_open(&monitor->listeners, monitor->config, error);
}

static void clear(struct monitor *monitor)
{
	listeners_close(&monitor->listeners);
	generation_clear(&monitor->generation);
	signals_close(&monitor->signals);
	if (monitor->base != NULL)
		event_base_free(monitor->base);
}

static int run(struct monitor *monitor)
{
	int status;

	generation_start(&monitor->generation);
	event_base_dispatch(monitor->base);
	status = monitor->generation.status;
	log_info(monitor->log, "node ended", LOG_NUMBER("status", status));
	return status;
}

int monitor_run(const struct config *config, const struct log *log)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	struct error error = { 0 };
	int status = EXIT_FAILURE;

	if (monitor == NULL)
		return status;
	monitor->config = config;
	monitor->log = log;
	monitor->signals.fd = -1;
	monitor->listeners.local_fd = -1;
	if (make(monitor, &error))
		status = run(monitor);
	else
		log_error(monitor->log, "the node cannot start", LOG_TEXT("why", error.detail));
	clear(monitor);
	free(monitor);
	return status;
}
