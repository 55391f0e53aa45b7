/* SPDX-License-Identifier: Apache-2.0 */
/* A secret that is made here: shown once, or written to a file, and only digests of it go on. */
#ifndef STIPACTL_MADE_SECRET_H
#define STIPACTL_MADE_SECRET_H

#include "command.h"
#include "crypto/client_secret.h"
#include "secret_file.h"

struct made_secret {
	struct secret secret;
	struct secret_file file;
};

void made_secret_clear(struct made_secret *made);

/* Of the environment of stipactl.conf.  @path: NULL to show it. */
bool made_secret_make(struct ctl *ctl, enum client_secret_form form, const char *path,
		      struct made_secret *made, struct error *error) MUST_CHECK;
/* The one place where a secret is shown, as @name with the record of what it is for.  A NULL
 * @acted: nothing was done, and nothing stays.  A NULL @shown: it comes out alone. */
bool made_secret_show(struct ctl *ctl, const struct made_secret *made, const char *name,
		      const PGresult *acted, const PGresult *shown, struct error *error) MUST_CHECK;

#endif
