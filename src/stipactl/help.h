/* SPDX-License-Identifier: Apache-2.0 */
/* What stipactl says of itself, from the rows of its commands. */
#ifndef STIPACTL_HELP_H
#define STIPACTL_HELP_H

#include <stdio.h>

#include "command.h"

/* "stipactl account add ACCOUNT …" and a newline. */
void help_usage(FILE *out, const struct command *command);
void help_command(const struct command *command);
/* The commands of a group; of all groups when @group is NULL. */
void help_commands(const char *group);

#endif
