/* SPDX-License-Identifier: Apache-2.0 */
/* Time and libevent's events.  An event that has been taken back never fires: what is freed with it
 * is then seen by the sanitizer, as the callback would touch it. */
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "fuzz_connection.h"

#define EVENTS 64

struct fake {
	struct event *event; /* NULL: the place is free */
	event_callback_fn callback;
	void *arg;
	evutil_socket_t fd;
	bool owned; /* by event_new() */
	bool added, active;
	int64_t due_ms; /* of a timer; below 0: none */
};

static struct fake fakes[EVENTS];
static struct event owned[EVENTS];

int64_t world_ms;

int64_t clock_steady_ms(void)
{
	return world_ms;
}

int64_t clock_running_us(void)
{
	return world_ms * 1000;
}

int64_t clock_running_ms(void)
{
	return world_ms;
}

int64_t clock_unix_us(void)
{
	return world_ms * 1000;
}

void events_reset(void)
{
	memset(fakes, 0, sizeof(fakes));
	world_ms = 1000000;
}

static struct fake *fake_of(const struct event *event)
{
	for (size_t i = 0; i < EVENTS; i++)
		if (fakes[i].event == event)
			return &fakes[i];
	return NULL;
}

static void make(struct event *event, evutil_socket_t fd, event_callback_fn callback, void *arg,
		 bool is_owned)
{
	struct fake *fake = fake_of(event);

	if (fake == NULL)
		fake = fake_of(NULL);
	want(fake != NULL && !fake->added); /* libevent's own rule */
	*fake = (struct fake){ .event = event,
			       .callback = callback,
			       .arg = arg,
			       .fd = fd,
			       .owned = is_owned,
			       .due_ms = -1 };
}

int event_assign(struct event *event, struct event_base *base, evutil_socket_t fd, short what,
		 event_callback_fn callback, void *arg)
{
	(void)base;
	(void)what;
	make(event, fd, callback, arg, false);
	return 0;
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
			event_callback_fn callback, void *arg)
{
	struct event *event = NULL;

	(void)base;
	(void)what;
	for (size_t i = 0; i < EVENTS && event == NULL; i++)
		if (fake_of(&owned[i]) == NULL)
			event = &owned[i];
	want(event != NULL);
	make(event, fd, callback, arg, true);
	return event;
}

int event_add(struct event *event, const struct timeval *timeout)
{
	struct fake *fake = fake_of(event);

	want(fake != NULL);
	fake->added = true;
	if (timeout != NULL)
		fake->due_ms = world_ms + (int64_t)timeout->tv_sec * 1000 +
			       (timeout->tv_usec + 999) / 1000;
	return 0;
}

int event_del(struct event *event)
{
	struct fake *fake = fake_of(event);

	want(fake != NULL);
	fake->added = fake->active = false;
	fake->due_ms = -1;
	if (!fake->owned)
		fake->event = NULL; /* it may be freed now */
	return 0;
}

void event_free(struct event *event)
{
	want(fake_of(event) != NULL && fake_of(event)->owned);
	memset(fake_of(event), 0, sizeof(struct fake));
}

void event_active(struct event *event, int what, short n)
{
	(void)what;
	(void)n;
	want(fake_of(event) != NULL);
	fake_of(event)->active = true;
}

static void call(struct fake *fake, short what)
{
	fake->callback(fake->fd, what, fake->arg);
}

void events_turn(void)
{
	for (size_t i = 0; i < EVENTS; i++) {
		if (fakes[i].event == NULL || !fakes[i].active)
			continue;
		fakes[i].active = false;
		call(&fakes[i], EV_TIMEOUT);
		i = (size_t)-1; /* it may have made others active */
	}
}

void events_fire(int fd, short what)
{
	for (size_t i = 0; i < EVENTS; i++)
		if (fakes[i].event != NULL && fakes[i].added && fakes[i].fd == fd) {
			call(&fakes[i], what);
			break;
		}
	events_turn();
}

static struct fake *next_timer(int64_t until_ms)
{
	struct fake *first = NULL;

	for (size_t i = 0; i < EVENTS; i++)
		if (fakes[i].event != NULL && fakes[i].due_ms >= 0 && fakes[i].due_ms <= until_ms &&
		    (first == NULL || fakes[i].due_ms < first->due_ms))
			first = &fakes[i];
	return first;
}

void events_pass(int64_t ms)
{
	int64_t until_ms = world_ms + ms;
	struct fake *fake;

	while ((fake = next_timer(until_ms)) != NULL) {
		if (fake->due_ms > world_ms)
			world_ms = fake->due_ms;
		fake->due_ms = -1;
		fake->added = fake->fd >= 0;
		call(fake, EV_TIMEOUT);
		events_turn();
	}
	world_ms = until_ms;
}

bool events_are_gone(void)
{
	for (size_t i = 0; i < EVENTS; i++)
		if (fakes[i].event != NULL)
			return false;
	return true;
}
