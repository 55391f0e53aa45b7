/* SPDX-License-Identifier: Apache-2.0 */
/* stipad: one node of the token authority. */
#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "config/config.h"
#include "stipad/monitor.h"

#define DEFAULT_CONFIG SYSCONFDIR "/stipa/stipad.conf"

enum { EXIT_USAGE = 2 };

enum act { ACT_RUN, ACT_CHECK, ACT_PRINT };

struct arguments {
	const char *config; /* NULL: not given */
	enum act act;
};

/* argp prints what these say. */
const char *argp_program_version = PACKAGE_STRING;
const char *argp_program_bug_address = NULL;

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0, "read FILE instead of " DEFAULT_CONFIG, 0 },
	{ "check-config", 't', NULL, 0, "check the configuration, tell every fault, and exit", 0 },
	{ "print-config", 'T', NULL, 0,
	  "print the configuration of --config, or without it the defaults, and exit", 0 },
	{ 0 },
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config = value;
		return 0;
	case 't':
		arguments->act = ACT_CHECK;
		return 0;
	case 'T':
		arguments->act = ACT_PRINT;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A socket that got one of the first three numbers would be taken for the log. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd >= 0)
		close(fd);
}

static struct config *load(const struct arguments *arguments)
{
	return config_load(arguments->config == NULL ? DEFAULT_CONFIG : arguments->config, stderr);
}

static enum log_level level_of(const char *name)
{
	static const char *const names[] = {
		[LOG_LEVEL_DEBUG] = "debug",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_WARNING] = "warning",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return LOG_LEVEL_ERROR;
}

static int run(const struct arguments *arguments)
{
	struct config *config = load(arguments);
	struct log log = { .fd = STDERR_FILENO, .process = "monitor" };
	int status;

	if (config == NULL)
		return EXIT_FAILURE;
	log.least = level_of(config->log_level);
	status = monitor_run(config, &log);
	config_free(config);
	return status;
}

static int check(const struct arguments *arguments)
{
	struct config *config = load(arguments);
	int status = config == NULL ? EXIT_FAILURE : EXIT_SUCCESS;

	config_free(config);
	return status;
}

static int print(const struct arguments *arguments)
{
	struct config *config = arguments->config == NULL ? NULL : load(arguments);

	if (arguments->config != NULL && config == NULL)
		return EXIT_FAILURE;
	config_print(config_options, config, stdout);
	config_free(config);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = take_option,
		.doc = "One node of the STI-PA token authority.  See stipad(8).",
	};
	static int (*const acts[])(const struct arguments *arguments) = {
		[ACT_RUN] = run,
		[ACT_CHECK] = check,
		[ACT_PRINT] = print,
	};
	struct arguments arguments = { .act = ACT_RUN };

	fill_standard_descriptors();
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	return acts[arguments.act](&arguments);
}
