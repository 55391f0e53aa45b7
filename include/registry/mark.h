/* SPDX-License-Identifier: Apache-2.0 */
/* Does the ledger have the token that a node's mark names (mark/mark.h)?  UUIDs are texts. */
#ifndef REGISTRY_MARK_H
#define REGISTRY_MARK_H

#include "registry/act.h"

/* ledger, known ("yes" or "no").  @jti, @ledger: NULL when there is none.  A node may ask it. */
PGresult *mark_state(PGconn *pg, const char *jti, const char *ledger,
		     struct error *error) MUST_CHECK;
/* newest, newest_at: of the ledger, empty when it has no token. */
PGresult *mark_newest(PGconn *pg, struct error *error) MUST_CHECK;
/* Go on without the token @jti: at, newest, newest_at. */
PGresult *mark_accept(PGconn *pg, const struct act *act, const char *jti,
		      struct error *error) MUST_CHECK;

#endif
