/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a conninfo leads: which sockets libpq will make for it, and whether it opens files.
 *
 * A host name leads nowhere: its look-up would block, and open files and sockets that we do not
 * have.  What the conninfo leaves out comes from the environment, as libpq has it.
 */
#ifndef DB_PLACE_H
#define DB_PLACE_H

#include "base/error.h"

struct db_place {
	bool by_unix, by_inet, by_inet6;
	bool reads; /* files: certificates and keys of TLS, a password file */
};

/* ERROR_INVALID: not a conninfo, or one with a host name, or with a service file. */
bool db_place_of(const char *conninfo, struct db_place *place, struct error *error) MUST_CHECK;

#endif
