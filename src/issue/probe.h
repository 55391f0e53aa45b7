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
	/* The database has answered, and the connection is free.  Not run when it has not. */
	void (*answered)(struct probe *probe);
	/* flow.error says why not.  The owner frees the probe. */
	void (*ended)(struct probe *probe);
	void *arg;
	unsigned int connection; /* the owner's number of it */

	bool heard; /* the database has answered */
	char x5u[X5U_MAX + 1];
	struct db_pipeline *pipe;
	struct issue_question question;
	struct db_call commit;
	struct signer_job job;
};

void probe_start(struct probe *probe, struct db_pipeline *pipe);
void probe_free(struct probe *probe);

#endif
