/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

enum { ONE_TURN_MAX = 512 * 1024 }; /* bytes of one read or write */

/* Close, then tell: the owner may do with us as it likes. */
static void end(struct ipc_stream *stream, const struct error *why)
{
	ipc_stream_close(stream);
	stream->on_end(stream->arg, why);
}

/* Take one message off the input.  False: there is none yet, or the stream has ended. */
static bool take_message(struct ipc_stream *stream, struct ipc_message *message)
{
	struct evbuffer *input = bufferevent_get_input(stream->bufferevent);
	size_t len = evbuffer_get_length(input);
	struct error error = { 0 };
	const uint8_t *bytes;
	size_t used;

	if (len > sizeof(*message))
		len = sizeof(*message);
	bytes = evbuffer_pullup(input, (ev_ssize_t)len);
	if (bytes == NULL)
		return false;
	switch (ipc_message_read(stream->reader, bytes, len, message, &used, &error)) {
	case IPC_READ_MESSAGE:
		evbuffer_drain(input, used);
		return true;
	case IPC_READ_BAD:
		end(stream, &error);
		return false;
	case IPC_READ_MORE:
	default:
		return false;
	}
}

/* bufferevent_free() takes the callbacks away; a reference of our own lets us see that. */
static bool was_closed(struct bufferevent *bufferevent)
{
	void *arg;

	bufferevent_getcb(bufferevent, NULL, NULL, NULL, &arg);
	return arg == NULL;
}

static void read_messages(struct ipc_stream *stream)
{
	struct bufferevent *bufferevent = stream->bufferevent;
	struct ipc_message message;

	bufferevent_incref(bufferevent);
	while (!was_closed(bufferevent) && !stream->paused && take_message(stream, &message))
		stream->on_message(stream->arg, &message);
	bufferevent_decref(bufferevent);
}

static void on_readable(struct bufferevent *bufferevent, void *arg)
{
	(void)bufferevent;
	read_messages(arg);
}

/* The other end has taken everything. */
static void on_written(struct bufferevent *bufferevent, void *arg)
{
	struct ipc_stream *stream = arg;

	if (!stream->paused)
		return;
	stream->paused = false;
	bufferevent_enable(bufferevent, EV_READ);
	read_messages(stream);
}

static void on_event(struct bufferevent *bufferevent, short what, void *arg)
{
	struct ipc_stream *stream = arg;
	struct error error = { 0 };

	(void)bufferevent;
	if (what & BEV_EVENT_ERROR)
		error_set(&error, ERROR_UNAVAILABLE, "stream: %s", strerror(errno));
	else
		error_set(&error, ERROR_UNAVAILABLE, "stream: the other end has closed it");
	end(stream, &error);
}

bool ipc_stream_open(struct ipc_stream *stream, struct event_base *base, int fd)
{
	evutil_make_socket_nonblocking(fd);
	stream->paused = false;
	stream->bufferevent = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (stream->bufferevent == NULL) {
		close(fd);
		return false;
	}
	bufferevent_set_max_single_read(stream->bufferevent, ONE_TURN_MAX);
	bufferevent_set_max_single_write(stream->bufferevent, ONE_TURN_MAX);
	bufferevent_setcb(stream->bufferevent, on_readable, on_written, on_event, stream);
	bufferevent_enable(stream->bufferevent, EV_READ | EV_WRITE);
	return true;
}

void ipc_stream_close(struct ipc_stream *stream)
{
	if (stream->bufferevent == NULL)
		return;
	bufferevent_free(stream->bufferevent);
	stream->bufferevent = NULL;
}

bool ipc_stream_is_open(const struct ipc_stream *stream)
{
	return stream->bufferevent != NULL;
}

size_t ipc_stream_unread(const struct ipc_stream *stream)
{
	return evbuffer_get_length(bufferevent_get_output(stream->bufferevent));
}

bool ipc_stream_send(struct ipc_stream *stream, const struct ipc_header *header, const void *body)
{
	uint8_t bytes[sizeof(struct ipc_message)];

	memcpy(bytes, header, sizeof(*header));
	memcpy(bytes + sizeof(*header), body, header->size);
	if (bufferevent_write(stream->bufferevent, bytes, sizeof(*header) + header->size) != 0)
		return false;
	if (!stream->paused && ipc_stream_unread(stream) > stream->unread_max) {
		stream->paused = true;
		bufferevent_disable(stream->bufferevent, EV_READ);
	}
	return true;
}
