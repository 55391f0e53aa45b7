/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, and how one is found by its name. */
#ifndef STIPACTL_COMMANDS_H
#define STIPACTL_COMMANDS_H

#include <stddef.h>

#include "command.h"

#define COMMAND_NAME_MAX 40

#define FOR_EACH_COMMAND(command)                                                                  \
	for (size_t table_ = 0, row_ = 0; ((command) = command_next(&table_, &row_)) != NULL;)

/* The one at *@table, *@row, which then name the next; NULL at the end. */
const struct command *command_next(size_t *table, size_t *row);

size_t params_count(const struct command *command);

/* "account add", "client key add", "doctor" */
const char *command_name(const struct command *command, char name[COMMAND_NAME_MAX]);

bool group_exists(const char *group);

/* The command that @argv begins with, and how many words of it are its name; NULL: none. */
const struct command *command_find(int argc, char **argv, int *words);

/* Refuse what begins no command, and say what comes near. */
bool command_unknown(int argc, char **argv, struct error *error);
bool unknown_group(const char *group, struct error *error);

#endif
