/* SPDX-License-Identifier: Apache-2.0 */
/* stipactl.conf: what the tool must know of its node.  One table in settings.c has the options. */
#ifndef STIPACTL_SETTINGS_H
#define STIPACTL_SETTINGS_H

#include "base/error.h"

#define SETTINGS_FILE "/etc/stipa/stipactl.conf"

struct settings {
	char *database;	      /* conninfo of stipa_operator */
	char *database_owner; /* conninfo of stipa_owner, for the db commands */
	char *environment;    /* production, staging, demo */
	char *actor;	      /* who acts, unless --actor says it; NULL: the user of the system */
	char *migrations;     /* folder of the NNNN_name.sql files */
};

/* ERROR_INVALID with file, line and rule. */
bool settings_read(struct settings *settings, const char *file, struct error *error) MUST_CHECK;
void settings_clear(struct settings *settings);

#endif
