/* SPDX-License-Identifier: Apache-2.0 */
#include "made_secret.h"

#include <stdio.h>

#include "act.h"

void made_secret_clear(struct made_secret *made)
{
	secret_clear(&made->secret);
}

bool made_secret_make(struct ctl *ctl, enum client_secret_form form, const char *path,
		      struct made_secret *made, struct error *error)
{
	if (ctl->settings.environment == NULL)
		return error_set(error, ERROR_INVALID,
				 "%s: 'environment' is not set, and a secret names it",
				 ctl->config_file);
	return client_secret_make(&made->secret, form, ctl->settings.environment, error) &&
	       secret_file_write(&made->file, path, &made->secret, error);
}

static json_t *member_of(const struct made_secret *made, const char *name)
{
	char file_name[64];

	if (made->file.path == NULL)
		return json_pack("{s:s}", name, made->secret.bytes);
	snprintf(file_name, sizeof(file_name), "%s_file", name);
	return json_pack("{s:s}", file_name, made->file.path);
}

bool made_secret_show(struct ctl *ctl, const struct made_secret *made, const char *name,
		      const PGresult *acted, const PGresult *shown, struct error *error)
{
	json_auto_t *extra = NULL;

	if (acted == NULL) {
		secret_file_drop(&made->file);
		return false;
	}
	extra = member_of(made, name);
	if (shown == NULL) /* the secret must come out all the same */
		output_record(ctl, extra);
	else if (!show_acted_with(ctl, acted, shown, extra, error))
		return false;
	if (made->file.path == NULL)
		output_note(ctl, "Keep the %s now: it is stored nowhere and not shown again.",
			    name);
	return secret_file_keep(&made->file, error);
}
