/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <confuse.h>

static const char *const environments[] = { "production", "staging", "demo" };

/* libconfuse speaks through a callback; what it says first is the error. */
static __thread struct error *reading;

__attribute__((format(printf, 2, 0))) static void on_fault(cfg_t *cfg, const char *fmt, va_list ap)
{
	char fault[160];

	vsnprintf(fault, sizeof(fault), fmt, ap);
	error_set(reading, ERROR_INVALID, "%s:%d: %s", cfg->filename, cfg->line, fault);
}

static bool check_environment(const char *environment, const char *file, struct error *error)
{
	if (environment == NULL)
		return true;
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++)
		if (strcmp(environment, environments[i]) == 0)
			return true;
	return error_set(error, ERROR_INVALID,
			 "%s: environment is 'production', 'staging' or 'demo', not '%s'", file,
			 environment);
}

bool settings_read(struct settings *settings, const char *file, struct error *error)
{
	cfg_opt_t options[] = {
		CFG_SIMPLE_STR("database", &settings->database),
		CFG_SIMPLE_STR("database_owner", &settings->database_owner),
		CFG_SIMPLE_STR("environment", &settings->environment),
		CFG_SIMPLE_STR("actor", &settings->actor),
		CFG_SIMPLE_STR("migrations", &settings->migrations),
		CFG_END(),
	};
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	int rc;

	if (cfg == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	reading = error;
	cfg_set_error_function(cfg, on_fault);
	rc = cfg_parse(cfg, file);
	reading = NULL;
	cfg_free(cfg);
	if (rc == CFG_FILE_ERROR)
		return error_set(error, ERROR_INVALID,
				 "%s cannot be read (%s): --config names another file", file,
				 strerror(errno));
	if (rc != CFG_SUCCESS)
		return error_set(error, ERROR_INVALID, "%s: not a configuration", file);
	return check_environment(settings->environment, file, error);
}

void settings_clear(struct settings *settings)
{
	free(settings->database);
	free(settings->database_owner);
	free(settings->environment);
	free(settings->actor);
	free(settings->migrations);
	*settings = (struct settings){ 0 };
}
