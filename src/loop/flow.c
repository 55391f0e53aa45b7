/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/flow.h"

#include <stddef.h>

static bool flow_goes_on(const struct flow *flow)
{
	return flow->error.kind == ERROR_NONE && flow->step->run != NULL;
}

static void flow_run(struct flow *flow)
{
	while (flow_goes_on(flow)) {
		const struct flow_step *step = flow->step++;

		if (step->run(flow) == FLOW_WAIT)
			return;
	}
	flow->finish(flow);
}

void flow_start(struct flow *flow, const struct flow_step *steps, void (*finish)(struct flow *flow))
{
	flow->step = steps;
	flow->finish = finish;
	flow_run(flow);
}

void flow_resume(void *arg, const struct error *error)
{
	struct flow *flow = arg;

	if (flow->error.kind == ERROR_NONE)
		flow->error = *error;
	flow_run(flow);
}

void flow_cancel(void *arg)
{
	struct flow *flow = arg;

	error_set(&flow->error, ERROR_CANCELLED, "the client closed the connection");
}
