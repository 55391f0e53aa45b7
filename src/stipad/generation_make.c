/* SPDX-License-Identifier: Apache-2.0 */
/* What a generation is made of. */
#define _GNU_SOURCE /* CPU_COUNT */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#include <event2/event.h>

#include "child.h"
#include "config/config.h"
#include "confine/privileges.h"
#include "edge/address_limits.h"
#include "generation_own.h"
#include "ipc/control.h"
#include "listeners.h"
#include "metrics/metrics.h"

#define INHERIT_MS 10000

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

/* Not on a disk that others may read; the edges lock their copies themselves. */
static bool make_ticket_key(struct generation *generation, struct error *error)
{
	if (mlock(generation->ticket_key, sizeof(generation->ticket_key)) != 0)
		log_warning(generation->log, "the key of session tickets may be swapped out",
			    LOG_TEXT("why", strerror(errno)));
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
	generation->limits = address_limits_for(generation->config);
	if (generation->limits == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no table of addresses");
	for (; generation->n < wanted; generation->n++) {
		if (!child_make(&generation->children[generation->n], generation,
				AUTHORITY_SLOT + (unsigned int)generation->n, error))
			return false;
	}
	return true;
}

static bool make_timers(struct generation *generation, struct error *error)
{
	static const struct timeval second = { .tv_sec = 1 };

	generation->too_late = evtimer_new(generation->base, generation_on_late, generation);
	generation->tick =
		event_new(generation->base, -1, EV_PERSIST, generation_on_tick, generation);
	return (generation->too_late != NULL && generation->tick != NULL &&
		event_add(generation->tick, &second) == 0) ||
	       error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

static bool make_control(struct generation *generation, int control_fd, struct error *error)
{
	generation->monitor = ipc_control_new(generation->base, control_fd, generation_on_message,
					      generation_on_end, generation);
	return generation->monitor != NULL || error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

/* What the generation before had: it comes first, up to START. */
static bool inherit(struct sockets *inherited, int control_fd, struct error *error)
{
	struct pollfd readable = { .fd = control_fd, .events = POLLIN };
	struct ipc_control_message message;

	while (poll(&readable, 1, INHERIT_MS) > 0) {
		if (ipc_control_receive(control_fd, &message) != IPC_CONTROL_GOT)
			break;
		if (message.kind == IPC_CONTROL_START)
			return true;
		if (message.kind == IPC_CONTROL_SOCKET)
			sockets_add(inherited, message.text, message.fd);
	}
	return error_set(error, ERROR_CANCELLED, "the monitor has gone");
}

static void sort_sockets(struct generation *generation)
{
	for (size_t i = 0; i < generation->sockets.n; i++) {
		const struct socket_named *item = &generation->sockets.item[i];

		if (socket_is_local(item))
			generation->local_fd = item->fd;
		else
			generation->listeners[generation->n_listeners++] = item->fd;
	}
}

static bool make_sockets(struct generation *generation, int control_fd, struct error *error)
{
	struct sockets inherited = { .n = 0 };
	bool made = inherit(&inherited, control_fd, error) &&
		    listeners_open(&generation->sockets, generation->config, &inherited, error);

	sockets_close(&inherited);
	if (!made)
		return false;
	sort_sockets(generation);
	return sockets_send(&generation->sockets, control_fd, error);
}

/* The monitor's fate is ours; if it has gone already, the control pair tells. */
static bool enter(struct error *error)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return error_set(error, ERROR_INTERNAL, "PR_SET_PDEATHSIG: %s", strerror(errno));
	return privileges_no_dumps(error) && privileges_none_new(error);
}

bool generation_make(struct generation *generation, int control_fd, struct error *error)
{
	generation->base = event_base_new();
	if (generation->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	return enter(error) && make_sockets(generation, control_fd, error) &&
	       signals_open(&generation->signals, generation->base, generation_on_signal,
			    generation, error) &&
	       make_timers(generation, error) && make_ticket_key(generation, error) &&
	       make_children(generation, error) && make_control(generation, control_fd, error);
}

void generation_clear(struct generation *generation)
{
	sockets_close(&generation->sockets);
	for (size_t i = 0; i < generation->n; i++)
		child_clear(&generation->children[i]);
	ipc_control_free(generation->monitor);
	if (generation->tick != NULL)
		event_free(generation->tick);
	if (generation->too_late != NULL)
		event_free(generation->too_late);
	signals_close(&generation->signals);
	if (generation->base != NULL)
		event_base_free(generation->base);
	explicit_bzero(generation->ticket_key, sizeof(generation->ticket_key));
	address_limits_free(generation->limits);
	metrics_free(generation->metrics);
}
