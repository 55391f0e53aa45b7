/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/authority.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "confinement.h"
#include "crypto/locked_heap.h"
#include "db/desk.h"
#include "ipc/channel.h"
#include "ipc/control.h"
#include "issue/issuer.h"
#include "issue/schema.h"
#include "keys/signer.h"
#include "limits.h"
#include "mark/keeper.h"
#include "oauth/oauth.h"
#include "upkeep.h"

#define FLUSH_MS 100 /* for the last answers to leave */

struct authority {
	const struct authority_options *options;
	struct event_base *base;
	struct signer *signer;
	struct mark_keeper *mark;
	struct db_desk *desk;
	struct issuer *issuer;
	struct oauth *oauth;
	struct upkeep upkeep;
	struct limits *limits;
	struct ipc_server *server;
	struct ipc_control *control;
	struct event *patience; /* the end of draining */
	struct event *flushed;
	int edges;
	unsigned int works; /* not yet answered */
	bool draining, last_orders;
	char why_not[200]; /* it is not ready; empty: it is */
};

/* An order on its way through the process. */
struct work {
	struct authority *authority;
	struct ipc_ticket *ticket;
	union {
		struct answer issued;
		struct grant_answer granted;
		struct access_answer done;
	} answer;
};

/* ---- orders ---- */

static void flush_if_drained(struct authority *authority)
{
	const struct timeval after = { .tv_usec = FLUSH_MS * 1000 };

	if (authority->last_orders && authority->works == 0)
		event_add(authority->flushed, &after);
}

/* NULL: the ticket has been answered, with a failure. */
static struct work *work_new(struct authority *authority, struct ipc_ticket *ticket)
{
	struct work *work = authority->last_orders ? NULL : calloc(1, sizeof(*work));

	if (work == NULL) {
		ipc_answer_failed(ticket);
		return NULL;
	}
	work->authority = authority;
	work->ticket = ticket;
	authority->works++;
	return work;
}

static void work_free(struct work *work)
{
	work->authority->works--;
	flush_if_drained(work->authority);
	explicit_bzero(work, sizeof(*work)); /* it may have had an access token */
	free(work);
}

/* The answer says itself whether it failed. */
static void on_issued(void *arg, const struct error *error)
{
	struct work *work = arg;

	(void)error;
	ipc_answer(work->ticket, &work->answer.issued);
	work_free(work);
}

static void on_granted(void *arg, const struct error *error)
{
	struct work *work = arg;

	(void)error;
	ipc_answer_grant(work->ticket, &work->answer.granted);
	work_free(work);
}

static void on_done(void *arg, const struct error *error)
{
	struct work *work = arg;

	(void)error;
	ipc_answer_access(work->ticket, &work->answer.done);
	work_free(work);
}

/* ---- what is done with each kind of order ---- */

static void on_order(void *arg, const struct order *order, struct ipc_ticket *ticket)
{
	struct authority *authority = arg;
	struct work *work = work_new(authority, ticket);

	if (work == NULL)
		return;
	if (!limits_admit_order(authority->limits, order)) {
		work->answer.issued = (struct answer){ .verdict = VERDICT_RATE };
		on_issued(work, NULL);
		return;
	}
	issuer_order_start(authority->issuer, order, &work->answer.issued, on_issued, work);
}

static void on_grant(void *arg, const struct grant_order *order, struct ipc_ticket *ticket)
{
	struct authority *authority = arg;
	struct work *work = work_new(authority, ticket);

	if (work == NULL)
		return;
	if (!limits_admit_grant(authority->limits, order)) {
		work->answer.granted = (struct grant_answer){ .verdict = VERDICT_RATE };
		on_granted(work, NULL);
		return;
	}
	oauth_grant_start(authority->oauth, order, &work->answer.granted, on_granted, work);
}

static void on_login(void *arg, const struct login_order *order, struct ipc_ticket *ticket)
{
	struct authority *authority = arg;
	struct work *work = work_new(authority, ticket);

	if (work == NULL)
		return;
	if (!limits_admit_login(authority->limits, order)) {
		work->answer.granted = (struct grant_answer){ .verdict = VERDICT_RATE };
		on_granted(work, NULL);
		return;
	}
	oauth_login_start(authority->oauth, order, &work->answer.granted, on_granted, work);
}

