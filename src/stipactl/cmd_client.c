/* SPDX-License-Identifier: Apache-2.0 */
/* API clients and their secrets.  A secret is made here, shown once or written to a file, and
 * only its digest is sent to the database. */
#include "act.h"
#include "crypto/client_secret.h"
#include "registry/client.h"
#include "secret_file.h"

#define EXPIRES_DEFAULT "365d"

/* A new secret and what becomes of it. */
struct grant {
	struct secret secret;
	struct secret_file file;
	struct client_digests digests;
	char expires[WHEN_TEXT_MAX];
};

#define grant_auto struct grant __attribute__((cleanup(grant_clear)))

static void grant_clear(struct grant *grant)
{
	secret_clear(&grant->secret);
}

static bool grant_make(struct ctl *ctl, struct grant *grant, struct error *error)
{
	const char *environment = ctl->settings.environment;

	if (environment == NULL)
		return error_set(error, ERROR_INVALID,
				 "%s: 'environment' is not set, and a secret names it",
				 ctl->config_file);
	if (!when_parse(ctl_value_or(ctl, "--expires", EXPIRES_DEFAULT), WHEN_AHEAD, ctl->now,
			grant->expires, error) ||
	    !client_secret_make(&grant->secret, SECRET_OF_CLIENT, environment, error))
		return false;
	client_secret_digest(&grant->secret, ctl_value(ctl, "CLIENT"), grant->digests.client);
	credential_digest_secret(grant->secret.bytes, grant->secret.len, grant->digests.nobody);
	return secret_file_write(&grant->file, ctl_value(ctl, "--secret-file"), &grant->secret,
				 error);
}

/* The one place where a secret is shown. */
static bool grant_show(struct ctl *ctl, const struct grant *grant, const PGresult *acted,
		       struct error *error)
{
	const char *file = grant->file.path;
	json_auto_t *extra = file != NULL ? json_pack("{s:s}", "secret_file", file)
					  : json_pack("{s:s}", "secret", grant->secret.bytes);
	PGresult_auto *shown = NULL;
	struct error no_view = { 0 };

	if (acted == NULL) {
		secret_file_drop(&grant->file);
		return false;
	}
	shown = client_show(ctl->pg, ctl_value(ctl, "CLIENT"), &no_view);
	if (shown == NULL) /* the secret must come out all the same */
		output_record(ctl, extra);
	else if (!show_acted_with(ctl, acted, shown, extra, error))
		return false;
	if (file == NULL)
		output_note(ctl, "Keep the secret now: it is stored nowhere and not shown again.");
	return secret_file_keep(&grant->file, error);
}

static bool add(struct ctl *ctl, struct error *error)
{
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = NULL;
	grant_auto grant = { 0 };

	if (!grant_make(ctl, &grant, error))
		return false;
	acted = client_add(ctl->pg, &act, ctl_value(ctl, "ACCOUNT"), ctl_value(ctl, "CLIENT"),
			   &grant.digests, grant.expires, error);
	return grant_show(ctl, &grant, acted, error);
}

static bool rotate(struct ctl *ctl, struct error *error)
{
	struct act act = ctl_act(ctl);
	char keep[WHEN_TEXT_MAX];
	PGresult_auto *acted = NULL;
	grant_auto grant = { 0 };

	if (!grant_make(ctl, &grant, error))
		return false;
	acted = client_rotate(ctl->pg, &act, ctl_value(ctl, "CLIENT"), &grant.digests,
			      grant.expires, ctl_time(ctl, "--keep-old-until", WHEN_AHEAD, keep),
			      error);
	return grant_show(ctl, &grant, acted, error);
}

typedef PGresult *(*client_step_fn)(PGconn *pg, const struct act *act, const char *client,
				    struct error *error);

static bool step(struct ctl *ctl, client_step_fn client_step, struct error *error)
{
	const char *client = ctl_value(ctl, "CLIENT");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = client_step(ctl->pg, &act, client, error);
	PGresult_auto *shown = acted != NULL ? client_show(ctl->pg, client, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool disable(struct ctl *ctl, struct error *error)
{
	return step(ctl, client_disable, error);
}

static bool enable(struct ctl *ctl, struct error *error)
{
	return step(ctl, client_enable, error);
}

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = client_show(ctl->pg, ctl_value(ctl, "CLIENT"), error);

	return show_record(ctl, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = client_list(ctl->pg, ctl_value(ctl, "--account"), error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
#define PARAM_CLIENT { "CLIENT", NULL, PARAM_REQUIRED, check_client, "the client's id" }
#define PARAM_EXPIRES \
	{ "--expires", "TIME", 0, check_time_ahead, "when the secret ends [" EXPIRES_DEFAULT "]" }
#define PARAM_SECRET_FILE \
	{ "--secret-file", "FILE", 0, NULL, "write the secret there (0600), do not show it" }
static const struct param add_params[] = {
	PARAM_ACCOUNT, PARAM_CLIENT, PARAM_EXPIRES, PARAM_SECRET_FILE, PARAM_REASON, { 0 },
};
static const struct param rotate_params[] = {
	PARAM_CLIENT,
	PARAM_EXPIRES,
	{ "--keep-old-until", "TIME", 0, check_time_ahead, "the old secret's end [now]" },
	PARAM_SECRET_FILE,
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param show_params[] = { PARAM_CLIENT, { 0 } };
static const struct param give_params[] = { PARAM_CLIENT, PARAM_REASON, { 0 } };
static const struct param take_params[] = { PARAM_CLIENT, PARAM_REASON_REQUIRED, { 0 } };
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ 0 },
};

const struct command client_commands[] = {
	{ "client", "add", NEEDS_DATABASE, add, "make a client and its secret", add_params },
	{ "client", "rotate", NEEDS_DATABASE, rotate, "give it a new secret", rotate_params },
	{ "client", "disable", NEEDS_DATABASE, disable, "no token for it from now on", take_params },
	{ "client", "enable", NEEDS_DATABASE, enable, "end that", give_params },
	{ "client", "show", NEEDS_DATABASE, show, "show one", show_params },
	{ "client", "list", NEEDS_DATABASE, list, "list the clients", list_params },
	{ 0 },
};
/* clang-format on */
