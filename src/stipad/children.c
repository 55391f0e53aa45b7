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
#include "generation_own.h"
#include "metrics/metrics.h"
#include "timing.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define CALM_MS	       2000  /* alive so long, the next one need not wait longer */
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

static void on_message(void *arg, const struct ipc_control_message *message)
{
	struct child *child = arg;

	if (message->fd >= 0)
		close(message->fd); /* it has none to give */
	child->silent = 0;
	child->ready = message->kind == IPC_CONTROL_READY;
	child->heard = child->heard || child->ready || message->kind == IPC_CONTROL_NOT_READY;
	memcpy(child->why, message->text, sizeof(child->why));
	generation_heard(child->generation);
}

/* It ends, and is buried when it has. */
static void on_end(void *arg)
{
	(void)arg;
}

static void take_process(struct child *child, pid_t pid, int control_fd)
{
	child->pid = pid;
	child->heard = child->ready = false;
	child->silent = 0;
	child->why[0] = '\0';
	child->control =
		ipc_control_new(child->generation->base, control_fd, on_message, on_end, child);
	if (child->control == NULL) {
		close(control_fd);
		kill(pid, SIGKILL);
	}
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
	ipc_control_free(child->control);
	child->control = NULL;
}

void child_say(struct child *child, enum ipc_control_kind kind, int take_fd)
{
	struct error error = { 0 };

	if (child->control == NULL || child->dismissed) {
		if (take_fd >= 0)
			close(take_fd);
		return;
	}
	if (ipc_control_say(child->control, kind, NULL, take_fd, &error))
		return;
	log_error(child->generation->log, "a child does not listen, and is killed",
		  LOG_TEXT("child", child->name), LOG_TEXT("why", error.detail));
	kill(child->pid, SIGKILL);
}

void child_is_last(struct child *child)
{
	event_del(child->again);
}

void child_dismiss(struct child *child)
{
	child_is_last(child);
	if (child->control != NULL)
		ipc_control_end(child->control);
	child->dismissed = true;
}

/* Ticks are counted, not time: where this process stood still, its children may have too. */
void child_tick(struct child *child, unsigned int silent_max)
{
	if (child->pid == 0 || child->control == NULL || silent_max == 0 ||
	    ++child->silent <= silent_max)
		return;
	log_error(child->generation->log, "a child hangs, and is killed",
		  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid));
	kill(child->pid, SIGKILL);
}

bool child_has_settled(int64_t alive_ms)
{
	return alive_ms >= SETTLED_MS;
}

static void log_death(const struct child *child, int how, int64_t alive_ms)
{
	const struct generation *generation = child->generation;
	bool as_asked = generation->leaving && WIFEXITED(how) && WEXITSTATUS(how) == 0;

	log_line_(generation->log, as_asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "child ended",
		  LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid),
		  WIFSIGNALED(how) ? LOG_TEXT("signal", sigabbrev_np(WTERMSIG(how)))
				   : LOG_NUMBER("exit", WEXITSTATUS(how)),
		  LOG_NUMBER("alive_ms", alive_ms));
}

int64_t child_bury(struct child *child, int how)
{
	int64_t alive_ms = clock_running_ms() - child->started_ms;

	if (child->control != NULL)
		ipc_control_hear_out(child->control);
	log_death(child, how, alive_ms);
	child->pid = 0;
	child->ready = false;
	close_control(child);
	metrics_clear_gauges(child->generation->metrics, child->number);
	if (alive_ms >= CALM_MS)
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