static void on_revoke(void *arg, const struct revoke_order *order, struct ipc_ticket *ticket)
{
	struct authority *authority = arg;
	struct work *work = work_new(authority, ticket);

	if (work == NULL)
		return;
	if (!limits_admit_revocation(authority->limits, order)) {
		work->answer.done = (struct access_answer){ .verdict = VERDICT_RATE };
		on_done(work, NULL);
		return;
	}
	oauth_revoke_start(authority->oauth, order, &work->answer.done, on_done, work);
}

/* Anybody may report; the edges limit it by address. */
static void on_report(void *arg, const struct report_order *order, struct ipc_ticket *ticket)
{
	struct authority *authority = arg;
	struct work *work = work_new(authority, ticket);

	if (work != NULL)
		oauth_report_start(authority->oauth, order, &work->answer.done, on_done, work);
}

static const struct ipc_handlers handlers = {
	.on_order = on_order,
	.on_grant = on_grant,
	.on_login = on_login,
	.on_revoke = on_revoke,
	.on_report = on_report,
};

static void on_ready(void *arg, const char *why)
{
	struct authority *authority = arg;

	ipc_server_tell_ready(authority->server, why == NULL);
	snprintf(authority->why_not, sizeof(authority->why_not), "%s", why == NULL ? "" : why);
	if (authority->oauth != NULL)
		oauth_shut(authority->oauth, why);
	if (authority->control != NULL)
		ipc_control_tell(authority->control);
}

static const char *is_ready(void *arg)
{
	const struct authority *authority = arg;

	return authority->why_not[0] == '\0' ? NULL : authority->why_not;
}

/* ---- draining: the edges finish first, as long as they have time ---- */

static void on_flushed(evutil_socket_t fd, short what, void *arg)
{
	struct authority *authority = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(authority->base);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct authority *authority = arg;

	(void)fd;
	(void)what;
	authority->last_orders = true;
	flush_if_drained(authority);
}

static void set_patience(struct authority *authority)
{
	long ms = authority->edges > 0 ? authority->options->config->drain_timeout_ms : 0;
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(authority->patience, &after);
}

static void on_control_end(void *arg)
{
	struct authority *authority = arg;

	log_info(authority->options->log, "draining", LOG_NUMBER("edges", authority->edges));
	authority->draining = true;
	set_patience(authority);
}

static void on_edge(struct authority *authority, int fd)
{
	authority->edges++;
	ipc_server_attach(authority->server, fd);
}

static void on_message(void *arg, const struct ipc_control_message *message)
{
	if (message->kind == IPC_CONTROL_PEER)
		on_edge(arg, message->fd);
	else if (message->fd >= 0)
		close(message->fd);
}

static void on_edge_lost(void *arg, const struct error *why)
{
	struct authority *authority = arg;

	authority->edges--;
	log_info(authority->options->log, "an edge has gone", LOG_TEXT("reason", why->detail));
	if (authority->draining && authority->edges == 0)
		set_patience(authority);
}

/* ---- life ---- */

static bool desk_make(struct authority *authority, struct error *error)
{
	const struct db_desk_options options = {
		.base = authority->base,
		.conninfo = authority->options->config->database,
		.application_name = "stipad authority",
		.greeting = &schema_greeting,
		.on_greeting = schema_greeting_check,
	};

	authority->desk = db_desk_new(&options, error);
	return authority->desk != NULL;
}

static bool issuer_make(struct authority *authority, struct error *error)
{
	const struct issuer_options options = {
		.base = authority->base,
		.desk = authority->desk,
		.signer = authority->signer,
		.mark = authority->mark,
		.log = authority->options->log,
		.meter = authority->options->meter,
		.queue_max = (unsigned int)authority->options->config->orders_max,
		.on_ready = on_ready,
		.arg = authority,
	};

	authority->issuer = issuer_new(&options, error);
	return authority->issuer != NULL;
}

