/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <stdlib.h>

#include "base/clock.h"

static struct probe *of(struct flow *flow)
{
	return (struct probe *)flow;
}

static enum flow_next judge(struct flow *flow)
{
	struct probe *probe = of(flow);

	return flow_next_if(issue_question_read(&probe->question, signer_kid(probe->signer),
						signer_certificate_sha256(probe->signer),
						&probe->state, &flow->error));
}

/* The signer verifies the first signature of every job by its certificate. */
static enum flow_next sign(struct flow *flow)
{
	struct probe *probe = of(flow);

	if (!probe->signs)
		return FLOW_NEXT;
	probe->job.n = 1;
	signer_sign_start(probe->signer, &probe->job, flow_resume, flow);
	return FLOW_WAIT;
}

static const struct flow_step steps[] = {
	{ "judge", judge },
	{ "sign", sign },
	{ NULL, NULL },
};

static void finish(struct flow *flow)
{
	struct probe *probe = of(flow);

	probe->ended(probe);
}

void probe_ask(struct probe *probe, struct db_pipeline *pipe, const struct mark *mark)
{
	issue_question_ask(&probe->question, pipe, signer_kid(probe->signer), clock_unix_us(),
			   mark);
}

void probe_start(struct probe *probe)
{
	flow_start(&probe->flow, steps, finish);
}

void probe_free(struct probe *probe)
{
	if (probe == NULL)
		return;
	issue_question_clear(&probe->question);
	free(probe);
}
