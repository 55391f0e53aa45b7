/* SPDX-License-Identifier: Apache-2.0 */
#include "leader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "monitor_own.h"

/* ---- what it says ---- */

static void take_socket(struct leader *leader, const struct ipc_control_message *message)
{
	if (!sockets_add(&leader->sockets, message->text, message->fd))
		log_error(leader->monitor->log, "too many sockets",
			  LOG_NUMBER("generation", leader->number));
}

static void on_message(void *arg, const struct ipc_control_message *message)
{
	struct leader *leader = arg;

	leader->silent = 0;
	switch (message->kind) {
	case IPC_CONTROL_SOCKET:
		take_socket(leader, message);
		return;
	case IPC_CONTROL_READY:
	case IPC_CONTROL_NOT_READY:
		leader->stands = true;
		leader->ready = message->kind == IPC_CONTROL_READY;
		break;
	default:
		break;
	}
	if (message->fd >= 0)
		close(message->fd);
	memcpy(leader->why, message->text, sizeof(leader->why));
	monitor_heard(leader);
}

/* It ends, and that is seen by its death. */
static void on_end(void *arg)
{
	(void)arg;
}

/* ---- start ---- */

/* What it is given is sent before it is there to read. */
static bool give(int control_fd, enum leader_place place, const struct sockets *inherited,
		 struct error *error)
{
	return sockets_send(inherited, control_fd, error) &&
	       ipc_control_send(control_fd, IPC_CONTROL_START, NULL, -1, error) &&
	       (place != LEADER_SERVES ||
		ipc_control_send(control_fd, IPC_CONTROL_BEGIN, NULL, -1, error));
}

static pid_t fork_leader(const struct leader *leader, int control_fd)
{
	const struct monitor_options *options = leader->monitor->options;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		options->become(options->arg, leader->number, control_fd);
		_exit(EXIT_FAILURE);
	}
	return pid;
}

static bool start_process(struct leader *leader, const int pair[2], const struct sockets *inherited,
			  struct error *error)
{
	if (!give(pair[0], leader->place, inherited, error))
		return false;
	leader->control =
		ipc_control_new(leader->monitor->base, pair[0], on_message, on_end, leader);
	if (leader->control == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	leader->pid = fork_leader(leader, pair[1]);
	return leader->pid > 0 || error_set(error, ERROR_UNAVAILABLE, "fork: %s", strerror(errno));
}

static bool start(struct leader *leader, const struct sockets *inherited, struct error *error)
{
	int pair[2];
	bool started;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "socketpair: %s", strerror(errno));
	started = start_process(leader, pair, inherited, error);
	close(pair[1]);
	if (leader->control == NULL)
		close(pair[0]);
	return started;
}

struct leader *leader_start(struct monitor *monitor, unsigned int number, enum leader_place place,
			    const struct sockets *inherited, struct error *error)
{
	struct leader *leader = calloc(1, sizeof(*leader));

	if (leader == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	*leader = (struct leader){ .monitor = monitor,
				   .number = number,
				   .place = place,
				   .started_ms = clock_running_ms() };
	if (start(leader, inherited, error)) {
		log_info(monitor->log, "generation starts", LOG_NUMBER("generation", number),
			 LOG_NUMBER("child_pid", leader->pid));
		return leader;
	}
	leader_free(leader);
	return NULL;
}

/* ---- the end ---- */

void leader_free(struct leader *leader)
{
	ipc_control_free(leader->control);
	sockets_close(&leader->sockets);
	free(leader);
}

void leader_say(struct leader *leader, enum ipc_control_kind kind)
{
	struct error error = { 0 };

	if (leader->dismissed || ipc_control_say(leader->control, kind, NULL, -1, &error))
		return;
	log_error(leader->monitor->log, "a generation does not listen, and is killed",
		  LOG_NUMBER("generation", leader->number), LOG_TEXT("why", error.detail));
	kill(leader->pid, SIGKILL);
}

void leader_dismiss(struct leader *leader)
{
	leader->dismissed = true;
	ipc_control_end(leader->control);
}
