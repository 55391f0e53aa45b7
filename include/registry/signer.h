/* SPDX-License-Identifier: Apache-2.0 */
/* Signer certificates and their times.  See registry/account.h for how these functions are. */
#ifndef REGISTRY_SIGNER_H
#define REGISTRY_SIGNER_H

#include "registry/act.h"

struct signer_register {
	const char *kid, *x5u;
	const char *certificate; /* "\x" and the DER as hex */
	const char *chain;	 /* PEM, signer first */
	const char *activate;	 /* NULL: now */
	const char *retire, *remove;
};

/* A token signer, published at once.  A void function. */
PGresult *signer_register(PGconn *pg, const struct act *act, const struct signer_register *signer,
			  struct error *error) MUST_CHECK;

/* One row, or ERROR_NOT_FOUND. */
PGresult *signer_show(PGconn *pg, const char *kid, struct error *error) MUST_CHECK;
PGresult *signer_list(PGconn *pg, struct error *error) MUST_CHECK;

#endif
