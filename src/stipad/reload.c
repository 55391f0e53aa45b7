/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One generation after the other.
 *
 *   start ──► serves ──► leaves ──► gone          serves: at most one
 *   start ──► comes ──► serves ──► leaves         comes: at most one, while another serves
 *                └► leaves (never ready)
 */
#define _GNU_SOURCE /* sigabbrev_np */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "monitor_own.h"
#include "timing.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define CALM_MS	       2000 /* alive so long, the next one need not wait longer */
#define READY_MS       20000
#define LEAVING_MAX    4 /* generations that still have guests; the oldest is told to hurry */

/* ---- what the service manager sees ---- */

void monitor_tell_status(struct monitor *monitor)
{
	const struct leader *serving = monitor->serving;
	char text[400];

	if (serving == NULL)
		snprintf(text, sizeof(text), "a generation has died, the next one starts");
	else if (serving->ready)
		snprintf(text, sizeof(text), "generation %u serves", serving->number);
	else
		snprintf(text, sizeof(text), "generation %u serves, but cannot issue: %s",
			 serving->number, serving->why);
	if (strcmp(text, monitor->told) == 0)
		return;
	memcpy(monitor->told, text, sizeof(monitor->told));
	notify_status(&monitor->notify, text);
}

/* ---- start ---- */

static struct leader *start(struct monitor *monitor, enum leader_place place,
			    const struct sockets *inherited, struct error *error)
{
	struct leader *leader = leader_start(monitor, monitor->number + 1, place, inherited, error);

	if (leader == NULL)
		return NULL;
	monitor->number++;
	LIST_INSERT_HEAD(&monitor->leaders, leader, link);
	return leader;
}

static void start_later(struct monitor *monitor)
{
	timing_set(monitor->again, monitor->backoff_ms);
	monitor->backoff_ms *= 2;
	if (monitor->backoff_ms > BACKOFF_MAX_MS)
		monitor->backoff_ms = BACKOFF_MAX_MS;
}

void monitor_start(struct monitor *monitor)
{
	struct error error = { 0 };

	event_del(monitor->again);
	monitor->serving = start(monitor, LEADER_SERVES, &monitor->estate, &error);
	if (monitor->serving != NULL)
		return;
	log_error(monitor->log, "cannot start a generation", LOG_TEXT("why", error.detail));
	start_later(monitor);
}

/* ---- reload ---- */

static void refuse(struct monitor *monitor, unsigned int number, const char *why)
{
	char text[400];

	log_error(monitor->log, "the new generation is refused, the old one serves on",
		  LOG_NUMBER("generation", number), LOG_TEXT("why", why));
	snprintf(text, sizeof(text), "generation %u refused: %s", number, why);
	memcpy(monitor->told, text, sizeof(monitor->told));
	notify_ready(&monitor->notify, text);
	if (monitor->serving != NULL)
		leader_say(monitor->serving, IPC_CONTROL_REFUSED);
}

static void next_reload(struct monitor *monitor)
{
	bool once_more = monitor->once_more;

	monitor->once_more = false;
	if (once_more)
		monitor_reload(monitor);
}

void monitor_reload(struct monitor *monitor)
{
	struct error error = { 0 };

	if (monitor->draining)
		return;
	if (monitor->serving == NULL) { /* there is nothing to keep */
		monitor->backoff_ms = BACKOFF_MIN_MS;
		monitor_start(monitor);
		return;
	}
	if (monitor->coming != NULL || !monitor->serving->stands) {
		monitor->once_more = true; /* what comes may have read too early */
		return;
	}
	notify_reloading(&monitor->notify, "reloading");
	log_info(monitor->log, "reloading", LOG_NUMBER("generation", monitor->number + 1));
	monitor->coming = start(monitor, LEADER_COMES, &monitor->serving->sockets, &error);
	if (monitor->coming == NULL)
		refuse(monitor, monitor->number + 1, error.detail);
	else
		timing_set(monitor->given_up,
			   monitor->options->ready_ms > 0 ? monitor->options->ready_ms : READY_MS);
}

static void hurry_the_oldest(struct monitor *monitor)
{
	struct leader *leader, *oldest = NULL;
	unsigned int n = 0;

	LIST_FOREACH(leader, &monitor->leaders, link)
	{
		if (leader->place != LEADER_LEAVES || leader->dismissed)
			continue;
		oldest = leader; /* new ones stand at the head */
		n++;
	}
	if (n > LEAVING_MAX)
		leader_dismiss(oldest);
}

/* First it accepts, then the other stops: the sockets are the same. */
static void take_over(struct leader *leader)
{
	struct monitor *monitor = leader->monitor;
	struct leader *old = monitor->serving;

	event_del(monitor->given_up);
	event_del(monitor->again);
	monitor->coming = NULL;
	monitor->serving = leader;
	leader->place = LEADER_SERVES;
	leader_say(leader, IPC_CONTROL_BEGIN);
	if (old != NULL) {
		old->place = LEADER_LEAVES;
		sockets_remove(&old->sockets, &leader->sockets);
		leader_say(old, IPC_CONTROL_HAND_OVER);
	}
	sockets_remove(&monitor->estate, &leader->sockets);
	hurry_the_oldest(monitor);
	log_info(monitor->log, "generation serves", LOG_NUMBER("generation", leader->number));
	notify_ready(&monitor->notify, NULL);
	monitor_tell_status(monitor);
	next_reload(monitor);
}

