/* SPDX-License-Identifier: Apache-2.0 */
#include "mark/keeper.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/workpool.h"

#define PACE_MS 1000
#define LATE_MS 10000
#define LOOK_MS 2000

/* One write is under way at a time; what changes meanwhile is the next. */
struct mark_keeper {
	struct work writing, looking; /* the pool hands them back */
	const struct log *log;
	struct workpool *pool;
	struct event *pace, *look;
	struct mark_file *file;

	struct mark mark;
	bool changed;	      /* since the last write began */
	int64_t unwritten_ms; /* the oldest change that is not on disk; 0: none */
	char why[sizeof(((struct error *)0)->detail)];

	bool is_writing;
	struct mark written; /* by the thread */
	struct error outcome;

	bool is_looking;
	struct mark seen; /* by the thread */
};

static struct mark_keeper *of(struct work *work)
{
	return (struct mark_keeper *)((char *)work - offsetof(struct mark_keeper, writing));
}

static struct mark_keeper *of_looking(struct work *work)
{
	return (struct mark_keeper *)((char *)work - offsetof(struct mark_keeper, looking));
}

static void write_after(struct mark_keeper *keeper, int ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(keeper->pace, &after);
}

static void note_change(struct mark_keeper *keeper)
{
	keeper->changed = true;
	if (keeper->unwritten_ms == 0)
		keeper->unwritten_ms = clock_running_ms();
	if (!keeper->is_writing && !event_pending(keeper->pace, EV_TIMEOUT, NULL))
		write_after(keeper, PACE_MS);
}

/* ---- writing ---- */

static void perform(struct work *work)
{
	struct mark_keeper *keeper = of(work);

	keeper->outcome = (struct error){ 0 };
	(void)!mark_file_write(keeper->file, &keeper->written, &keeper->outcome);
}

static void take_failure(struct mark_keeper *keeper)
{
	if (strcmp(keeper->why, keeper->outcome.detail) != 0)
		log_warning(keeper->log, "the mark is not written",
			    LOG_TEXT("reason", keeper->outcome.detail));
	snprintf(keeper->why, sizeof(keeper->why), "%s", keeper->outcome.detail);
	keeper->changed = true;
}

static void apply(struct work *work)
{
	struct mark_keeper *keeper = of(work);

	keeper->is_writing = false;
	if (keeper->outcome.kind != ERROR_NONE) {
		take_failure(keeper);
	} else {
		keeper->why[0] = '\0';
		keeper->unwritten_ms = keeper->changed ? clock_running_ms() : 0;
	}
	if (keeper->changed)
		write_after(keeper, PACE_MS);
}

static void on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct mark_keeper *keeper = arg;

	(void)fd;
	(void)what;
	if (keeper->is_writing || !keeper->changed)
		return;
	keeper->written = keeper->mark;
	keeper->changed = false;
	keeper->is_writing = true;
	if (!workpool_submit(keeper->pool, &keeper->writing)) {
		keeper->is_writing = false;
		note_change(keeper);
	}
}

/* ---- looking ---- */

static void look(struct work *work)
{
	struct mark_keeper *keeper = of_looking(work);

	mark_file_look(keeper->file, &keeper->seen);
}

/* What we have noted meanwhile may be higher again, or of another ledger. */
static void take_look(struct work *work)
{
	struct mark_keeper *keeper = of_looking(work);
	const struct mark *seen = &keeper->seen;

	keeper->is_looking = false;
	if (memcmp(seen->ledger, keeper->mark.ledger, sizeof(seen->ledger)) == 0 &&
	    memcmp(seen->jti, keeper->mark.jti, sizeof(seen->jti)) > 0)
		memcpy(keeper->mark.jti, seen->jti, sizeof(seen->jti));
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct mark_keeper *keeper = arg;

	(void)fd;
	(void)what;
	if (keeper->is_looking)
		return;
	keeper->seen = keeper->mark;
	keeper->is_looking = workpool_submit(keeper->pool, &keeper->looking);
}

/* ---- the contract ---- */

const struct mark *mark_keeper_mark(const struct mark_keeper *keeper)
{
	return &keeper->mark;
}

void mark_keeper_note_jti(struct mark_keeper *keeper, const uint8_t jti[16])
{
	memcpy(keeper->mark.jti, jti, sizeof(keeper->mark.jti));
	note_change(keeper);
}

void mark_keeper_note_ledger(struct mark_keeper *keeper, const uint8_t ledger[16])
{
	if (memcmp(keeper->mark.ledger, ledger, sizeof(keeper->mark.ledger)) == 0)
		return;
	memcpy(keeper->mark.ledger, ledger, sizeof(keeper->mark.ledger));
	note_change(keeper);
}

void mark_keeper_hurry(struct mark_keeper *keeper)
{
	if (keeper->changed && !keeper->is_writing)
		write_after(keeper, 0);
}

const char *mark_keeper_why_late(const struct mark_keeper *keeper)
{
	if (keeper->unwritten_ms == 0 || clock_running_ms() - keeper->unwritten_ms < LATE_MS)
		return NULL;
	return keeper->why[0] != '\0' ? keeper->why : "the disk of the mark does not answer";
}

static bool parts_make(struct mark_keeper *keeper, struct event_base *base, const char *folder,
		       struct error *error)
{
	static const struct timeval often = { .tv_sec = LOOK_MS / 1000 };

	keeper->file = mark_file_open(folder, &keeper->mark, error);
	if (keeper->file == NULL)
		return error_context(error, "state");
	keeper->pace = evtimer_new(base, on_pace, keeper);
	keeper->look = event_new(base, -1, EV_PERSIST, on_look, keeper);
	keeper->pool = workpool_new(base, 1, 2); /* one thread, one of each */
	return (keeper->pace != NULL && keeper->look != NULL && keeper->pool != NULL &&
		event_add(keeper->look, &often) == 0) ||
	       error_set(error, ERROR_UNAVAILABLE, "no memory for the mark");
}

struct mark_keeper *mark_keeper_new(struct event_base *base, const char *folder,
				    const struct log *log, struct error *error)
{
	struct mark_keeper *keeper = calloc(1, sizeof(*keeper));

	if (keeper == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the mark");
		return NULL;
	}
	keeper->log = log;
	keeper->writing.perform = perform;
	keeper->writing.apply = apply;
	keeper->looking.perform = look;
	keeper->looking.apply = take_look;
	if (parts_make(keeper, base, folder, error))
		return keeper;
	mark_keeper_free(keeper);
	return NULL;
}

static void write_the_last(struct mark_keeper *keeper)
{
	struct error error = { 0 };

	if (!mark_file_write(keeper->file, &keeper->mark, &error))
		log_error(keeper->log, "the last mark is not written",
			  LOG_TEXT("reason", error.detail));
}

void mark_keeper_free(struct mark_keeper *keeper)
{
	if (keeper == NULL)
		return;
	workpool_free(keeper->pool); /* waits for the write under way */
	if (keeper->pool != NULL && (keeper->changed || keeper->is_writing))
		write_the_last(keeper);
	if (keeper->pace != NULL)
		event_free(keeper->pace);
	if (keeper->look != NULL)
		event_free(keeper->look);
	mark_file_close(keeper->file);
	free(keeper);
}
