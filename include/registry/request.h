/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a request, by its X-Request-Id. */
#ifndef REGISTRY_REQUEST_H
#define REGISTRY_REQUEST_H

#include "db/query.h"

/* kind (token, access token, refusal), at (with microseconds), client, account, spc, verdict,
 * defect, jti, asked_by, peer; newest first.  A client may use a name again, so there may be
 * several; ERROR_NOT_FOUND without one. */
PGresult *request_rows(PGconn *pg, const char *request_id, struct error *error) MUST_CHECK;

/* The policy that counted at a time: one row. */
PGresult *request_policy(PGconn *pg, const char *at, struct error *error) MUST_CHECK;

/* id, at, actor, action, subject, reason: at most @n acts about an account or a client (or NULL),
 * or the client's account, the last ones before @at, or the first ones from then on. */
PGresult *request_acts(PGconn *pg, const char *account, const char *client, const char *at,
		       bool before, struct error *error) MUST_CHECK;

#endif