/* It has bound what the others do not have: that goes with it. */
static void turn_away(struct leader *leader, const char *why)
{
	struct monitor *monitor = leader->monitor;
	const struct leader *serving = monitor->serving;

	event_del(monitor->given_up);
	monitor->coming = NULL;
	leader->place = LEADER_LEAVES;
	sockets_remove(&leader->sockets, serving == NULL ? &monitor->estate : &serving->sockets);
	leader_dismiss(leader);
	refuse(monitor, leader->number, why);
	next_reload(monitor);
}

void monitor_give_up(struct monitor *monitor)
{
	char why[IPC_CONTROL_TEXT + 32];

	if (monitor->coming == NULL)
		return;
	snprintf(why, sizeof(why), "not ready in time: %s", monitor->coming->why);
	turn_away(monitor->coming, why);
}

/* ---- what generations say ---- */

static void first_heard(struct leader *leader)
{
	struct monitor *monitor = leader->monitor;

	sockets_remove(&monitor->estate, &leader->sockets);
	if (!monitor->stood)
		notify_ready(&monitor->notify, NULL);
	monitor->stood = true;
	next_reload(monitor);
}

void monitor_heard(struct leader *leader)
{
	struct monitor *monitor = leader->monitor;

	if (leader->place == LEADER_COMES && leader->stands && leader->ready) {
		take_over(leader);
	} else if (leader->place == LEADER_SERVES && leader->stands) {
		monitor_tell_status(monitor);
		if (!leader->greeted)
			first_heard(leader);
		leader->greeted = true;
	}
}

/* ---- deaths ---- */

static void log_death(const struct leader *leader, int how)
{
	const struct monitor *monitor = leader->monitor;
	bool as_asked = leader->place == LEADER_LEAVES || monitor->draining;
	bool well = as_asked && WIFEXITED(how) && WEXITSTATUS(how) == 0;

	log_line_(monitor->log, well ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "generation ended",
		  LOG_NUMBER("generation", leader->number), LOG_NUMBER("child_pid", leader->pid),
		  WIFSIGNALED(how) ? LOG_TEXT("signal", sigabbrev_np(WTERMSIG(how)))
				   : LOG_NUMBER("exit", WEXITSTATUS(how)));
}

static const char *cause_of(const struct leader *leader)
{
	return leader->why[0] == '\0' ? "it ended" : leader->why;
}

static void end_the_node(struct leader *leader)
{
	struct monitor *monitor = leader->monitor;

	log_error(monitor->log, "the node cannot start", LOG_TEXT("why", cause_of(leader)));
	notify_status(&monitor->notify, cause_of(leader));
	monitor->status = EXIT_FAILURE;
	monitor_drain(monitor);
}

/* Its sockets wait for the next one, and who comes waits with them. */
static void replace(struct leader *leader)
{
	struct monitor *monitor = leader->monitor;

	sockets_move(&monitor->estate, &leader->sockets);
	if (clock_running_ms() - leader->started_ms >= CALM_MS)
		monitor->backoff_ms = BACKOFF_MIN_MS;
	monitor_tell_status(monitor);
	start_later(monitor);
}

static bool somebody_lives(const struct monitor *monitor)
{
	return !LIST_EMPTY(&monitor->leaders);
}

static void leave_if_alone(struct monitor *monitor)
{
	if (monitor->draining && !somebody_lives(monitor))
		event_base_loopbreak(monitor->base);
}

static void mourn(struct leader *leader, int how)
{
	struct monitor *monitor = leader->monitor;

	if (monitor->serving == leader)
		monitor->serving = NULL;
	if (monitor->draining) {
		/* one that was still starting has lost nothing */
		if (leader->stands && (!WIFEXITED(how) || WEXITSTATUS(how) != 0))
			monitor->status = EXIT_FAILURE;
		sockets_remove(&leader->sockets, NULL); /* what it bound when we had closed all */
	} else if (leader->place == LEADER_COMES) {
		turn_away(leader, cause_of(leader));
	} else if (leader->place == LEADER_SERVES && !monitor->stood && WIFEXITED(how)) {
		end_the_node(leader);
	} else if (leader->place == LEADER_SERVES) {
		replace(leader);
	}
}

void monitor_bury(struct leader *leader, int how)
{
	struct monitor *monitor = leader->monitor;

	ipc_control_hear_out(leader->control);
	log_death(leader, how);
	LIST_REMOVE(leader, link);
	mourn(leader, how);
	leader_free(leader);
	leave_if_alone(monitor);
}

/* ---- the end ---- */

void monitor_drain(struct monitor *monitor)
{
	struct leader *leader;

	if (monitor->draining)
		return;
	monitor->draining = true;
	event_del(monitor->again);
	event_del(monitor->given_up);
	notify_stopping(&monitor->notify, "draining");
	/* whoever comes now shall be refused, and go to another node, not wait for nothing */
	sockets_remove(&monitor->estate, NULL);
	LIST_FOREACH(leader, &monitor->leaders, link)
	{
		sockets_remove(&leader->sockets, NULL);
		leader_dismiss(leader);
	}
	leave_if_alone(monitor);
}
