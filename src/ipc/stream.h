/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected stream socket that carries messages: what both ends of a channel have in common.
 *
 * Embedded in its owner.  Both callbacks may close the stream, open it anew or free its owner.
 */
#ifndef IPC_STREAM_H
#define IPC_STREAM_H

#include <stdbool.h>

#include "ipc/message.h"

struct bufferevent;
struct event_base;

struct ipc_stream {
	struct bufferevent *bufferevent; /* NULL: not open */
	bool paused;			 /* the other end does not read what it is sent */
	enum ipc_reader reader;
	size_t unread_max;
	void (*on_message)(void *arg, const struct ipc_message *message);
	void (*on_end)(void *arg, const struct error *why); /* already closed */
	void *arg;
};

/* Take @fd.  False, and @fd closed, when there is no memory. */
bool ipc_stream_open(struct ipc_stream *stream, struct event_base *base, int fd);
void ipc_stream_close(struct ipc_stream *stream); /* an open one or not */
bool ipc_stream_is_open(const struct ipc_stream *stream);

/* Bytes that the other end has not yet taken. */
size_t ipc_stream_unread(const struct ipc_stream *stream);

/* Queue a message; it leaves with everything else of this turn of the loop.  False when there is
 * no memory: then nothing of it leaves.  While over @unread_max bytes wait for the other end,
 * nothing is read from it.  What is secret is wiped once it has left, and once it was taken. */
bool ipc_stream_send(struct ipc_stream *stream, const struct ipc_header *header, const void *body);

#endif
