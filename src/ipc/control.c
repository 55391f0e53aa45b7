/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define YOUR_PEER 'P'

/* Room for one descriptor more than is right, so that a surplus is seen and closed. */
enum { FDS_MAX = 2 };

struct ipc_control {
	int fd;
	struct event *readable;
	void (*on_peer)(void *arg, int fd);
	void (*on_end)(void *arg);
	void *arg;
};

union fds_buffer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

bool ipc_control_send_peer(int control_fd, int peer_fd, struct error *error)
{
	char kind = YOUR_PEER;
	struct iovec text = { &kind, 1 };
	union fds_buffer buffer = { 0 };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = buffer.bytes,
				  .msg_controllen = CMSG_SPACE(sizeof(int)) };
	struct cmsghdr *fds = CMSG_FIRSTHDR(&message);
	ssize_t n;

	fds->cmsg_level = SOL_SOCKET;
	fds->cmsg_type = SCM_RIGHTS;
	fds->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(fds), &peer_fd, sizeof(int));

	/* a child that does not read its control pair must not hold the monitor up */
	n = sendmsg(control_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		error_set(error, ERROR_UNAVAILABLE, "control: %s", strerror(errno));
	close(peer_fd);
	return n == 1;
}

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

/* Receive "your peer": the descriptor; -1 at the end, -2 when there is nothing to read. */
static int receive_peer(int control_fd)
{
	char kind = 0;
	struct iovec text = { &kind, 1 };
	union fds_buffer buffer = { 0 };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = buffer.bytes,
				  .msg_controllen = sizeof(buffer.bytes) };
	ssize_t got = recvmsg(control_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fds[FDS_MAX];
	size_t n;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? -2 : -1;
	n = take_fds(&message, fds);
	if (got == 1 && kind == YOUR_PEER && n == 1 &&
	    (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return fds[0];
	while (n > 0)
		close(fds[--n]);
	return -1;
}

/* One message a call: the callback may free us, and what is left wakes the loop again. */
static void on_readable(evutil_socket_t control_fd, short what, void *arg)
{
	struct ipc_control *control = arg;
	int fd = receive_peer(control_fd);

	(void)what;
	if (fd >= 0) {
		control->on_peer(control->arg, fd);
	} else if (fd == -1) {
		event_del(control->readable);
		control->on_end(control->arg);
	}
}

struct ipc_control *ipc_control_new(struct event_base *base, int control_fd,
				    void (*on_peer)(void *arg, int fd), void (*on_end)(void *arg),
				    void *arg)
{
	struct ipc_control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	*control = (struct ipc_control){
		.fd = control_fd, .on_peer = on_peer, .on_end = on_end, .arg = arg
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
	event_free(control->readable);
	close(control->fd);
	free(control);
}
