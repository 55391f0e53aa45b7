/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigabbrev_np, CPU_COUNT */
#include "stipad/monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "authority/authority.h"
#include "base/clock.h"
#include "child.h"
#include "config/config.h"
#include "edge/edge.h"
#include "ipc/control.h"
#include "listeners.h"
#include "metrics/metrics.h"

#define EDGES_MAX      64
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define SETTLED_MS     10000 /* alive so long, it has started well */
#define GRACE_MS       1000  /* after the drain timeout */
#define MONITOR_SLOT   0
#define AUTHORITY_SLOT 1

struct monitor;

/* A process and the place that it has.  The place outlives it. */
struct child {
	struct monitor *monitor;
	unsigned int number; /* of its slot in the metrics: 1 the authority, then the edges */
	char name[16];	     /* "authority", "edge-1" */
	int (*work)(struct child *child, const struct log *log, int control_fd);
	pid_t pid;	/* 0: there is none now */
	int control_fd; /* our end; -1 when closed */
	int64_t started_ms;
	unsigned int backoff_ms;
	unsigned int times; /* it was started */
	struct event *again;
};

struct monitor {
	const struct config *config;
	const struct log *log;
	pid_t pid;
	struct event_base *base;
	struct metrics *metrics;
	struct log own_log; /* that counts what it drops */
	struct listeners listeners;
	uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	int signal_fd;
	struct event *signals;
	struct event *too_late; /* to drain */
	bool draining;
	int status;

	struct child authority;
	struct child edges[EDGES_MAX];
	size_t n_edges;
};

static void set_timer(struct event *timer, long ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(timer, &after);
}

/* ---- what the children do ---- */

static int edge_work(struct child *child, const struct log *log, int control_fd)
{
	struct monitor *monitor = child->monitor;
	struct edge_options options = {
		.config = monitor->config,
		.log = log,
		.control_fd = control_fd,
		.metrics = monitor->metrics,
		.meter = metrics_meter(monitor->metrics, child->number),
		.listeners = monitor->listeners.fds,
		.n_listeners = monitor->listeners.n,
		.local_fd = monitor->listeners.local_fd,
	};

	memcpy(options.ticket_key, monitor->ticket_key, sizeof(options.ticket_key));
	return edge_run(&options);
}

static int authority_work(struct child *child, const struct log *log, int control_fd)
{
	struct monitor *monitor = child->monitor;
	const struct authority_options options = {
		.config = monitor->config,
		.log = log,
		.control_fd = control_fd,
		.meter = metrics_meter(monitor->metrics, child->number),
	};

	explicit_bzero(monitor->ticket_key, sizeof(monitor->ticket_key));
	return authority_run(&options);
}

/* An edge keeps the listeners, the authority nothing but its control end. */
static struct child_start start_of(const struct child *child, int control_fd)
{
	const struct monitor *monitor = child->monitor;
	struct child_start start = { .parent = monitor->pid, .name = child->name };

	start.fds[start.n_fds++] = control_fd;
	if (monitor->log->fd > 2)
		start.fds[start.n_fds++] = monitor->log->fd;
	if (child == &monitor->authority)
		return start;
	for (size_t i = 0; i < monitor->listeners.n; i++)
		start.fds[start.n_fds++] = monitor->listeners.fds[i];
	start.fds[start.n_fds++] = monitor->listeners.local_fd;
	return start;
}

static _Atomic uint64_t *dropped_of(struct monitor *monitor, unsigned int number)
{
	return meter_counter(metrics_meter(monitor->metrics, number), METRIC_LOG_LINES_DROPPED, 0);
}

/* The monitor's event loop is not touched here: its kernel side is shared with the monitor, and
 * goes with its descriptor. */
static _Noreturn void child_main(struct child *child, int control_fd)
{
	const struct child_start start = start_of(child, control_fd);
	struct log log = *child->monitor->log;
	struct error error = { 0 };

	memcpy(log.process, child->name, sizeof(log.process));
	log.dropped = dropped_of(child->monitor, child->number);
	if (!child_enter(&start, &error)) {
		log_error(&log, "cannot start", LOG_TEXT("why", error.detail));
		exit(EXIT_FAILURE);
	}
	exit(child->work(child, &log, control_fd));
}

