/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#include "reading.h"

void help_usage(FILE *out, const struct command *command)
{
	char name[COMMAND_NAME_MAX];

	fprintf(out, "stipactl %s", command_name(command, name));
	for (size_t i = 0; i < params_count(command); i++) {
		const struct param *param = &command->params[i];
		bool required = param->flags & PARAM_REQUIRED;

		fprintf(out, " %s%s%s%s%s", required ? "" : "[", param->name,
			param->value != NULL ? " " : "", param->value != NULL ? param->value : "",
			required ? "" : "]");
	}
	fputc('\n', out);
}

static void print_params(const struct param *params, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", params[i].name,
			 params[i].value != NULL ? " " : "",
			 params[i].value != NULL ? params[i].value : "");
		printf("  %-24s %s\n", left, params[i].help);
	}
}

void help_command(const struct command *command)
{
	printf("usage: ");
	help_usage(stdout, command);
	printf("\n%s\n", command->help);
	if (params_count(command) > 0) {
		fputc('\n', stdout);
		print_params(command->params, params_count(command));
	}
	printf("\nand always:\n");
	print_params(global_params, GLOBALS);
}

void help_commands(const char *group)
{
	const struct command *command;

	printf("usage: stipactl [--config FILE] [--json] [--actor NAME] GROUP VERB ...\n");
	FOR_EACH_COMMAND(command)
	{
		char name[COMMAND_NAME_MAX];

		if (group == NULL || strcmp(command->group, group) == 0)
			printf("  %-22s  %s\n", command_name(command, name), command->help);
	}
	printf("\n'stipactl GROUP VERB --help' explains one of them; see also stipactl(1).\n");
}
