/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Could a token be issued now?  The database is asked over the connection that issues, and the
 * signer signs once.
 */
#ifndef ISSUE_PROBE_H
#define ISSUE_PROBE_H

#include "issue_db.h"
#include "keys/signer.h"
#include "loop/flow.h"

struct probe {
	struct flow flow;
	struct signer *signer;
	bool signs; /* the signer has to show that it can */
	/* flow.error says why not.  The owner frees the probe. */
	void (*ended)(struct probe *probe);
	void *arg;
	unsigned int connection; /* the owner's number of it */

	struct issue_state state;
	struct issue_question question;
	struct signer_job job;
};

/* Send the questions; the rest when they have been answered. */
void probe_ask(struct probe *probe, struct db_pipeline *pipe, const struct mark *mark);
void probe_start(struct probe *probe);
void probe_free(struct probe *probe);

#endif
