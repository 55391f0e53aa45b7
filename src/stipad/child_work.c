/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "authority/authority.h"
#include "child.h"
#include "children.h"
#include "config/config.h"
#include "edge/edge.h"
#include "generation_own.h"
#include "metrics/metrics.h"
#include "stipad/generation.h"

int edge_work(struct child *child, const struct log *log, int control_fd)
{
	const struct generation *generation = child->generation;
	struct edge_options options = {
		.config = generation->config,
		.log = log,
		.control_fd = control_fd,
		.limits = generation->limits,
		.metrics = generation->metrics,
		.meter = metrics_meter(generation->metrics, child->number),
		.waits = !generation->begun,
		.listeners = generation->listeners,
		.n_listeners = generation->n_listeners,
		.local_fd = generation->local_fd,
		.confined = true,
	};

	memcpy(options.ticket_key, generation->ticket_key, sizeof(options.ticket_key));
	return edge_run(&options);
}

int authority_work(struct child *child, const struct log *log, int control_fd)
{
	struct generation *generation = child->generation;
	const struct authority_options options = {
		.config = generation->config,
		.log = log,
		.control_fd = control_fd,
		.meter = metrics_meter(generation->metrics, child->number),
		.confined = true,
	};

	explicit_bzero(generation->ticket_key, sizeof(generation->ticket_key));
	return authority_run(&options);
}

/* Its loop, its database, threads' wake-up, an edge's stream and its successor's. */
#define AUTHORITY_DESCRIPTORS 1024

/* An edge keeps the listeners, the authority nothing but its control end. */
static struct child_start start_of(const struct child *child, int control_fd)
{
	const struct generation *generation = child->generation;
	const struct config *config = generation->config;
	struct child_start start = {
		.parent = generation->pid,
		.name = child->name,
		.user = child_is_authority(child) ? config->user_authority : config->user_edge,
		.descriptors = child_is_authority(child) ? AUTHORITY_DESCRIPTORS : 0,
		.threads = child_is_authority(child),
	};

	start.fds[start.n_fds++] = control_fd;
	if (generation->log->fd > 2)
		start.fds[start.n_fds++] = generation->log->fd;
	if (child_is_authority(child))
		return start;
	for (size_t i = 0; i < generation->sockets.n; i++)
		start.fds[start.n_fds++] = generation->sockets.item[i].fd;
	return start;
}

/* The event loop of the parent is not touched here: its kernel side is shared with the parent, and
 * goes with its descriptor. */
_Noreturn void child_main(struct child *child, int control_fd)
{
	const struct child_start start = start_of(child, control_fd);
	struct log log = *child->generation->log;
	struct error error = { 0 };

	memcpy(log.process, child->name, sizeof(log.process));
	log.dropped = generation_dropped(child->generation, child->number);
	if (!child_enter(&start, &error)) {
		log_error(&log, "cannot start", LOG_TEXT("why", error.detail));
		generation_refuse(control_fd, error.detail);
		exit(EXIT_FAILURE);
	}
	exit(child->work(child, &log, control_fd));
}
