/* SPDX-License-Identifier: Apache-2.0 */
#include "db/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/place.h"

#define CONNECT_MS   2000
#define WAIT_MIN_MS  250
#define WAIT_MAX_MS  500
#define KEYWORDS_MAX 64

enum state { DOWN, CONNECTING, GREETING, PREPARING, READY, WAITING };

struct db_link {
	enum state state;
	struct db_link_options options;
	PQconninfoOption *conninfo; /* as configured */
	char *settings;		    /* "options" of the connection */
	PGconn *pg;
	struct event *socket; /* while CONNECTING */
	struct event *timer;  /* the end of an attempt, or of the wait */
	struct event *losing; /* runs on_losing() in the next turn of the loop */
	struct error why;     /* of losing */
	struct db_pipeline *pipe;
	struct db_call greeting[2]; /* prepare, ask */
	struct db_call commit;
	struct db_call *preparing; /* one for each statement */
	int wait_ms;
};

/* What the connection has unless the conninfo says otherwise. */
static const struct {
	const char *keyword, *value;
} defaults[] = {
	{ "client_encoding", "UTF8" },
	{ "gssencmode", "disable" }, /* would look for credential caches */
	{ "keepalives", "1" },
	{ "keepalives_idle", "5" },
	{ "keepalives_interval", "1" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "2000" },
};

/* What every session has, whatever the conninfo says.  A plan made for parameters that were seen
 * once would be wrong for the next batch; the waits end before the owner's own deadline does. */
static const char session_settings[] = " -c default_transaction_isolation=read\\ committed"
				       " -c plan_cache_mode=force_generic_plan"
				       " -c enable_seqscan=off"
				       " -c enable_hashjoin=off"
				       " -c enable_mergejoin=off"
				       " -c jit=off"
				       " -c lock_timeout=1500"
				       " -c statement_timeout=1900"
				       " -c idle_in_transaction_session_timeout=2000"
				       " -c client_connection_check_interval=1000";

static void enter(struct db_link *link, enum state state);

/* ---- the conninfo ---- */

static const char *configured(const struct db_link *link, const char *keyword)
{
	for (const PQconninfoOption *option = link->conninfo; option->keyword != NULL; option++)
		if (strcmp(option->keyword, keyword) == 0)
			return option->val;
	return NULL;
}

static bool is_given(const char *value)
{
	return value != NULL && value[0] != '\0';
}

static bool settings_make(struct db_link *link, struct error *error)
{
	const char *own = configured(link, "options");

	if (asprintf(&link->settings, "%s%s", own == NULL ? "" : own, session_settings) < 0) {
		link->settings = NULL;
		return error_set(error, ERROR_UNAVAILABLE, "database: no memory");
	}
	return true;
}

static bool conninfo_parse(struct db_link *link, const char *conninfo, struct error *error)
{
	struct db_place place;

	if (!db_place_of(conninfo, &place, error))
		return false;
	link->conninfo = PQconninfoParse(conninfo, NULL);
	return link->conninfo == NULL ? error_set(error, ERROR_UNAVAILABLE, "database: no memory")
				      : settings_make(link, error);
}

struct keywords {
	const char *name[KEYWORDS_MAX + 1], *value[KEYWORDS_MAX + 1];
	int n;
};

/* libpq takes the last of two. */
static void keyword_add(struct keywords *keywords, const char *name, const char *value)
{
	if (!is_given(value) || keywords->n == KEYWORDS_MAX)
		return;
	keywords->name[keywords->n] = name;
	keywords->value[keywords->n++] = value;
}

static void keywords_collect(const struct db_link *link, struct keywords *keywords)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		keyword_add(keywords, defaults[i].keyword, defaults[i].value);
	for (const PQconninfoOption *option = link->conninfo; option->keyword != NULL; option++)
		keyword_add(keywords, option->keyword, option->val);
	keyword_add(keywords, "application_name", link->options.application_name);
	keyword_add(keywords, "options", link->settings);
}

/* ---- losing ---- */

static void result_forget(struct db_call *call)
{
	PQclear(call->result);
	call->result = NULL;
}

static void connection_close(struct db_link *link)
{
	event_del(link->socket);
	event_del(link->losing);
	db_pipeline_free(link->pipe); /* answers what is still queued */
	link->pipe = NULL;
	PQfinish(link->pg);
	link->pg = NULL;
	for (int i = 0; i < 2; i++)
		result_forget(&link->greeting[i]);
	for (struct db_call *call = link->preparing; call != NULL && call->statement != NULL;
	     call++)
		result_forget(call);
	free(link->preparing);
	link->preparing = NULL;
}

static void lose(struct db_link *link, const struct error *why)
{
	const struct error reason = *why; /* it may stand in what is closed now */

	enter(link, WAITING);
	link->options.on_lost(link->options.arg, &reason);
}

static void on_losing(evutil_socket_t fd, short what, void *arg)
{
	struct db_link *link = arg;

	(void)fd;
	(void)what;
	lose(link, &link->why);
}

/* From where the pipe must not be freed. */
static void lose_soon(struct db_link *link, const struct error *why)
{
	link->why = *why;
	event_active(link->losing, EV_TIMEOUT, 1);
}

static void on_pipe_lost(void *arg, const struct error *why)
{
	lose(arg, why);
}

static void lose_attempt(struct db_link *link)
{
	struct error error = { 0 };
	const char *message = link->pg == NULL ? "no memory" : PQerrorMessage(link->pg);

	error_set(&error, ERROR_UNAVAILABLE, "database: %.*s", (int)strcspn(message, "\n"),
		  message);
	lose(link, &error);
}

/* ---- the states ---- */

static void set_timer(struct db_link *link, int ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(link->timer, &after);
}

