/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

/* Room for one descriptor more than is right, so that a surplus is seen and closed. */
enum { FDS_MAX = 2 };

/* The kinds, and how many descriptors each has. */
static const struct {
	enum ipc_control_kind kind;
	size_t fds;
} kinds[] = {
	{ IPC_CONTROL_START, 0 },     { IPC_CONTROL_PEER, 1 },	  { IPC_CONTROL_BEGIN, 0 },
	{ IPC_CONTROL_HAND_OVER, 0 }, { IPC_CONTROL_REFUSED, 0 }, { IPC_CONTROL_NOT_READY, 0 },
	{ IPC_CONTROL_READY, 0 },     { IPC_CONTROL_CANNOT, 0 },  { IPC_CONTROL_SOCKET, 1 },
};

struct ipc_control {
	int fd;
	bool ended;
	struct event *readable;
	struct event *beat; /* NULL: none */
	void (*on_message)(void *arg, const struct ipc_control_message *message);
	void (*on_end)(void *arg);
	const char *(*is_ready)(void *arg);
	void *arg;
};

union fds_buffer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

/* ---- send ---- */

static void put_fd(struct msghdr *message, union fds_buffer *buffer, int fd)
{
	struct cmsghdr *fds;

	message->msg_control = buffer->bytes;
	message->msg_controllen = CMSG_SPACE(sizeof(int));
	fds = CMSG_FIRSTHDR(message);
	fds->cmsg_level = SOL_SOCKET;
	fds->cmsg_type = SCM_RIGHTS;
	fds->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(fds), &fd, sizeof(int));
}

bool ipc_control_send(int control_fd, enum ipc_control_kind kind, const char *text, int take_fd,
		      struct error *error)
{
	char letter = (char)kind;
	struct iovec parts[] = {
		{ &letter, 1 },
		{ (char *)text, text == NULL ? 0 : strnlen(text, IPC_CONTROL_TEXT - 1) },
	};
	union fds_buffer buffer = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n;

	if (take_fd >= 0)
		put_fd(&message, &buffer, take_fd);
	/* a process that does not read its pair must not hold this one up */
	n = sendmsg(control_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		error_set(error, ERROR_UNAVAILABLE, "control: %s", strerror(errno));
	if (take_fd >= 0)
		close(take_fd);
	return n > 0;
}

bool ipc_control_send_peer(int control_fd, int take_fd, struct error *error)
{
	return ipc_control_send(control_fd, IPC_CONTROL_PEER, NULL, take_fd, error);
}

/* ---- receive ---- */

/* The descriptors of a message go to @fds, however many came; returns their number. */
static size_t take_fds(struct msghdr *message, int fds[FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < len / sizeof(int) && n < FDS_MAX; i++)
			memcpy(&fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

static bool is_right(char letter, size_t n_fds)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((char)kinds[i].kind == letter)
			return kinds[i].fds == n_fds;
	}
	return false;
}

/* It goes to logs and to the service manager, where a line would be another message. */
static void clean(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
	text[len] = '\0';
}

/* One that died with messages unread is first told as a reset; what it said comes after that. */
static ssize_t receive(int control_fd, struct msghdr *message)
{
	ssize_t got = recvmsg(control_fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0 && errno == ECONNRESET)
		got = recvmsg(control_fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	return got;
}

enum ipc_control_got ipc_control_receive(int control_fd, struct ipc_control_message *into)
{
	char letter = 0;
	struct iovec parts[] = { { &letter, 1 }, { into->text, sizeof(into->text) - 1 } };
	union fds_buffer buffer = { 0 };
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = 2,
				  .msg_control = buffer.bytes,
				  .msg_controllen = sizeof(buffer.bytes) };
	ssize_t got = receive(control_fd, &message);
	int fds[FDS_MAX];
	size_t n;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? IPC_CONTROL_NOTHING : IPC_CONTROL_ENDED;
	n = take_fds(&message, fds);
	if (got > 0 && is_right(letter, n) && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
		into->kind = (enum ipc_control_kind)letter;
		into->fd = n == 1 ? fds[0] : -1;
		clean(into->text, (size_t)got - 1);
		return IPC_CONTROL_GOT;
	}
	while (n > 0)
		close(fds[--n]);
	return IPC_CONTROL_ENDED;
}

/* ---- in a loop ---- */

/* One message; false when there is none. */
static bool hear(struct ipc_control *control)
{
	struct ipc_control_message message;

	switch (ipc_control_receive(control->fd, &message)) {
	case IPC_CONTROL_GOT:
		control->on_message(control->arg, &message);
		return true;
	case IPC_CONTROL_NOTHING:
		return false;
	case IPC_CONTROL_ENDED:
		break;
	}
	control->ended = true;
	event_del(control->readable);
	control->on_end(control->arg);
	return false;
}

/* What is left wakes the loop again. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	hear(arg);
}

void ipc_control_end(struct ipc_control *control)
{
	shutdown(control->fd, SHUT_WR);
}

void ipc_control_hear_out(struct ipc_control *control)
{
	while (!control->ended && hear(control))
		;
}

/* What cannot be said now, as nobody reads, is said again a second later. */
void ipc_control_tell(struct ipc_control *control)
{
	struct error unsaid = { 0 };
	const char *why;

	if (control->beat == NULL)
		return;
	why = control->is_ready(control->arg);
	(void)!ipc_control_send(control->fd,
				why == NULL ? IPC_CONTROL_READY : IPC_CONTROL_NOT_READY, why, -1,
				&unsaid);
}

bool ipc_control_say(struct ipc_control *control, enum ipc_control_kind kind, const char *text,
		     int take_fd, struct error *error)
{
	return ipc_control_send(control->fd, kind, text, take_fd, error);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ipc_control_tell(arg);
}

bool ipc_control_beat(struct ipc_control *control, const char *(*is_ready)(void *arg))
{
	static const struct timeval second = { .tv_sec = IPC_BEAT_MS / 1000 };

	control->is_ready = is_ready;
	control->beat =
		event_new(event_get_base(control->readable), -1, EV_PERSIST, on_beat, control);
	if (control->beat == NULL || event_add(control->beat, &second) != 0)
		return false;
	ipc_control_tell(control);
	return true;
}

struct ipc_control *ipc_control_new(struct event_base *base, int control_fd,
				    void (*on_message)(void *arg,
						       const struct ipc_control_message *message),
				    void (*on_end)(void *arg), void *arg)
{
	struct ipc_control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	*control = (struct ipc_control){
		.fd = control_fd, .on_message = on_message, .on_end = on_end, .arg = arg
	};
	control->readable = event_new(base, control_fd, EV_READ | EV_PERSIST, on_readable, control);
	if (control->readable == NULL || event_add(control->readable, NULL) != 0) {
		if (control->readable != NULL)
			event_free(control->readable);
		free(control);
		return NULL;
	}
	return control;
}

void ipc_control_free(struct ipc_control *control)
{
	if (control == NULL)
		return;
	if (control->beat != NULL)
		event_free(control->beat);
	event_free(control->readable);
	close(control->fd);
	free(control);
}
