/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigabbrev_np */
#include "children.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "generation.h"
#include "metrics/metrics.h"
#include "timing.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define SETTLED_MS     10000 /* alive so long, it has started well */

bool child_is_authority(const struct child *child)
{
	return child->number == AUTHORITY_SLOT;
}

/* ---- start, and start again ---- */

void child_start_later(struct child *child)
{
	timing_set(child->again, child->backoff_ms);
	child->backoff_ms *= 2;
	if (child->backoff_ms > BACKOFF_MAX_MS)
		child->backoff_ms = BACKOFF_MAX_MS;
}

static void take_process(struct child *child, pid_t pid, int control_fd)
{
	child->pid = pid;
	child->control_fd = control_fd;
	child->started_ms = clock_running_ms();
	child->times++;
	log_info(child->generation->log, "child started", LOG_TEXT("child", child->name),
		 LOG_NUMBER("child_pid", pid));
	pairs_give(child);
}

static void could_not_start(struct child *child, int cause)
{
	log_error(child->generation->log, "cannot start a child", LOG_TEXT("child", child->name),
		  LOG_TEXT("why", strerror(cause)));
	child_start_later(child);
}

void child_start(struct child *child)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		could_not_start(child, errno);
		return;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_main(child, pair[1]);
	close(pair[1]);
	if (pid > 0) {
		take_process(child, pid, pair[0]);
		return;
	}
	could_not_start(child, errno);
	close(pair[0]);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	child_start(arg);
}

/* ---- the end ---- */

static void close_control(struct child *child)
{
	if (child->control_fd >= 0)
		close(child->control_fd);
	child->control_fd = -1;
}

void child_dismiss(struct child *child)
{
	event_del(child->again);
	close_control(child);
}

bool child_has_settled(int64_t alive_ms)
{
	return alive_ms >= SETTLED_MS;
}

static void log_death(const struct child *child, int how, int64_t alive_ms)
{
	const struct generation *generation = child->generation;
	bool as_asked = generation->draining && WIFEXITED(how) && WEXITSTATUS(how) == 0;

	log_line_(generation->log, as_asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "child ended",
		  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid),
		  WIFSIGNALED(how) ? LOG_TEXT("signal", sigabbrev_np(WTERMSIG(how)))
				   : LOG_NUMBER("exit", WEXITSTATUS(how)),
		  LOG_NUMBER("alive_ms", alive_ms));
}

int64_t child_bury(struct child *child, int how)
{
	int64_t alive_ms = clock_running_ms() - child->started_ms;

	log_death(child, how, alive_ms);
	child->pid = 0;
	close_control(child);
	metrics_clear_gauges(child->generation->metrics, child->number);
	if (child_has_settled(alive_ms))
		child->backoff_ms = BACKOFF_MIN_MS;
	return alive_ms;
}

/* ---- a place ---- */

bool child_make(struct child *child, struct generation *generation, unsigned int number,
		struct error *error)
{
	*child = (struct child){
		.generation = generation,
		.number = number,
		.control_fd = -1,
		.backoff_ms = BACKOFF_MIN_MS,
	};
	if (child_is_authority(child))
		strcpy(child->name, "authority");
	else
		snprintf(child->name, sizeof(child->name), "edge-%u", number - AUTHORITY_SLOT);
	child->work = child_is_authority(child) ? authority_work : edge_work;
	child->again = evtimer_new(generation->base, on_again, child);
	return child->again != NULL || error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

void child_clear(struct child *child)
{
	if (child->again != NULL)
		event_free(child->again);
}
