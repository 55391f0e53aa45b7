/* SPDX-License-Identifier: Apache-2.0 */
/* A token signer's certificate, as the database is told of it. */
#ifndef STIPACTL_REGISTRATION_H
#define STIPACTL_REGISTRATION_H

#include <libpq-fe.h>

#include "base/error.h"
#include "keys/signer.h"

#define X5U_MAX 255

struct ctl;

struct registration {
	char kid[SIGNER_KID_MAX + 1];
	char x5u[X5U_MAX + 1];
	char *certificate; /* "\x" and the DER as hex */
	char *chain;	   /* PEM */
	char retire[24], remove[24];
};

/* From a file that begins with the signer's certificate and ends with its root, and holds now. */
bool registration_fill(struct registration *registration, const char *chain_file,
		       const char *base_url, struct error *error) MUST_CHECK;

/* @activate: UTC; NULL: now.  NULL: refused.  Gives to the caller. */
PGresult *registration_send(struct ctl *ctl, const struct registration *r, const char *activate,
			    struct error *error);

void registration_clear(struct registration *registration);
#define registration_auto struct registration __attribute__((cleanup(registration_clear)))

#endif
