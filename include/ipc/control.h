/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair between a process and the one that started it: a generation and its edges and
 * authority, and the monitor and its generations.  Messages are one letter, at most a line of
 * text, and a descriptor where the kind has one:
 *
 *   downwards   START      you have everything that I hold for you
 *               PEER       your peer: the stream socket of ipc/channel.h
 *               BEGIN      accept connections now
 *               HAND_OVER  others have taken over: accept no more, answer who still asks
 *               REFUSED    others should have taken over, and were refused
 *   upwards     NOT_READY  I live, and why I am not ready
 *               READY      I live and am ready
 *               CANNOT     I cannot start, and why
 *   both        SOCKET     a listening socket and its name
 *
 * End of file from above means: drain, then exit.  Anything else is an end too.
 */
#ifndef IPC_CONTROL_H
#define IPC_CONTROL_H

#include "base/error.h"

#define IPC_CONTROL_TEXT 256
#define IPC_BEAT_MS	 1000

struct event_base;
struct ipc_control;

enum ipc_control_kind {
	IPC_CONTROL_START = 'G',
	IPC_CONTROL_PEER = 'P',
	IPC_CONTROL_BEGIN = 'B',
	IPC_CONTROL_HAND_OVER = 'H',
	IPC_CONTROL_REFUSED = 'F',
	IPC_CONTROL_NOT_READY = 'N',
	IPC_CONTROL_READY = 'R',
	IPC_CONTROL_CANNOT = 'C',
	IPC_CONTROL_SOCKET = 'S',
};

struct ipc_control_message {
	enum ipc_control_kind kind;
	int fd;			     /* of PEER and SOCKET, else -1; closes on exec */
	char text[IPC_CONTROL_TEXT]; /* ends with 0; what is longer was cut, what is no ASCII is ?
				      */
};

/* ---- without a loop ---- */

/* Closes @take_fd (-1: none).  Never waits: a process that does not read its pair is
 * ERROR_UNAVAILABLE.  @text may be NULL. */
bool ipc_control_send(int control_fd, enum ipc_control_kind kind, const char *text, int take_fd,
		      struct error *error) MUST_CHECK;
bool ipc_control_send_peer(int control_fd, int take_fd, struct error *error) MUST_CHECK;

enum ipc_control_got { IPC_CONTROL_GOT, IPC_CONTROL_NOTHING, IPC_CONTROL_ENDED };

/* The next message.  The descriptor is the caller's. */
enum ipc_control_got ipc_control_receive(int control_fd, struct ipc_control_message *message);

/* ---- in a loop ---- */

/* Takes @control_fd.  @on_message owns the message's descriptor; @on_end runs once.  Neither
 * may free us.  NULL: no memory. */
struct ipc_control *ipc_control_new(struct event_base *base, int control_fd,
				    void (*on_message)(void *arg,
						       const struct ipc_control_message *message),
				    void (*on_end)(void *arg), void *arg);

/* Say now, and then each second as long as the loop turns, whether @is_ready: it returns NULL or
 * why not. */
bool ipc_control_beat(struct ipc_control *control, const char *(*is_ready)(void *arg)) MUST_CHECK;

/* Something has changed: say it at once.  Nothing before ipc_control_beat(). */
void ipc_control_tell(struct ipc_control *control);

/* Nothing more comes from us: the other side sees the end, and is still heard. */
void ipc_control_end(struct ipc_control *control);

/* Its process has ended: what it said last is heard now, and then its end. */
void ipc_control_hear_out(struct ipc_control *control);

/* ipc_control_send() by way of a control that somebody else reads. */
bool ipc_control_say(struct ipc_control *control, enum ipc_control_kind kind, const char *text,
		     int take_fd, struct error *error) MUST_CHECK;

void ipc_control_free(struct ipc_control *control);

#endif
