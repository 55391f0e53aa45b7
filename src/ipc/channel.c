/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/clock.h"
#include "stream.h"

/* An order that waits.  It stands in the table of slots for as long as the authority may answer
 * it; the id that goes with it is slot and generation, so that an answer which comes after its
 * order was given up finds nobody, even when the slot has a new order. */
struct slot {
	TAILQ_ENTRY(slot) link; /* of idle, sent or failed */
	uint32_t generation;
	void *extra; /* itself, when not of the table: an order that failed for want of a slot */
	int64_t due_ms;
	enum ipc_kind wanted; /* kind of the answer */
	void *answer;
	done_fn done;
	void *arg;
	struct error error; /* of a failed one */
};

TAILQ_HEAD(slots, slot);

struct ipc_channel {
	struct event_base *base;
	struct ipc_stream stream;
	bool ready;	  /* as it said last */
	int64_t heard_ms; /* when it said anything last */

	struct slots idle;
	struct slots sent;   /* in the order of their deadlines */
	struct slots failed; /* to be told from the loop */
	unsigned int pending;
	struct event *deadline; /* of the first that was sent */
	struct event *failing;
	bool telling; /* the failed are being told */
	bool dying;   /* one of them has freed the channel */

	unsigned int answer_ms;
	unsigned int silence_ms;
	ipc_lost_fn on_lost;
	void *on_lost_arg;
	void (*on_ready)(void *arg);
	void *on_ready_arg;

	unsigned int slots_max;
	struct slot slots[];
};

/* ---- slots ---- */

static uint64_t slot_id(const struct ipc_channel *channel, const struct slot *slot)
{
	return (uint64_t)slot->generation << 32 | (uint64_t)(slot - channel->slots);
}

/* The order that @id was given to, or NULL when it does not wait any more. */
static struct slot *slot_waiting(struct ipc_channel *channel, uint64_t id)
{
	uint32_t n = (uint32_t)id;
	struct slot *slot;

	if (n >= channel->slots_max)
		return NULL;
	slot = &channel->slots[n];
	return slot->generation == id >> 32 && slot->done != NULL && slot->error.kind == ERROR_NONE
		       ? slot
		       : NULL;
}

static struct slot *slot_take(struct ipc_channel *channel)
{
	struct slot *slot = TAILQ_FIRST(&channel->idle);

	if (slot == NULL)
		return NULL;
	TAILQ_REMOVE(&channel->idle, slot, link);
	channel->pending++;
	return slot;
}

/* A slot for an order that has failed already.  Without memory for that this process cannot keep
 * the promise of a done_fn, and ends. */
static struct slot *slot_take_any(struct ipc_channel *channel)
{
	struct slot *slot = slot_take(channel);

	if (slot != NULL)
		return slot;
	slot = calloc(1, sizeof(*slot));
	if (slot == NULL)
		abort();
	slot->extra = slot;
	return slot;
}

/* Off its list and back to the idle ones. */
static void slot_give_back(struct ipc_channel *channel, struct slot *slot)
{
	if (slot->extra != NULL) {
		free(slot->extra);
		return;
	}
	slot->generation++;
	slot->done = NULL;
	slot->error = (struct error){ 0 };
	channel->pending--;
	/* at the end, so that generations of one slot lie far apart */
	TAILQ_INSERT_TAIL(&channel->idle, slot, link);
}

/* ---- failures ---- */

static void fail(struct ipc_channel *channel, struct slot *slot, const struct error *why)
{
	slot->error = *why;
	TAILQ_INSERT_TAIL(&channel->failed, slot, link);
	event_active(channel->failing, 0, 0);
}

static void fail_sent(struct ipc_channel *channel, const struct error *why)
{
	struct slot *slot;

	while ((slot = TAILQ_FIRST(&channel->sent)) != NULL) {
		TAILQ_REMOVE(&channel->sent, slot, link);
		fail(channel, slot, why);
	}
	event_del(channel->deadline);
}

/* Tell those who stand on the list of the failed now; who fails meanwhile has the next turn, so
 * that one who tries again at once does not hold the loop. */
static void tell_failed(struct ipc_channel *channel)
{
	const struct slot *last = TAILQ_LAST(&channel->failed, slots);
	struct slot *slot = NULL;

	channel->telling = true;
	while (slot != last) {
		struct slot told;

		slot = TAILQ_FIRST(&channel->failed);
		told = *slot;
		TAILQ_REMOVE(&channel->failed, slot, link);
		slot_give_back(channel, slot);
		told.done(told.arg, &told.error);
	}
	channel->telling = false;
}

static void on_failing(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_channel *channel = arg;

	(void)fd;
	(void)what;
	tell_failed(channel);
	if (channel->dying)
		ipc_channel_free(channel);
}

/* ---- deadlines ---- */