/* ---- streams between the children ---- */

/* Hand one end over.  A child that cannot take it is of no use any more: it is killed, if it is
 * not dead already, and its successor gets another. */
static void hand_over(struct child *child, int peer_fd)
{
	struct error error = { 0 };

	if (ipc_control_send_peer(child->control_fd, peer_fd, &error))
		return;
	log_error(child->monitor->log, "a child does not take its peer",
		  LOG_TEXT("child", child->name), LOG_TEXT("why", error.detail));
	kill(child->pid, SIGKILL);
}

static void make_peers(struct child *edge, struct child *authority)
{
	int pair[2];

	if (edge->pid == 0 || authority->pid == 0)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
		/* the edge is cut off, and will ask by dying */
		log_error(edge->monitor->log, "no socket pair", LOG_TEXT("child", edge->name),
			  LOG_TEXT("why", strerror(errno)));
		return;
	}
	hand_over(authority, pair[0]);
	hand_over(edge, pair[1]);
}

static void give_peers(struct child *child)
{
	struct monitor *monitor = child->monitor;

	if (child != &monitor->authority) {
		make_peers(child, &monitor->authority);
		return;
	}
	for (size_t i = 0; i < monitor->n_edges; i++)
		make_peers(&monitor->edges[i], child);
}

/* ---- start, and start again ---- */

static void start_later(struct child *child)
{
	set_timer(child->again, child->backoff_ms);
	child->backoff_ms *= 2;
	if (child->backoff_ms > BACKOFF_MAX_MS)
		child->backoff_ms = BACKOFF_MAX_MS;
}

static void take_child(struct child *child, pid_t pid, int control_fd)
{
	child->pid = pid;
	child->control_fd = control_fd;
	child->started_ms = clock_running_ms();
	child->times++;
	log_info(child->monitor->log, "child started", LOG_TEXT("child", child->name),
		 LOG_NUMBER("child_pid", pid));
	give_peers(child);
}

static void start(struct child *child)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error(child->monitor->log, "cannot start a child",
			  LOG_TEXT("child", child->name), LOG_TEXT("why", strerror(errno)));
		start_later(child);
		return;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_main(child, pair[1]);
	close(pair[1]);
	if (pid > 0) {
		take_child(child, pid, pair[0]);
		return;
	}
	log_error(child->monitor->log, "cannot start a child", LOG_TEXT("child", child->name),
		  LOG_TEXT("why", strerror(errno)));
	close(pair[0]);
	start_later(child);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

/* ---- the end ---- */

static struct child *child_at(struct monitor *monitor, size_t i)
{
	return i == 0 ? &monitor->authority : &monitor->edges[i - 1];
}

static void close_control(struct child *child)
{
	if (child->control_fd >= 0)
		close(child->control_fd);
	child->control_fd = -1;
}

static bool somebody_lives(struct monitor *monitor)
{
	for (size_t i = 0; i <= monitor->n_edges; i++) {
		if (child_at(monitor, i)->pid != 0)
			return true;
	}
	return false;
}

static void leave_if_alone(struct monitor *monitor)
{
	if (monitor->draining && !somebody_lives(monitor))
		event_base_loopbreak(monitor->base);
}

/* The children drain all at once: the authority stays until its edges have ended. */
static void drain(struct monitor *monitor)
{
	if (monitor->draining)
		return;
	monitor->draining = true;
	for (size_t i = 0; i <= monitor->n_edges; i++) {
		struct child *child = child_at(monitor, i);

		event_del(child->again);
		close_control(child);
	}
	/* whoever comes now shall be refused, and go to another node, not wait for nothing */
	listeners_close(&monitor->listeners);
	set_timer(monitor->too_late, monitor->config->drain_timeout_ms + GRACE_MS);
	leave_if_alone(monitor);
}

