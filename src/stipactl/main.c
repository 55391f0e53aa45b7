/* SPDX-License-Identifier: Apache-2.0 */
/* stipactl: the operator's tool.  This file is its table of contents, the command line and help. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "command.h"
#include "config.h"
#include "issue/schema.h"
#include "nearest.h"
#include "output.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

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

static const struct param globals[] = {
	{ "--config", "FILE", 0, NULL, "the configuration file [" SETTINGS_FILE "]" },
	{ "--json", NULL, 0, NULL, "output for scripts" },
	{ "--actor", "NAME", 0, NULL, "who acts, for the audit [you]" },
	{ "--help", NULL, 0, NULL, "explain the command" },
	{ "--version", NULL, 0, NULL, "say the versions of this program and of what it uses" },
};

enum { GLOBAL_CONFIG, GLOBAL_JSON, GLOBAL_ACTOR, GLOBAL_HELP, GLOBAL_VERSION, GLOBALS };

/* ---- the table ---- */

static const struct command *command_next(size_t *table, size_t *row)
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

#define FOR_EACH_COMMAND(command)                                                                  \
	for (size_t table_ = 0, row_ = 0; ((command) = command_next(&table_, &row_)) != NULL;)

static size_t params_count(const struct command *command)
{
	size_t n = 0;

	while (command->params != NULL && command->params[n].name != NULL)
		n++;
	return n;
}

static bool param_is_option(const struct param *param)
{
	return param->name[0] == '-';
}

static bool param_is_short(const struct param *param)
{
	return param->name[0] == '-' && param->name[1] != '-';
}

/* ---- help ---- */

#define COMMAND_NAME_MAX 40

/* "account add", "client key add", "doctor" */
static const char *command_name(const struct command *command, char name[COMMAND_NAME_MAX])
{
	snprintf(name, COMMAND_NAME_MAX, "%s%s%s", command->group,
		 command->verb[0] != '\0' ? " " : "", command->verb);
	return name;
}

static void print_usage(FILE *out, const struct command *command)
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

static void help_command(const struct command *command)
{
	printf("usage: ");
	print_usage(stdout, command);
	printf("\n%s\n", command->help);
	if (params_count(command) > 0) {
		fputc('\n', stdout);
		print_params(command->params, params_count(command));
	}
	printf("\nand always:\n");
	print_params(globals, GLOBALS);
}

/* Of all groups when @group is NULL. */
static void help_commands(const char *group)
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

/* ---- the command line ---- */

static bool group_exists(const char *group)
{
	const struct command *command;

	FOR_EACH_COMMAND(command)
	if (strcmp(command->group, group) == 0)
		return true;
	return false;
}

static bool unknown_group(const char *group, struct error *error)
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

static const struct command *command_find(int argc, char **argv, int *words)
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

/* @argv begins no command: say what comes near. */
static bool command_unknown(int argc, char **argv, struct error *error)
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

static bool unknown_option(const struct command *command, const char *text, struct error *error)
{
	struct nearest nearest = nearest_to(text);

	for (size_t i = 0; command != NULL && i < params_count(command); i++)
		if (param_is_option(&command->params[i]))
			nearest_offer(&nearest, command->params[i].name);
	for (size_t i = 0; i < GLOBALS; i++)
		nearest_offer(&nearest, globals[i].name);
	if (nearest.best != NULL)
		return wrong_use(error, "no option '%s' here: did you mean '%s'?", text,
				 nearest.best);
	return wrong_use(error, "no option '%s' here: see --help", text);
}

/* One reading of the command line, by getopt_long, against globals and a command's options. */
struct reading {
	struct option options[GLOBALS + PARAMS_MAX + 1];
	const char *global[GLOBALS];
	const char *value[PARAMS_MAX];
	const char **text[GLOBALS + PARAMS_MAX]; /* where options[i] goes */
	size_t n;
	char order[2 * PARAMS_MAX + 4]; /* getopt's: how operands are met, then short options */
};

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

