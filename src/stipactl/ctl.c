/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "db/query.h"
#include "memory.h"

const char *ctl_value(const struct ctl *ctl, const char *name)
{
	const struct param *params = ctl->command->params;

	for (size_t i = 0; params != NULL && params[i].name != NULL; i++)
		if (strcmp(params[i].name, name) == 0)
			return ctl->value[i];
	assert(!"a value that the command's parameters do not have");
	return NULL;
}

const char *ctl_value_or(const struct ctl *ctl, const char *name, const char *otherwise)
{
	const char *value = ctl_value(ctl, name);

	return value != NULL ? value : otherwise;
}

const char *ctl_reason(struct ctl *ctl)
{
	const char *reason = ctl_value(ctl, "--reason");

	if (reason != NULL)
		return reason;
	snprintf(ctl->reason_made, sizeof(ctl->reason_made), "stipactl %s %s", ctl->command->group,
		 ctl->command->verb); /* one that acts has a verb */
	return ctl->reason_made;
}

/* The person behind this process: through sudo the one who called it. */
static char *user_name(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());

	if (getuid() == 0 && sudo != NULL && sudo[0] != '\0')
		return memory_or_end(strdup(sudo));
	return memory_or_end(strdup(user != NULL ? user->pw_name : "unknown"));
}

bool ctl_settings(struct ctl *ctl, struct error *error)
{
	if (ctl->has_settings)
		return true;
	if (!settings_read(&ctl->settings, ctl->config_file, error))
		return false;
	ctl->has_settings = true;
	if (ctl->actor == NULL)
		ctl->actor = ctl->settings.actor;
	if (ctl->actor == NULL)
		ctl->actor = ctl->actor_made = user_name();
	return true;
}

static const char *conninfo_of(const struct ctl *ctl, enum command_needs as, struct error *error)
{
	const char *name = as == NEEDS_OWNER ? "database_owner" : "database";
	const char *conninfo =
		as == NEEDS_OWNER ? ctl->settings.database_owner : ctl->settings.database;

	if (conninfo == NULL)
		error_set(error, ERROR_INVALID, "%s: '%s' is not set", ctl->config_file, name);
	return conninfo;
}

bool ctl_connect(struct ctl *ctl, enum command_needs as, struct error *error)
{
	const char *conninfo;

	if (ctl->pg != NULL)
		return true;
	conninfo = conninfo_of(ctl, as, error);
	if (conninfo == NULL)
		return false;
	ctl->pg = db_open(conninfo, "stipactl", error);
	return ctl->pg != NULL;
}

void ctl_clear(struct ctl *ctl)
{
	PQfinish(ctl->pg);
	settings_clear(&ctl->settings);
	free(ctl->actor_made);
}
