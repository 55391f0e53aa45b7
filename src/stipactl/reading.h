/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reading of the command line by getopt_long, against the options that every command has and
 * one command's own parameters.  What is wrong is wrong use.
 */
#ifndef STIPACTL_READING_H
#define STIPACTL_READING_H

#include <getopt.h>

#include "commands.h"

enum { GLOBAL_CONFIG, GLOBAL_JSON, GLOBAL_ACTOR, GLOBAL_HELP, GLOBAL_VERSION, GLOBALS };

extern const struct param global_params[GLOBALS];

struct reading {
	struct option options[GLOBALS + PARAMS_MAX + 1];
	const char *global[GLOBALS];
	const char *value[PARAMS_MAX];
	const char **text[GLOBALS + PARAMS_MAX]; /* where options[i] goes */
	size_t n;
	char order[2 * PARAMS_MAX + 4]; /* getopt's: how operands are met, then short options */
};

/* @reading is zero before; @command may be NULL.  "+" in @order stops at the first operand. */
void reading_prepare(struct reading *reading, const struct command *command, const char *order);

/* The options of @argv from its second word on. */
bool reading_options(struct reading *reading, const struct command *command, int argc, char **argv,
		     struct error *error) MUST_CHECK;

/* What follows them. */
bool reading_operands(struct reading *reading, const struct command *command, int argc, char **argv,
		      struct error *error) MUST_CHECK;

/* Each value against its row. */
bool reading_check(const struct reading *reading, const struct command *command,
		   struct error *error) MUST_CHECK;

#endif