static void deadline_arm(struct ipc_channel *channel, int64_t now)
{
	const struct slot *first = TAILQ_FIRST(&channel->sent);
	struct timeval after;
	int64_t left;

	if (first == NULL || evtimer_pending(channel->deadline, NULL))
		return;
	left = first->due_ms > now ? first->due_ms - now : 0;
	after = (struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
	evtimer_add(channel->deadline, &after);
}

/* Armed for an order that may have been answered since; those that are due come first. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_channel *channel = arg;
	int64_t now = clock_running_ms();
	struct error error = { 0 };
	struct slot *slot;

	(void)fd;
	(void)what;
	error_set(&error, ERROR_UNAVAILABLE, "the authority has not answered within %u ms",
		  channel->answer_ms);
	while ((slot = TAILQ_FIRST(&channel->sent)) != NULL && slot->due_ms <= now) {
		TAILQ_REMOVE(&channel->sent, slot, link);
		fail(channel, slot, &error);
	}
	deadline_arm(channel, now);
}

/* ---- what the authority says ---- */

static void end_stream(struct ipc_channel *channel, const struct error *why)
{
	channel->ready = false;
	fail_sent(channel, why);
	if (channel->on_lost != NULL)
		channel->on_lost(channel->on_lost_arg, why);
}

static void take_answer(struct ipc_channel *channel, struct slot *slot, const void *answer)
{
	struct error error = { 0 };
	done_fn done = slot->done;
	void *arg = slot->arg;

	memcpy(slot->answer, answer, ipc_kind_size(slot->wanted));
	if (ipc_answer_has_failed(slot->wanted, answer))
		error_set(&error, ERROR_UNAVAILABLE, "the authority cannot do it now");
	TAILQ_REMOVE(&channel->sent, slot, link);
	slot_give_back(channel, slot);
	done(arg, &error);
}

/* One that comes too late finds nobody. */
static void find_and_answer(struct ipc_channel *channel, const struct ipc_message *message)
{
	struct slot *slot = slot_waiting(channel, message->header.id);
	struct error error = { 0 };

	if (slot == NULL)
		return;
	if (slot->wanted == message->header.kind) {
		take_answer(channel, slot, &message->body);
		return;
	}
	error_set(&error, ERROR_INVALID, "an answer of kind %u to an order that wants %u",
		  message->header.kind, slot->wanted);
	ipc_stream_close(&channel->stream);
	end_stream(channel, &error);
}

static void take_status(struct ipc_channel *channel, bool ready)
{
	bool changed = channel->ready != ready;

	channel->ready = ready;
	if (changed && channel->on_ready != NULL)
		channel->on_ready(channel->on_ready_arg);
}

static void on_message(void *arg, const struct ipc_message *message)
{
	struct ipc_channel *channel = arg;

	channel->heard_ms = clock_running_ms();
	if (message->header.kind == IPC_STATUS)
		take_status(channel, message->body.status.ready);
	else
		find_and_answer(channel, message);
}

static void on_end(void *arg, const struct error *why)
{
	end_stream(arg, why);
}

/* ---- orders ---- */

static bool is_heard(const struct ipc_channel *channel)
{
	return ipc_stream_is_open(&channel->stream) &&
	       clock_running_ms() - channel->heard_ms < channel->silence_ms;
}

bool ipc_channel_is_ready(const struct ipc_channel *channel)
{
	return channel->ready && is_heard(channel);
}

static bool may_send(const struct ipc_channel *channel, enum ipc_kind kind,
		     const union ipc_body *order, struct error *error)
{
	if (!ipc_body_check(kind, order, error)) {
		error->kind = ERROR_INTERNAL;
		return error_context(error, "order");
	}
	if (!ipc_stream_is_open(&channel->stream))
		return error_set(error, ERROR_UNAVAILABLE, "there is no authority");
	if (!is_heard(channel))
		return error_set(error, ERROR_UNAVAILABLE, "the authority is silent");
	if (TAILQ_EMPTY(&channel->idle))
		return error_set(error, ERROR_UNAVAILABLE, "%u orders wait for the authority",
				 channel->slots_max);
	if (ipc_stream_unread(&channel->stream) > channel->stream.unread_max)
		return error_set(error, ERROR_UNAVAILABLE, "the authority does not read");
	return true;
}

static bool send_order(struct ipc_channel *channel, enum ipc_kind kind, struct slot *slot,
		       const union ipc_body *order, struct error *error)
{
	struct ipc_header header = { .kind = kind,
				     .size = (uint32_t)ipc_kind_size(kind),
				     .id = slot_id(channel, slot) };
	int64_t now = clock_running_ms();

	if (!ipc_stream_send(&channel->stream, &header, order))
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	slot->due_ms = now + channel->answer_ms;
	TAILQ_INSERT_TAIL(&channel->sent, slot, link);
	deadline_arm(channel, now);
	return true;
}

/* @body is tidied and sent. */
static void start(struct ipc_channel *channel, enum ipc_kind kind, union ipc_body *body,
		  void *answer, done_fn done, void *arg)
{
	struct error error = { 0 };
	bool may;
	struct slot *slot;

	ipc_body_tidy(kind, body);
	may = may_send(channel, kind, body, &error);
	slot = may ? slot_take(channel) : slot_take_any(channel);
	/* analyzer: may_send says that one is free, and any other is made or ends the process */
	slot->wanted = ipc_kind_answer(kind);
	slot->answer = answer;
	slot->done = done;
	slot->arg = arg;
	if (!may || !send_order(channel, kind, slot, body, &error))
		fail(channel, slot, &error);
	/* analyzer: the channel has the slot until its answer */
}

void ipc_order_start(struct ipc_channel *channel, const struct order *order, struct answer *answer,
		     done_fn done, void *arg)
{
	start(channel, IPC_ORDER, &(union ipc_body){ .order = *order }, answer, done, arg);
}

void ipc_grant_start(struct ipc_channel *channel, const struct grant_order *order,
		     struct grant_answer *answer, done_fn done, void *arg)
{
	start(channel, IPC_GRANT, &(union ipc_body){ .grant = *order }, answer, done, arg);
}

void ipc_login_start(struct ipc_channel *channel, const struct login_order *order,
		     struct grant_answer *answer, done_fn done, void *arg)
{
	union ipc_body body = { .login = *order };

	start(channel, IPC_LOGIN, &body, answer, done, arg);
	explicit_bzero(&body, sizeof(body));
}

void ipc_revoke_start(struct ipc_channel *channel, const struct revoke_order *order,
		      struct access_answer *answer, done_fn done, void *arg)
{
	start(channel, IPC_REVOKE, &(union ipc_body){ .revoke = *order }, answer, done, arg);
}

void ipc_report_start(struct ipc_channel *channel, const struct report_order *order,
		      struct access_answer *answer, done_fn done, void *arg)
{
	start(channel, IPC_REPORT, &(union ipc_body){ .report = *order }, answer, done, arg);
}

/* ---- life ---- */

void ipc_channel_attach(struct ipc_channel *channel, int fd)
{
	struct error error = { 0 };

	ipc_stream_close(&channel->stream);
	channel->ready = false;
	error_set(&error, ERROR_UNAVAILABLE, "the authority was replaced");
	fail_sent(channel, &error);
	channel->heard_ms = clock_running_ms();
	if (!ipc_stream_open(&channel->stream, channel->base, fd))
		abort(); /* a channel that will never have a peer */
}

void ipc_channel_set_times(struct ipc_channel *channel, unsigned int answer_ms,
			   unsigned int silence_ms)
{
	channel->answer_ms = answer_ms;
	channel->silence_ms = silence_ms;
}

void ipc_channel_on_lost(struct ipc_channel *channel, ipc_lost_fn on_lost, void *arg)
{
	channel->on_lost = on_lost;
	channel->on_lost_arg = arg;
}

void ipc_channel_on_ready(struct ipc_channel *channel, void (*on_ready)(void *arg), void *arg)
{
	channel->on_ready = on_ready;
	channel->on_ready_arg = arg;
}

unsigned int ipc_channel_pending(const struct ipc_channel *channel)
{
	return channel->pending;
}

struct ipc_channel *ipc_channel_new(struct event_base *base, unsigned int pending_max)
{
	struct ipc_channel *channel =
		calloc(1, sizeof(*channel) + pending_max * sizeof(channel->slots[0]));

	if (channel == NULL)
		return NULL;
	channel->base = base;
	channel->answer_ms = IPC_ANSWER_MS;
	channel->silence_ms = IPC_SILENCE_MS;
	channel->stream =
		(struct ipc_stream){ .reader = IPC_READER_EDGE,
				     .unread_max = pending_max * sizeof(struct ipc_message),
				     .on_message = on_message,
				     .on_end = on_end,
				     .arg = channel };
	TAILQ_INIT(&channel->idle);
	TAILQ_INIT(&channel->sent);
	TAILQ_INIT(&channel->failed);
	channel->slots_max = pending_max;
	for (unsigned int i = 0; i < pending_max; i++)
		TAILQ_INSERT_TAIL(&channel->idle, &channel->slots[i], link);
	channel->deadline = evtimer_new(base, on_deadline, channel);
	channel->failing = event_new(base, -1, 0, on_failing, channel);
	if (channel->deadline == NULL || channel->failing == NULL) {
		ipc_channel_free(channel);
		return NULL;
	}
	return channel;
}

static void event_free_any(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void ipc_channel_free(struct ipc_channel *channel)
{
	struct error error = { 0 };

	if (channel == NULL)
		return;
	ipc_stream_close(&channel->stream);
	channel->dying = true;
	if (channel->telling)
		return;
	error_set(&error, ERROR_UNAVAILABLE, "this process ends");
	if (!TAILQ_EMPTY(&channel->sent))
		fail_sent(channel, &error);
	while (!TAILQ_EMPTY(&channel->failed))
		tell_failed(channel);
	event_free_any(channel->deadline);
	event_free_any(channel->failing);
	free(channel);
}
