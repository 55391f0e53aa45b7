/* SPDX-License-Identifier: Apache-2.0 */
/* stipactl: the operator's tool.  commands.c is its table of contents. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "commands.h"
#include "config.h"
#include "help.h"
#include "issue/schema.h"
#include "memory.h"
#include "output.h"
#include "reading.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

static void take_globals(struct ctl *ctl, const struct reading *reading)
{
	if (reading->global[GLOBAL_CONFIG] != NULL)
		ctl->config_file = reading->global[GLOBAL_CONFIG];
	if (reading->global[GLOBAL_ACTOR] != NULL)
		ctl->actor = reading->global[GLOBAL_ACTOR];
	if (reading->global[GLOBAL_JSON] != NULL)
		ctl->json = true;
}

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
	if (!reading_operands(&reading, ctl->command, argc, argv, error) ||
	    !reading_check(&reading, ctl->command, error))
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
	bool ok;

	memory_of_json();
	ok = run(&ctl, argc, argv, &error);
	if (!ok) {
		output_error(&ctl, &error);
		if (exit_status(ok, &error) == EXIT_WRONG_USE && ctl.command != NULL && !ctl.json) {
			fputs("usage: ", stderr);
			help_usage(stderr, ctl.command);
		}
	}
	ctl_clear(&ctl);
	if ((fflush(stdout) != 0 || ferror(stdout)) && ok) {
		perror("stipactl: standard output");
		return EXIT_FAILED;
	}
	return exit_status(ok, &error);
}
