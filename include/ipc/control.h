/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair between monitor and each child.  Its one message is "your peer", with a descriptor:
 * the stream socket of ipc/channel.h.  When either end of a stream has died, the monitor makes a
 * new pair and tells both.  End of file means: drain, then exit.
 */
#ifndef IPC_CONTROL_H
#define IPC_CONTROL_H

#include "base/error.h"

struct event_base;
struct ipc_control;

/* Monitor: hand @peer_fd over @control_fd (a SOCK_SEQPACKET pair); closes @peer_fd.  Never waits:
 * a child that does not read its pair is ERROR_UNAVAILABLE. */
bool ipc_control_send_peer(int control_fd, int peer_fd, struct error *error) MUST_CHECK;

/* Child: takes @control_fd.  @on_peer receives each descriptor and owns it; @on_end runs once, when
 * the monitor has closed its end or died.  Anything but "your peer" with one descriptor is an end
 * too.  NULL: no memory. */
struct ipc_control *ipc_control_new(struct event_base *base, int control_fd,
				    void (*on_peer)(void *arg, int fd), void (*on_end)(void *arg),
				    void *arg);
void ipc_control_free(struct ipc_control *control);

#endif