static void on_too_late(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	monitor->status = EXIT_FAILURE;
	for (size_t i = 0; i <= monitor->n_edges; i++) {
		struct child *child = child_at(monitor, i);

		if (child->pid == 0)
			continue;
		log_error(monitor->log, "a child has not drained in time, and is killed",
			  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid));
		kill(child->pid, SIGKILL);
	}
}

/* ---- deaths ---- */

static struct child *child_with(struct monitor *monitor, pid_t pid)
{
	for (size_t i = 0; i <= monitor->n_edges; i++) {
		if (child_at(monitor, i)->pid == pid)
			return child_at(monitor, i);
	}
	return NULL;
}

static void log_death(const struct child *child, int how, int64_t alive_ms)
{
	const struct log *log = child->monitor->log;
	bool as_asked = child->monitor->draining && WIFEXITED(how) && WEXITSTATUS(how) == 0;

	log_line_(log, as_asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "child ended",
		  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid),
		  WIFSIGNALED(how) ? LOG_TEXT("signal", sigabbrev_np(WTERMSIG(how)))
				   : LOG_NUMBER("exit", WEXITSTATUS(how)),
		  LOG_NUMBER("alive_ms", alive_ms));
}

/* A wrong certificate, key or file: started again, it would end again. */
static bool cannot_start(const struct child *child, int how, int64_t alive_ms)
{
	return child->times == 1 && alive_ms < SETTLED_MS && WIFEXITED(how) &&
	       WEXITSTATUS(how) != 0;
}

static void on_death(struct child *child, int how)
{
	struct monitor *monitor = child->monitor;
	int64_t alive_ms = clock_running_ms() - child->started_ms;

	log_death(child, how, alive_ms);
	child->pid = 0;
	close_control(child);
	metrics_clear_gauges(monitor->metrics, child->number);
	if (monitor->draining) {
		leave_if_alone(monitor);
	} else if (cannot_start(child, how, alive_ms)) {
		log_error(monitor->log, "a child cannot start: the node ends",
			  LOG_TEXT("child", child->name));
		monitor->status = EXIT_FAILURE;
		drain(monitor);
	} else {
		if (alive_ms >= SETTLED_MS)
			child->backoff_ms = BACKOFF_MIN_MS;
		meter_count(metrics_meter(monitor->metrics, MONITOR_SLOT), METRIC_CHILD_RESTARTS,
			    child == &monitor->authority);
		start_later(child);
	}
}

static void reap(struct monitor *monitor)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		struct child *child = child_with(monitor, pid);

		if (child != NULL)
			on_death(child, how);
	}
}

/* ---- signals ---- */

static void heed(struct monitor *monitor, uint32_t signal_number)
{
	switch (signal_number) {
	case SIGCHLD:
		reap(monitor);
		break;
	case SIGHUP:
		log_warning(monitor->log, "this version does not reload: restart it instead");
		break;
	default:
		log_info(monitor->log, "draining",
			 LOG_TEXT("signal", sigabbrev_np((int)signal_number)));
		drain(monitor);
	}
}

static void on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == sizeof(info))
		heed(arg, info.ssi_signo);
}

/* ---- life ---- */