static void on_socket(evutil_socket_t fd, short what, void *arg);

static void watch(struct db_link *link, short what)
{
	struct event_base *base = link->options.base;

	event_assign(link->socket, base, PQsocket(link->pg), what, on_socket, link);
	event_add(link->socket, NULL);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct db_link *link = arg;

	(void)fd;
	(void)what;
	switch (PQconnectPoll(link->pg)) {
	case PGRES_POLLING_READING:
		watch(link, EV_READ);
		return;
	case PGRES_POLLING_WRITING:
		watch(link, EV_WRITE);
		return;
	case PGRES_POLLING_OK:
		enter(link, GREETING);
		return;
	default:
		lose_attempt(link);
	}
}

static void start_connecting(struct db_link *link)
{
	struct keywords keywords = { .n = 0 };

	keywords_collect(link, &keywords);
	link->pg = PQconnectStartParams(keywords.name, keywords.value, 0);
	if (link->pg == NULL || PQstatus(link->pg) == CONNECTION_BAD) {
		lose_attempt(link);
		return;
	}
	set_timer(link, CONNECT_MS);
	watch(link, EV_WRITE);
}

static void on_greeted(void *arg, const struct error *failure)
{
	struct db_link *link = arg;
	struct error error = *failure;

	if (error.kind == ERROR_NONE)
		link->options.on_greeting(link->options.arg, link->greeting[1].result, &error);
	if (error.kind == ERROR_NONE)
		enter(link, PREPARING);
	else
		lose_soon(link, &error);
}

static void start_greeting(struct db_link *link)
{
	const struct db_statement *greeting = link->options.greeting;

	link->pipe = db_pipeline_new(link->options.base, link->pg, on_pipe_lost, link);
	if (link->pipe == NULL) {
		lose_attempt(link);
		return;
	}
	for (int i = 0; i < 2; i++)
		link->greeting[i] = (struct db_call){ .statement = greeting };
	link->commit = (struct db_call){ .done = on_greeted, .arg = link };
	db_prepare(link->pipe, &link->greeting[0]);
	db_send(link->pipe, &link->greeting[1]);
	db_commit(link->pipe, &link->commit);
}

static size_t count(const struct db_statement *const *statements)
{
	size_t n = 0;

	while (statements[n] != NULL)
		n++;
	return n;
}

static void on_prepared(void *arg, const struct error *failure)
{
	struct db_link *link = arg;

	if (failure->kind == ERROR_NONE)
		enter(link, READY);
	else
		lose_soon(link, failure);
}

static void start_preparing(struct db_link *link)
{
	const struct db_statement *const *statements = link->options.statements;
	struct error error = { 0 };
	size_t n = count(statements);

	link->preparing = calloc(n + 1, sizeof(*link->preparing));
	if (link->preparing == NULL) {
		error_set(&error, ERROR_UNAVAILABLE, "database: no memory");
		lose_soon(link, &error);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		link->preparing[i].statement = statements[i];
		db_prepare(link->pipe, &link->preparing[i]);
	}
	link->commit = (struct db_call){ .done = on_prepared, .arg = link };
	db_commit(link->pipe, &link->commit);
}

static void be_ready(struct db_link *link)
{
	event_del(link->timer);
	link->wait_ms = WAIT_MIN_MS;
	link->options.on_ready(link->options.arg, link->pipe);
}

static void start_waiting(struct db_link *link)
{
	connection_close(link);
	set_timer(link, link->wait_ms);
	link->wait_ms = link->wait_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS : link->wait_ms * 2;
}

static void be_down(struct db_link *link)
{
	event_del(link->timer);
	connection_close(link);
}

static void (*const entries[])(struct db_link *link) = {
	[DOWN] = be_down,
	[CONNECTING] = start_connecting,
	[GREETING] = start_greeting,
	[PREPARING] = start_preparing,
	[READY] = be_ready,
	[WAITING] = start_waiting,
};

static void enter(struct db_link *link, enum state state)
{
	link->state = state;
	entries[state](link);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct db_link *link = arg;
	struct error error = { 0 };

	(void)fd;
	(void)what;
	if (link->state == WAITING || link->state == DOWN) {
		enter(link, CONNECTING);
		return;
	}
	error_set(&error, ERROR_UNAVAILABLE, "database: no connection within %d ms", CONNECT_MS);
	lose(link, &error);
}

/* ---- the contract ---- */

static bool events_make(struct db_link *link, struct error *error)
{
	struct event_base *base = link->options.base;

	link->socket = event_new(base, -1, 0, on_socket, link);
	link->timer = evtimer_new(base, on_timer, link);
	link->losing = event_new(base, -1, 0, on_losing, link);
	if (link->socket == NULL || link->timer == NULL || link->losing == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "database: no memory");
	return true;
}

struct db_link *db_link_new(const struct db_link_options *options, struct error *error)
{
	struct db_link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "database: no memory");
		return NULL;
	}
	link->options = *options;
	link->wait_ms = WAIT_MIN_MS;
	if (!events_make(link, error) || !conninfo_parse(link, options->conninfo, error)) {
		db_link_free(link);
		return NULL;
	}
	set_timer(link, 0);
	return link;
}

void db_link_break(struct db_link *link, const struct error *why)
{
	if (link->state != WAITING && link->state != DOWN)
		lose(link, why);
}

static void event_freep(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void db_link_free(struct db_link *link)
{
	if (link == NULL)
		return;
	if (link->losing != NULL && link->timer != NULL && link->socket != NULL)
		enter(link, DOWN);
	event_freep(link->socket);
	event_freep(link->timer);
	event_freep(link->losing);
	PQconninfoFree(link->conninfo);
	free(link->settings);
	free(link);
}
