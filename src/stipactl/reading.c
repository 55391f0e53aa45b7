/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <string.h>

#include "nearest.h"

const struct param global_params[GLOBALS] = {
	{ "--config", "FILE", 0, NULL, "the configuration file [" SETTINGS_FILE "]" },
	{ "--json", NULL, 0, NULL, "output for scripts" },
	{ "--actor", "NAME", 0, NULL, "who acts, for the audit [you]" },
	{ "--help", NULL, 0, NULL, "explain the command" },
	{ "--version", NULL, 0, NULL, "say the versions of this program and of what it uses" },
};

static bool param_is_option(const struct param *param)
{
	return param->name[0] == '-';
}

static bool param_is_short(const struct param *param)
{
	return param->name[0] == '-' && param->name[1] != '-';
}

static bool unknown_option(const struct command *command, const char *text, struct error *error)
{
	struct nearest nearest = nearest_to(text);

	for (size_t i = 0; command != NULL && i < params_count(command); i++)
		if (param_is_option(&command->params[i]))
			nearest_offer(&nearest, command->params[i].name);
	for (size_t i = 0; i < GLOBALS; i++)
		nearest_offer(&nearest, global_params[i].name);
	if (nearest.best != NULL)
		return wrong_use(error, "no option '%s' here: did you mean '%s'?", text,
				 nearest.best);
	return wrong_use(error, "no option '%s' here: see --help", text);
}

static void reading_add(struct reading *reading, const struct param *param, const char **value)
{
	reading->options[reading->n] = (struct option){
		.name = param->name + 2,
		.has_arg = param->value != NULL ? required_argument : no_argument,
		.val = (int)reading->n + 256,
	};
	reading->text[reading->n++] = value;
}

/* "-n" is known to getopt by its letter; its index is kept all the same. */
static void reading_add_short(struct reading *reading, const struct param *param,
			      const char **value)
{
	reading_add(reading, param, value);
	reading->options[reading->n - 1].name = param->name; /* no one writes ---n */
	strncat(reading->order, param->name + 1, 1);
	if (param->value != NULL)
		strcat(reading->order, ":");
}

void reading_prepare(struct reading *reading, const struct command *command, const char *order)
{
	strcpy(reading->order, order);
	for (size_t i = 0; i < GLOBALS; i++)
		reading_add(reading, &global_params[i], &reading->global[i]);
	for (size_t i = 0; command != NULL && i < params_count(command); i++)
		if (param_is_short(&command->params[i]))
			reading_add_short(reading, &command->params[i], &reading->value[i]);
		else if (param_is_option(&command->params[i]))
			reading_add(reading, &command->params[i], &reading->value[i]);
}

/* What getopt answered, as an index into options; -1: no such option. */
static int reading_index(const struct reading *reading, int c)
{
	if (c >= 256)
		return c - 256;
	for (size_t i = 0; i < reading->n; i++)
		if (reading->options[i].name[0] == '-' && reading->options[i].name[1] == c)
			return (int)i;
	return -1;
}

bool reading_options(struct reading *reading, const struct command *command, int argc, char **argv,
		     struct error *error)
{
	int c, i;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, reading->order, reading->options, NULL)) != -1) {
		if (c == ':')
			return wrong_use(error, "%s wants a value", argv[optind - 1]);
		i = reading_index(reading, c);
		if (i < 0)
			return unknown_option(command, argv[optind - 1], error);
		if (c >= 256 && optarg != NULL && optarg == argv[optind - 1] &&
		    strncmp(optarg, "--", 2) == 0)
			return wrong_use(error, "--%s wants a value; if it is '%s', write --%s=%s",
					 reading->options[i].name, optarg, reading->options[i].name,
					 optarg);
		if (*reading->text[i] != NULL)
			return wrong_use(error, "%s%s is given twice", c >= 256 ? "--" : "",
					 reading->options[i].name);
		*reading->text[i] = optarg != NULL ? optarg : "";
	}
	return true;
}

bool reading_operands(struct reading *reading, const struct command *command, int argc, char **argv,
		      struct error *error)
{
	char name[COMMAND_NAME_MAX];

	for (size_t i = 0; i < params_count(command); i++)
		if (!param_is_option(&command->params[i]) && optind < argc)
			reading->value[i] = argv[optind++];
	if (optind < argc)
		return wrong_use(error, "'%s' is one word too many for '%s'", argv[optind],
				 command_name(command, name));
	return true;
}

static bool check_value(const struct param *param, const char *value, struct error *error)
{
	if (value == NULL && (param->flags & PARAM_REQUIRED))
		return wrong_use(error, "%s%s%s is missing: %s", param->name,
				 param->value != NULL ? " " : "",
				 param->value != NULL ? param->value : "", param->help);
	if (value == NULL || (param_is_option(param) && param->value == NULL))
		return true;
	if (value[0] == '\0')
		return wrong_use(error, "%s is empty", param->name);
	if (param->check != NULL && !param->check(value, error)) {
		error->code = WRONG_USE;
		return error_context(error, "%s '%.40s'", param->name, value);
	}
	return true;
}

bool reading_check(const struct reading *reading, const struct command *command,
		   struct error *error)
{
	for (size_t i = 0; i < params_count(command); i++)
		if (!check_value(&command->params[i], reading->value[i], error))
			return false;
	return true;
}