static bool open_signals(struct monitor *monitor, struct error *error)
{
	static const int heeded[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heeded) / sizeof(heeded[0]); i++)
		sigaddset(&set, heeded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	monitor->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (monitor->signal_fd < 0)
		return error_set(error, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
	monitor->signals = event_new(monitor->base, monitor->signal_fd, EV_READ | EV_PERSIST,
				     on_signals, monitor);
	monitor->too_late = evtimer_new(monitor->base, on_too_late, monitor);
	if (monitor->signals == NULL || monitor->too_late == NULL ||
	    event_add(monitor->signals, NULL) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	return true;
}

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

static bool make_ticket_key(struct monitor *monitor, struct error *error)
{
	if (getrandom(monitor->ticket_key, sizeof(monitor->ticket_key), 0) !=
	    (ssize_t)sizeof(monitor->ticket_key))
		return error_set(error, ERROR_UNAVAILABLE, "getrandom: %s", strerror(errno));
	return true;
}

static bool make_child(struct monitor *monitor, struct child *child, unsigned int number,
		       struct error *error)
{
	child->monitor = monitor;
	child->number = number;
	child->control_fd = -1;
	child->backoff_ms = BACKOFF_MIN_MS;
	child->again = evtimer_new(monitor->base, on_again, child);
	return child->again != NULL || error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

static bool make_authority(struct monitor *monitor, struct error *error)
{
	struct child *authority = &monitor->authority;

	strcpy(authority->name, "authority");
	authority->work = authority_work;
	return make_child(monitor, authority, AUTHORITY_SLOT, error);
}

static bool make_edge(struct monitor *monitor, struct error *error)
{
	struct child *edge = &monitor->edges[monitor->n_edges];

	snprintf(edge->name, sizeof(edge->name), "edge-%d", (int)++monitor->n_edges);
	edge->work = edge_work;
	return make_child(monitor, edge, AUTHORITY_SLOT + (unsigned int)monitor->n_edges, error);
}

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

static bool make_metrics(struct monitor *monitor, size_t edges, struct error *error)
{
	monitor->metrics = metrics_new(AUTHORITY_SLOT + 1 + (unsigned int)edges);
	if (monitor->metrics == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	meter_set(metrics_meter(monitor->metrics, MONITOR_SLOT), METRIC_START_TIME, time(NULL));
	monitor->own_log.dropped = dropped_of(monitor, MONITOR_SLOT);
	return true;
}

static bool make_children(struct monitor *monitor, struct error *error)
{
	size_t wanted = edges_wanted(monitor->config);

	if (!make_metrics(monitor, wanted, error) || !make_authority(monitor, error))
		return false;
	while (monitor->n_edges < wanted) {
		if (!make_edge(monitor, error))
			return false;
	}
	return true;
}

static bool make(struct monitor *monitor, struct error *error)
{
	monitor->base = event_base_new();
	if (monitor->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	return raise_limits(error) && make_ticket_key(monitor, error) &&
	       open_signals(monitor, error) && make_children(monitor, error) &&
	       listeners_open(&monitor->listeners, monitor->config, error);
}

static void event_free_any(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void clear(struct monitor *monitor)
{
	listeners_close(&monitor->listeners);
	for (size_t i = 0; i <= monitor->n_edges; i++)
		event_free_any(child_at(monitor, i)->again);
	event_free_any(monitor->signals);
	event_free_any(monitor->too_late);
	if (monitor->signal_fd >= 0)
		close(monitor->signal_fd);
	if (monitor->base != NULL)
		event_base_free(monitor->base);
	explicit_bzero(monitor->ticket_key, sizeof(monitor->ticket_key));
	metrics_free(monitor->metrics);
}

static void run(struct monitor *monitor)
{
	log_info(monitor->log, "node started", LOG_NUMBER("edges", (int64_t)monitor->n_edges),
		 LOG_TEXT("environment", monitor->config->environment));
	for (size_t i = 0; i <= monitor->n_edges; i++)
		start(child_at(monitor, i));
	event_base_dispatch(monitor->base);
	log_info(monitor->log, "node ended", LOG_NUMBER("status", monitor->status));
}

int monitor_run(const struct config *config, const struct log *log)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	struct error error = { 0 };
	int status = EXIT_FAILURE;

	if (monitor == NULL)
		return status;
	monitor->config = config;
	monitor->own_log = *log;
	monitor->log = &monitor->own_log;
	monitor->pid = getpid();
	monitor->signal_fd = -1;
	monitor->listeners.local_fd = -1;
	if (make(monitor, &error)) {
		run(monitor);
		status = monitor->status;
	} else {
		log_error(monitor->log, "the node cannot start", LOG_TEXT("why", error.detail));
	}
	clear(monitor);
	free(monitor);
	return status;
}
