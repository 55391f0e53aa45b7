/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow is one piece of work that has to wait on its way: a request, a batch,
 * a publication.  Its steps stand in one table, in the order in which they run.
 *
 * A step returns FLOW_NEXT to go on, FLOW_FAIL after it has filled flow->error,
 * or FLOW_WAIT after it has started something that will call flow_resume().
 * finish() runs exactly once, whatever happened.
 *
 * Whatever is started calls its done_fn from the event loop, never before the
 * starting function returns.
 */
#ifndef LOOP_FLOW_H
#define LOOP_FLOW_H

#include "base/error.h"

struct flow;

enum flow_next { FLOW_NEXT, FLOW_FAIL, FLOW_WAIT };

struct flow_step {
	const char *name;
	enum flow_next (*run)(struct flow *flow);
};

struct flow {
	const struct flow_step *step;	   /* runs next */
	void (*finish)(struct flow *flow); /* answers, then frees */
	struct error error;
};

void flow_start(struct flow *flow, const struct flow_step *steps,
		void (*finish)(struct flow *flow));
void flow_resume(void *flow, const struct error *error); /* a done_fn */
void flow_cancel(void *flow); /* the client has gone: no further step runs */

static inline enum flow_next flow_next_if(bool ok)
{
	return ok ? FLOW_NEXT : FLOW_FAIL;
}

#endif
