/* SPDX-License-Identifier: Apache-2.0 */
/* The streams between edges and authority: the parent makes each pair and hands the ends over. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "children.h"
#include "generation.h"
#include "ipc/control.h"

/* Hand one end over.  A child that cannot take it is of no use any more: it is killed, if it is
 * not dead already, and its successor gets another. */
static void hand_over(struct child *child, int peer_fd)
{
	struct error error = { 0 };

	if (ipc_control_send_peer(child->control_fd, peer_fd, &error))
		return;
	log_error(child->generation->log, "a child does not take its peer",
		  LOG_TEXT("child", child->name), LOG_TEXT("why", error.detail));
	kill(child->pid, SIGKILL);
}

static void connect_them(struct child *edge, struct child *authority)
{
	int pair[2];

	if (edge->pid == 0 || authority->pid == 0)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
		/* the edge is cut off, and will ask by dying */
		log_error(edge->generation->log, "no socket pair", LOG_TEXT("child", edge->name),
			  LOG_TEXT("why", strerror(errno)));
		return;
	}
	hand_over(authority, pair[0]);
	hand_over(edge, pair[1]);
}

void pairs_give(struct child *child)
{
	struct generation *generation = child->generation;
	struct child *authority = &generation->children[0];

	if (!child_is_authority(child)) {
		connect_them(child, authority);
		return;
	}
	for (size_t i = 1; i < generation->n; i++)
		connect_them(&generation->children[i], authority);
}
