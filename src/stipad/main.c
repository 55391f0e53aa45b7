/* SPDX-License-Identifier: Apache-2.0 */
/* stipad: one node of the token authority. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config.h"
#include "config/config.h"
#include "stipad/generation.h"
#include "stipad/monitor.h"

#define DEFAULT_CONFIG SYSCONFDIR "/stipa/stipad.conf"

enum { EXIT_USAGE = 2 };

/* The control pair of a generation. */
#define CONTROL_FD 3

/* Options without a letter. */
enum { KEY_GENERATION = 256 };

enum act { ACT_RUN, ACT_CHECK, ACT_PRINT, ACT_GENERATION };

struct arguments {
	const char *program; /* whatever lies there when a generation starts */
	const char *config;  /* NULL: not given */
	enum act act;
	unsigned int generation;
	unsigned int ready_s;
};

/* argp prints what these say. */
const char *argp_program_version = PACKAGE_STRING;
const char *argp_program_bug_address = NULL;

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0, "read FILE instead of " DEFAULT_CONFIG, 0 },
	{ "check-config", 't', NULL, 0, "check the configuration, tell every fault, and exit", 0 },
	{ "print-config", 'T', NULL, 0,
	  "print the configuration of --config, or without it the defaults, and exit", 0 },
	{ "ready-timeout", 'r', "SECONDS", 0,
	  "a new generation that is not ready by then is refused [20]", 0 },
	{ "generation", KEY_GENERATION, "N", OPTION_HIDDEN, "the monitor starts it so", 0 },
	{ 0 },
};

static bool parse_seconds(const char *text, unsigned int *seconds)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*seconds = (unsigned int)value;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value > 0 && value <= 3600;
}

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
	case 'r':
		if (!parse_seconds(value, &arguments->ready_s))
			argp_error(state, "--ready-timeout: want 1 to 3600 seconds");
		return 0;
	case KEY_GENERATION:
		arguments->act = ACT_GENERATION;
		arguments->generation = (unsigned int)atoi(value);
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

static const char *config_of(const struct arguments *arguments)
{
	return arguments->config == NULL ? DEFAULT_CONFIG : arguments->config;
}

static struct config *load(const struct arguments *arguments)
{
	return config_load(config_of(arguments), stderr);
}

/* ---- the monitor ---- */

/* Without a slash it was found by the PATH, which may find another one the next time. */
static const char *program_of(const char *name, char path[PATH_MAX])
{
	ssize_t len;

	if (strchr(name, '/') != NULL)
		return name;
	len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len < 0)
		return name;
	path[len] = '\0';
	return path;
}

/* A generation begins with what lies on the disk: the program, the configuration, the rest. */
static void become_generation(void *arg, unsigned int number, int control_fd)
{
	const struct arguments *arguments = arg;
	char text[16], why[320];
	const char *const argv[] = { arguments->program, "--config", config_of(arguments),
				     "--generation",	 text,	     NULL };

	snprintf(text, sizeof(text), "%u", number);
	if (control_fd == CONTROL_FD)
		fcntl(CONTROL_FD, F_SETFD, 0);
	else
		dup2(control_fd, CONTROL_FD);
	execv(arguments->program, (char *const *)argv);
	snprintf(why, sizeof(why), "%.200s: %s", arguments->program, strerror(errno));
	generation_refuse(CONTROL_FD, why);
	_exit(EXIT_FAILURE);
}

static int run(const struct arguments *arguments)
{
	const struct log log = { .fd = STDERR_FILENO,
				 .least = LOG_LEVEL_INFO,
				 .process = "monitor" };
	char path[PATH_MAX];
	struct arguments kept = *arguments;
	const struct monitor_options monitor = { .log = &log,
						 .become = become_generation,
						 .arg = &kept,
						 .ready_ms = arguments->ready_s * 1000 };

	kept.program = program_of(arguments->program, path);
	return monitor_run(&monitor);
}

/* ---- a generation ---- */

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

/* The first fault says it; the log has them all. */
static void refuse(char *faults)
{
	fputs(faults, stderr);
	faults[strcspn(faults, "\n")] = '\0';
	generation_refuse(CONTROL_FD, faults);
}

static struct config *load_or_refuse(const struct arguments *arguments)
{
	char *faults = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&faults, &len);
	struct config *config;

	if (file == NULL)
		abort();
	config = config_load(config_of(arguments), file);
	fclose(file);
	if (config == NULL)
		refuse(faults);
	free(faults);
	return config;
}

static int lead(const struct arguments *arguments)
{
	struct config *config = load_or_refuse(arguments);
	struct log log = { .fd = STDERR_FILENO };
	int status;

	if (config == NULL)
		return EXIT_FAILURE;
	log.least = level_of(config->log_level);
	snprintf(log.process, sizeof(log.process), "generation-%u", arguments->generation);
	prctl(PR_SET_NAME, log.process);
	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	status = generation_run(config, &log, CONTROL_FD);
	config_free(config);
	return status;
}

/* ---- and what needs neither ---- */

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
		[ACT_GENERATION] = lead,
	};
	struct arguments arguments = { .program = argv[0], .act = ACT_RUN };

	fill_standard_descriptors();
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	return acts[arguments.act](&arguments);
}