static bool oauth_make(struct authority *authority, struct error *error)
{
	const struct config *config = authority->options->config;
	const struct oauth_options options = {
		.base = authority->base,
		.desk = authority->desk,
		.log = authority->options->log,
		.meter = authority->options->meter,
		.environment = config->environment,
		.queue_max = (unsigned int)config->orders_max,
		.failures_per_user_min = (unsigned int)config->failures_per_user_min,
		.failures_per_user_burst = (unsigned int)config->failures_per_user_burst,
		.password_cpu_percent = (int)config->password_cpu_percent,
	};

	authority->oauth = oauth_new(&options, error);
	if (authority->oauth == NULL)
		return false;
	oauth_shut(authority->oauth, is_ready(authority)); /* until the issuer says more */
	return true;
}

static bool server_make(struct authority *authority, struct error *error)
{
	const struct authority_options *options = authority->options;

	authority->limits = limits_new(options->config, options->log, options->meter);
	authority->patience = evtimer_new(authority->base, on_patience, authority);
	authority->flushed = evtimer_new(authority->base, on_flushed, authority);
	authority->server = ipc_server_new(authority->base, &handlers, authority);
	if (authority->limits == NULL || authority->patience == NULL ||
	    authority->flushed == NULL || authority->server == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	ipc_server_set_meter(authority->server, options->meter);
	ipc_server_on_lost(authority->server, on_edge_lost, authority);
	return true;
}

/* Last: it brings the edges. */
static bool control_make(struct authority *authority, struct error *error)
{
	upkeep_add(&authority->upkeep, authority->desk, authority->options->log);
	authority->control = ipc_control_new(authority->base, authority->options->control_fd,
					     on_message, on_control_end, authority);
	return authority->control != NULL || error_set(error, ERROR_UNAVAILABLE, "no memory");
}

/* From here on it has started. */
static bool start_to_tell(struct authority *authority, struct error *error)
{
	return ipc_control_beat(authority->control, is_ready) ||
	       error_set(error, ERROR_UNAVAILABLE, "no memory");
}

static bool signer_make(struct authority *authority, struct error *error)
{
	const struct config *config = authority->options->config;

	if (!locked_heap_make(LOCKED_HEAP_BASE, error))
		return false;
	authority->signer =
		signer_open(authority->base, config->signer_key, config->signer_passphrase,
			    config->signer_certificate, error);
	return authority->signer != NULL;
}

static bool mark_make(struct authority *authority, struct error *error)
{
	const struct authority_options *options = authority->options;

	authority->mark =
		mark_keeper_new(authority->base, options->config->state, options->log, error);
	return authority->mark != NULL;
}

static bool authority_make(struct authority *authority, struct error *error)
{
	authority->base = event_base_new();
	if (authority->base == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no event loop");
	return signer_make(authority, error) && mark_make(authority, error) &&
	       server_make(authority, error) && desk_make(authority, error) &&
	       issuer_make(authority, error) && oauth_make(authority, error) &&
	       control_make(authority, error);
}

static void event_freep(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void authority_clear(struct authority *authority)
{
	ipc_control_free(authority->control);
	db_desk_free(authority->desk);	/* answers what waits */
	issuer_free(authority->issuer); /* and these what they do */
	oauth_free(authority->oauth);
	limits_free(authority->limits);
	ipc_server_free(authority->server);
	mark_keeper_free(authority->mark); /* after whoever notes in it */
	signer_free(authority->signer);
	event_freep(authority->patience);
	event_freep(authority->flushed);
	if (authority->base != NULL)
		event_base_free(authority->base);
}

/* The parent says it to the operator, if it is not the log that he reads. */
static void cannot_start(const struct authority_options *options, const struct error *error)
{
	struct error unsaid = { 0 };

	log_error(options->log, "the authority does not start", LOG_TEXT("reason", error->detail));
	(void)!ipc_control_send(options->control_fd, IPC_CONTROL_CANNOT, error->detail, -1,
				&unsaid);
}

/* The monitor ends us, by the control pair; a terminal's SIGINT goes to everybody. */
static void ignore_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

int authority_run(const struct authority_options *options)
{
	struct authority authority = { .options = options, .why_not = "starting" };
	struct error error = { 0 };
	bool made;

	ignore_signals();
	made = authority_make(&authority, &error) && authority_confine(options, &error) &&
	       start_to_tell(&authority, &error);
	if (made)
		event_base_dispatch(authority.base);
	else
		cannot_start(options, &error);
	authority_clear(&authority);
	return made ? EXIT_SUCCESS : EXIT_FAILURE;
}
