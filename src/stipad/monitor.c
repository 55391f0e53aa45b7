/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigabbrev_np */
#include "stipad/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "base/log.h"
#include "confine/privileges.h"
#include "monitor_own.h"
#include "timing.h"

#define BACKOFF_MS 100
#define SILENT_MAX 20 /* ticks of a generation */

/* ---- signals ---- */

static struct leader *leader_with(struct monitor *monitor, pid_t pid)
{
	struct leader *leader;

	LIST_FOREACH(leader, &monitor->leaders, link)
	{
		if (leader->pid == pid)
			break;
	}
	return leader;
}

static void reap(struct monitor *monitor)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		struct leader *leader = leader_with(monitor, pid);

		if (leader != NULL)
			monitor_bury(leader, how);
	}
}

static void on_signal(void *arg, uint32_t signal_number)
{
	struct monitor *monitor = arg;

	switch (signal_number) {
	case SIGCHLD:
		reap(monitor);
		break;
	case SIGHUP:
		monitor_reload(monitor);
		break;
	default:
		log_info(monitor->log, "draining",
			 LOG_TEXT("signal", sigabbrev_np((int)signal_number)));
		monitor_drain(monitor);
	}
}

/* ---- time ---- */

/* Ticks are counted, not time: where this process stood still, the others may have too. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;
	struct leader *leader;

	(void)fd;
	(void)what;
	LIST_FOREACH(leader, &monitor->leaders, link)
	{
		if (++leader->silent <= SILENT_MAX)
			continue;
		log_error(monitor->log, "a generation hangs, and is killed",
			  LOG_NUMBER("generation", leader->number),
			  LOG_NUMBER("child_pid", leader->pid));
		kill(leader->pid, SIGKILL);
	}
}

/* The node lives as long as its generation shows life.  One that does not is replaced; the service
 * manager is for when nothing of that works any more. */
static void on_alive(evutil_socket_t fd, short what, void *arg)
{
	const struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	if (monitor->serving == NULL || monitor->serving->silent <= SILENT_MAX)
		notify_alive(&monitor->notify);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	monitor_start(arg);
}

static void on_given_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	monitor_give_up(arg);
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
	return privileges_no_dumps(error) && privileges_none_new(error);
}

static bool start_ticking(struct monitor *monitor)
{
	static const struct timeval second = { .tv_sec = 1 };
	int64_t us = monitor->notify.watchdog_us / 2;
	const struct timeval half = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	if (us > 0)
		notify_alive(&monitor->notify);
	return event_add(monitor->tick, &second) == 0 &&
	       (us == 0 || event_add(monitor->alive, &half) == 0);
}

static bool make_timers(struct monitor *monitor, struct error *error)
{
	struct event_base *base = monitor->base;

	monitor->tick = event_new(base, -1, EV_PERSIST, on_tick, monitor);
	monitor->alive = event_new(base, -1, EV_PERSIST, on_alive, monitor);
	monitor->again = evtimer_new(base, on_again, monitor);
	monitor->given_up = evtimer_new(base, on_given_up, monitor);
	return (monitor->tick != NULL && monitor->alive != NULL && monitor->again != NULL &&
		monitor->given_up != NULL && start_ticking(monitor)) ||
	       error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

static bool make(struct monitor *monitor, struct error *error)
{
	monitor->base = event_base_new();
	if (monitor->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	return raise_limits(error) && make_timers(monitor, error) &&
	       signals_open(&monitor->signals, monitor->base, on_signal, monitor, error);
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void clear(struct monitor *monitor)
{
	signals_close(&monitor->signals);
	free_event(monitor->tick);
	free_event(monitor->alive);
	free_event(monitor->again);
	free_event(monitor->given_up);
	notify_close(&monitor->notify);
	if (monitor->base != NULL)
		event_base_free(monitor->base);
}

static void run(struct monitor *monitor)
{
	log_info(monitor->log, "node started");
	monitor_start(monitor);
	event_base_dispatch(monitor->base);
	log_info(monitor->log, "node ended", LOG_NUMBER("status", monitor->status));
}

int monitor_run(const struct monitor_options *options)
{
	struct monitor monitor = { .options = options,
				   .log = options->log,
				   .backoff_ms = BACKOFF_MS,
				   .signals = { .fd = -1 } };
	struct error error = { 0 };

	LIST_INIT(&monitor.leaders);
	notify_open(&monitor.notify);
	if (make(&monitor, &error)) {
		run(&monitor);
	} else {
		monitor.status = EXIT_FAILURE;
		log_error(monitor.log, "the node cannot start", LOG_TEXT("why", error.detail));
	}
	clear(&monitor);
	return monitor.status;
}
