/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
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

/* Take @len bytes off the input, and leave zeros where they lay. */
static void drain_and_wipe(struct evbuffer *input, size_t len)
{
	struct evbuffer_iovec piece;

	for (size_t left = len; left > 0;) {
		size_t n;

		if (evbuffer_peek(input, (ev_ssize_t)left, NULL, &piece, 1) < 1)
			break;
		n = piece.iov_len < left ? piece.iov_len : left;
		explicit_bzero(piece.iov_base, n);
		evbuffer_drain(input, n);
		left -= n;
	}
}

/* Take one message off the input.  False: there is none yet, or the stream has ended.  The bytes
 * are copied out where they lie: evbuffer_pullup() would leave a second copy behind. */
static bool take_message(struct ipc_stream *stream, struct ipc_message *message)
{
	struct evbuffer *input = bufferevent_get_input(stream->bufferevent);
	uint8_t bytes[sizeof(*message)];
	ev_ssize_t len = evbuffer_copyout(input, bytes, sizeof(bytes));
	struct error error = { 0 };
	enum ipc_read read;
	size_t used;

	if (len <= 0)
		return false;
	read = ipc_message_read(stream->reader, bytes, (size_t)len, message, &used, &error);
	if (read == IPC_READ_BAD) {
		end(stream, &error);
	} else if (read == IPC_READ_MESSAGE && ipc_kind_is_secret(message->header.kind)) {
		drain_and_wipe(input, used);
	} else if (read == IPC_READ_MESSAGE) {
		evbuffer_drain(input, used);
	}
	explicit_bzero(bytes, (size_t)len);
	return read == IPC_READ_MESSAGE;
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
	while (!was_closed(bufferevent) && !stream->paused && take_message(stream, &message)) {
		stream->on_message(stream->arg, &message);
		if (ipc_kind_is_secret(message.header.kind))
			explicit_bzero(&message, sizeof(message));
	}
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

static void wipe_and_free(const void *bytes, size_t len, void *arg)
{
	(void)bytes;
	explicit_bzero(arg, len);
	free(arg);
}

/* In memory of its own, which libevent gives back when it has left or never will. */
static bool send_secret(struct evbuffer *output, const uint8_t *bytes, size_t len)
{
	uint8_t *own = malloc(len);

	if (own == NULL)
		return false;
	memcpy(own, bytes, len);
	if (evbuffer_add_reference(output, own, len, wipe_and_free, own) == 0)
		return true;
	wipe_and_free(own, len, own);
	return false;
}

static bool send_bytes(struct ipc_stream *stream, const struct ipc_header *header, const void *body)
{
	struct evbuffer *output = bufferevent_get_output(stream->bufferevent);
	uint8_t bytes[sizeof(struct ipc_message)];
	size_t len = sizeof(*header) + header->size;
	bool sent;

	memcpy(bytes, header, sizeof(*header));
	memcpy(bytes + sizeof(*header), body, header->size);
	if (!ipc_kind_is_secret(header->kind))
		return evbuffer_add(output, bytes, len) == 0;
	sent = send_secret(output, bytes, len);
	explicit_bzero(bytes, len);
	return sent;
}

bool ipc_stream_send(struct ipc_stream *stream, const struct ipc_header *header, const void *body)
{
	if (!send_bytes(stream, header, body))
		return false;
	if (!stream->paused && ipc_stream_unread(stream) > stream->unread_max) {
		stream->paused = true;
		bufferevent_disable(stream->bufferevent, EV_READ);
	}
	return true;
}
