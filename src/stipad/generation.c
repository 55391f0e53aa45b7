/* SPDX-License-Identifier: Apache-2.0 */
#include "stipad/generation.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "generation_own.h"
#include "ipc/control.h"
#include "metrics/metrics.h"
#include "timing.h"

#define GRACE_MS 1000 /* after the drain timeout */

void generation_refuse(int control_fd, const char *why)
{
	struct error unsaid = { 0 };

	(void)!ipc_control_send(control_fd, IPC_CONTROL_CANNOT, why, -1, &unsaid);
}

/* ---- what the monitor hears ---- */

static bool everybody(const struct generation *generation, bool (*is_so)(const struct child *child))
{
	for (size_t i = 0; i < generation->n; i++) {
		if (!is_so(&generation->children[i]))
			return false;
	}
	return true;
}

static bool is_heard(const struct child *child)
{
	return child->heard;
}

/* NULL, or why this generation is not ready: in the words of the authority, if it has some. */
static const char *is_ready(void *arg)
{
	struct generation *generation = arg;

	for (size_t i = 0; i < generation->n; i++) {
		const struct child *child = &generation->children[i];

		if (child->ready)
			continue;
		snprintf(generation->why, sizeof(generation->why), "%s: %.200s", child->name,
			 child->pid == 0 ? "has ended" : child->why);
		return generation->why;
	}
	return NULL;
}

/* Nothing is said before all children live: whether they can is not known. */
void generation_heard(struct generation *generation)
{
	if (generation->tells) {
		ipc_control_tell(generation->monitor);
		return;
	}
	if (!everybody(generation, is_heard))
		return;
	generation->tells = ipc_control_beat(generation->monitor, is_ready);
}

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
	if (generation->leaving && !somebody_lives(generation))
		event_base_loopbreak(generation->base);
}

static void leave(struct generation *generation)
{
	generation->leaving = true;
	/* whoever comes now is others' guest, or shall be refused and go to another node */
	sockets_close(&generation->sockets);
	timing_set(generation->too_late, generation->config->drain_timeout_ms + GRACE_MS);
	leave_if_alone(generation);
}

/* The authority stays until its edges have ended. */
static void drain(struct generation *generation)
{
	if (generation->draining)
		return;
	generation->draining = true;
	for (size_t i = 0; i < generation->n; i++)
		child_dismiss(&generation->children[i]);
	leave(generation);
}

/* Others have taken over.  Edges that still have guests may have to be told to hurry: they keep
 * their control pairs. */
static void hand_over(struct generation *generation)
{
	if (generation->leaving)
		return;
	log_info(generation->log, "handing over");
	child_dismiss(&generation->children[0]);
	for (size_t i = 1; i < generation->n; i++) {
		child_is_last(&generation->children[i]);
		child_say(&generation->children[i], IPC_CONTROL_HAND_OVER, -1);
	}
	leave(generation);
}

static void begin(struct generation *generation)
{
	if (generation->begun || generation->leaving)
		return;
	generation->begun = true;
	for (size_t i = 1; i < generation->n; i++)
		child_say(&generation->children[i], IPC_CONTROL_BEGIN, -1);
}

void generation_on_message(void *arg, const struct ipc_control_message *message)
{
	struct generation *generation = arg;

	if (message->kind == IPC_CONTROL_BEGIN)
		begin(generation);
	else if (message->kind == IPC_CONTROL_HAND_OVER)
		hand_over(generation);
	else if (message->kind == IPC_CONTROL_REFUSED)
		meter_set(metrics_meter(generation->metrics, MONITOR_SLOT), METRIC_RELOAD_REFUSED,
			  1);
	else if (message->fd >= 0)
		close(message->fd);
}

void generation_on_end(void *arg)
{
	struct generation *generation = arg;

	log_info(generation->log, "draining");
	drain(generation);
}

void generation_on_late(evutil_socket_t fd, short what, void *arg)
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
	char why[IPC_CONTROL_TEXT];
	struct error unsaid = { 0 };

	snprintf(why, sizeof(why), "%s: %.200s", child->name,
		 child->why[0] == '\0' ? "cannot start" : child->why);
	log_error(generation->log, "a child cannot start: its generation ends",
		  LOG_TEXT("child", child->name), LOG_TEXT("why", child->why));
	(void)!ipc_control_say(generation->monitor, IPC_CONTROL_CANNOT, why, -1, &unsaid);
	generation->status = EXIT_FAILURE;
	drain(generation);
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

	if (generation->leaving)
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

static void reap(struct generation *generation)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		struct child *child = child_with(generation, pid);

		if (child != NULL)
			on_death(generation, child, how);
	}
}

/* Only deaths are ours; the signals of a terminal, and the operator's, are the monitor's. */
void generation_on_signal(void *arg, uint32_t signal_number)
{
	if (signal_number == SIGCHLD)
		reap(arg);
}

/* A child that has not sent what it had to say before it ended is not yet to be judged by that. */
void generation_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct generation *generation = arg;
	unsigned int silent_max = (unsigned int)(generation->config->hang_timeout_ms + 999) / 1000;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < generation->n; i++)
		child_tick(&generation->children[i], silent_max);
}

static void run(struct generation *generation)
{
	log_info(generation->log, "generation started",
		 LOG_NUMBER("edges", (int64_t)generation->n - 1),
		 LOG_TEXT("environment", generation->config->environment));
	for (size_t i = 0; i < generation->n; i++)
		child_start(&generation->children[i]);
	event_base_dispatch(generation->base);
}

int generation_run(const struct config *config, const struct log *log, int control_fd)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	struct error error = { 0 };
	int status = EXIT_FAILURE;

	if (generation == NULL)
		return status;
	generation->config = config;
	generation->own_log = *log;
	generation->log = &generation->own_log;
	generation->pid = getpid();
	generation->signals.fd = -1;
	generation->local_fd = -1;
	if (generation_make(generation, control_fd, &error)) {
		run(generation);
		status = generation->status;
	} else {
		log_error(log, "the generation cannot start", LOG_TEXT("why", error.detail));
		generation_refuse(control_fd, error.detail);
	}
	generation_clear(generation);
	free(generation);
	return status;
}
