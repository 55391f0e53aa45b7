/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contents of stipactl, and which of it a command line means. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "nearest.h"

/* clang-format off */
static const struct command *const tables[] = {
	db_commands,
	pki_commands,
	policy_commands,
	account_commands,
	spc_commands,
	delegation_commands,
	client_commands,
	api_user_commands,
	token_commands,
	token_check_commands,
	refusal_commands,
	explain_commands,
	notice_commands,
	audit_commands,
	mark_commands,
	config_commands,
	doctor_commands,
};
/* clang-format on */

#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct command *command_next(size_t *table, size_t *row)
{
	while (*table < TABLES) {
		const struct command *command = &tables[*table][*row];

		if (command->verb != NULL) {
			(*row)++;
			return command;
		}
		(*table)++;
		*row = 0;
	}
	return NULL;
}

size_t params_count(const struct command *command)
{
	size_t n = 0;

	while (command->params != NULL && command->params[n].name != NULL)
		n++;
	return n;
}

const char *command_name(const struct command *command, char name[COMMAND_NAME_MAX])
{
	snprintf(name, COMMAND_NAME_MAX, "%s%s%s", command->group,
		 command->verb[0] != '\0' ? " " : "", command->verb);
	return name;
}

bool group_exists(const char *group)
{
	const struct command *command;

	FOR_EACH_COMMAND(command)
	if (strcmp(command->group, group) == 0)
		return true;
	return false;
}

bool unknown_group(const char *group, struct error *error)
{
	struct nearest nearest = nearest_to(group);
	const struct command *command;

	FOR_EACH_COMMAND(command)
	nearest_offer(&nearest, command->group);
	if (nearest.best != NULL)
		return wrong_use(error, "no group of commands '%s': did you mean '%s'?", group,
				 nearest.best);
	return wrong_use(error, "no group of commands '%s': 'stipactl help' lists them", group);
}

/* Verbs of two words begin with their first: "client key" wants one more. */
static bool verb_goes_on(const char *group, const char *word)
{
	const struct command *command;
	size_t len = strlen(word);

	FOR_EACH_COMMAND(command)
	if (strcmp(command->group, group) == 0 && strncmp(command->verb, word, len) == 0 &&
	    command->verb[len] == ' ')
		return true;
	return false;
}

static bool wants_verb(const char *group, const char *so_far, struct error *error)
{
	return wrong_use(error, "'%s%s%s' wants a verb: 'stipactl %s --help' lists them", group,
			 so_far[0] != '\0' ? " " : "", so_far, group);
}

static bool unknown_verb(const char *group, const char *verb, struct error *error)
{
	struct nearest nearest = nearest_to(verb);
	const struct command *command;

	FOR_EACH_COMMAND(command)
	if (strcmp(command->group, group) == 0)
		nearest_offer(&nearest, command->verb);
	if (nearest.best != NULL)
		return wrong_use(error, "no command '%s %s': did you mean '%s %s'?", group, verb,
				 group, nearest.best);
	return wrong_use(error, "no command '%s %s': 'stipactl %s --help' lists them", group, verb,
			 group);
}

/* How many words of @argv are the command's name; 0: another one's. */
static int command_words(const struct command *command, int argc, char **argv)
{
	const char *rest = command->verb;
	int words = 1;

	if (strcmp(command->group, argv[0]) != 0)
		return 0;
	for (; rest[0] != '\0'; words++) {
		size_t len = strcspn(rest, " ");

		if (words == argc || strlen(argv[words]) != len ||
		    strncmp(argv[words], rest, len) != 0)
			return 0;
		rest += len + (rest[len] == ' ');
	}
	return words;
}

const struct command *command_find(int argc, char **argv, int *words)
{
	const struct command *command;

	FOR_EACH_COMMAND(command)
	{
		*words = command_words(command, argc, argv);
		if (*words > 0)
			return command;
	}
	return NULL;
}

bool command_unknown(int argc, char **argv, struct error *error)
{
	char verb[2 * COMMAND_NAME_MAX];

	if (!group_exists(argv[0]))
		return unknown_group(argv[0], error);
	if (argc == 1)
		return wants_verb(argv[0], "", error);
	if (!verb_goes_on(argv[0], argv[1]))
		return unknown_verb(argv[0], argv[1], error);
	if (argc == 2)
		return wants_verb(argv[0], argv[1], error);
	snprintf(verb, sizeof(verb), "%s %s", argv[1], argv[2]);
	return unknown_verb(argv[0], verb, error);
}