/* "+" in @order stops at the first operand. */
static void reading_prepare(struct reading *reading, const struct command *command,
			    const char *order)
{
	strcpy(reading->order, order);
	for (size_t i = 0; i < GLOBALS; i++)
		reading_add(reading, &globals[i], &reading->global[i]);
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

/* The options of argv from the second on. */
static bool reading_options(struct reading *reading, const struct command *command, int argc,
			    char **argv, struct error *error)
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

static bool take_operands(struct reading *reading, const struct command *command, int argc,
			  char **argv, struct error *error)
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

static bool check_values(const struct reading *reading, const struct command *command,
			 struct error *error)
{
	for (size_t i = 0; i < params_count(command); i++)
		if (!check_value(&command->params[i], reading->value[i], error))
			return false;
	return true;
}

static void take_globals(struct ctl *ctl, const struct reading *reading)
{
	if (reading->global[GLOBAL_CONFIG] != NULL)
		ctl->config_file = reading->global[GLOBAL_CONFIG];
	if (reading->global[GLOBAL_ACTOR] != NULL)
		ctl->actor = reading->global[GLOBAL_ACTOR];
	if (reading->global[GLOBAL_JSON] != NULL)
		ctl->json = true;
}

/* ---- one run ---- */

static bool open_what_it_needs(struct ctl *ctl, struct error *error)
{
	if (ctl->command->needs == NEEDS_NOTHING)
		return true;
	return ctl_settings(ctl, error) && ctl_connect(ctl, ctl->command->needs, error);
}

/* Of what runs, not of what it was built with. */
static void show_version(const struct ctl *ctl)
{
	int pq = PQlibVersion();
	char libpq[24];
	json_auto_t *record = NULL;

	snprintf(libpq, sizeof(libpq), "%d.%d", pq / 10000, pq % 10000);
	record = json_pack("{s:s,s:i,s:s,s:s,s:s}", "stipactl", PACKAGE_VERSION, "schema",
			   SCHEMA_NEWEST, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING),
			   "libpq", libpq, "jansson", jansson_version_str());
	output_record(ctl, record);
}

/* argv[0] is the last word of the command's name. */
static bool run_command(struct ctl *ctl, int argc, char **argv, struct error *error)
{
	struct reading reading = { 0 };

	reading_prepare(&reading, ctl->command, ":");
	if (!reading_options(&reading, ctl->command, argc, argv, error))
		return false;
	take_globals(ctl, &reading);
	if (reading.global[GLOBAL_HELP] != NULL) {
		help_command(ctl->command);
		return true;
	}
	if (reading.global[GLOBAL_VERSION] != NULL) {
		show_version(ctl);
		return true;
	}
	if (!take_operands(&reading, ctl->command, argc, argv, error) ||
	    !check_values(&reading, ctl->command, error))
		return false;
	memcpy(ctl->value, reading.value, sizeof(ctl->value));
	return open_what_it_needs(ctl, error) && ctl->command->run(ctl, error);
}

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0;
}

/* "GROUP --help" and "help GROUP". */
static bool help_group(const char *group, struct error *error)
{
	if (!group_exists(group))
		return unknown_group(group, error);
	help_commands(group);
	return true;
}

/* argv[0] is the group. */
static bool run_group(struct ctl *ctl, int argc, char **argv, struct error *error)
{
	int words;

	if (argc == 0)
		return wrong_use(error, "no command: 'stipactl help' lists them");
	if (is_help(argv[0]) && argc == 1) {
		help_commands(NULL);
		return true;
	}
	if (is_help(argv[0]))
		return help_group(argv[1], error);
	ctl->command = command_find(argc, argv, &words);
	if (ctl->command != NULL)
		return run_command(ctl, argc - words + 1, argv + words - 1, error);
	if (argc > 1 && is_help(argv[argc - 1]))
		return help_group(argv[0], error);
	return command_unknown(argc, argv, error);
}

static bool run(struct ctl *ctl, int argc, char **argv, struct error *error)
{
	struct reading reading = { 0 };

	reading_prepare(&reading, NULL, "+:");
	if (!reading_options(&reading, NULL, argc, argv, error))
		return false;
	take_globals(ctl, &reading);
	if (reading.global[GLOBAL_HELP] != NULL) {
		help_commands(NULL);
		return true;
	}
	if (reading.global[GLOBAL_VERSION] != NULL) {
		show_version(ctl);
		return true;
	}
	return run_group(ctl, argc - optind, argv + optind, error);
}

static int exit_status(bool ok, const struct error *error)
{
	if (ok)
		return EXIT_DONE;
	return error->code != NULL && strcmp(error->code, WRONG_USE) == 0 ? EXIT_WRONG_USE
									  : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .config_file = SETTINGS_FILE, .now = time(NULL) };
	struct error error = { 0 };
	bool ok = run(&ctl, argc, argv, &error);

	if (!ok) {
		output_error(&ctl, &error);
		if (exit_status(ok, &error) == EXIT_WRONG_USE && ctl.command != NULL && !ctl.json) {
			fputs("usage: ", stderr);
			print_usage(stderr, ctl.command);
		}
	}
	ctl_clear(&ctl);
	if (fflush(stdout) != 0 && ok) {
		perror("stipactl: standard output");
		return EXIT_FAILED;
	}
	return exit_status(ok, &error);
}
