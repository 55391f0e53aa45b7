/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts are to be told, such as a secret that somebody has found and reported. */
#ifndef REGISTRY_NOTICE_H
#define REGISTRY_NOTICE_H

#include "db/query.h"

/* Newest first; NULL for all. */
PGresult *notice_list(PGconn *pg, const char *account, const char *since, const char *limit,
		      struct error *error) MUST_CHECK;

#endif
