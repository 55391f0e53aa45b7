/* SPDX-License-Identifier: Apache-2.0 */
/* The streams between edges and authority: the parent makes each pair and hands the ends over. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "children.h"
#include "generation_own.h"

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
	child_say(authority, IPC_CONTROL_PEER, pair[0]);
	child_say(edge, IPC_CONTROL_PEER, pair[1]);
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
