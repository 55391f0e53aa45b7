/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API users: the logins of deployed clients.  Normally their password is made here and checked by
 * a digest; one that somebody has chosen, or that comes from elsewhere as a hash, is checked by
 * argon2id, which takes its time.
 */
#include <string.h>

#include "act.h"
#include "crypto/password.h"
#include "made_secret.h"
#include "registry/api_user.h"

#define CHOSEN_MIN 12 /* characters */

/* Where a password comes from, and what is kept of it. */
struct credential {
	struct made_secret made;
	char hash[PASSWORD_HASH_MAX + 1];
	struct api_user_password password;
};

#define credential_auto struct credential __attribute__((cleanup(credential_clear)))

static void credential_clear(struct credential *credential)
{
	made_secret_clear(&credential->made);
}

static bool from_chosen(struct credential *credential, const char *path, struct error *error)
{
	struct client_secret_kind kind;
	secret_auto chosen = { 0 };

	if (!secret_read_file(&chosen, path, error))
		return error_context(error, "--password-file");
	if (chosen.len < CHOSEN_MIN)
		return error_set(error, ERROR_INVALID, "%s: a password of fewer than %d characters",
				 path, CHOSEN_MIN);
	if (client_secret_read(chosen.bytes, chosen.len, &kind))
		return error_set(error, ERROR_INVALID,
				 "%s: this has the form of a secret that was made here: leave "
				 "--password-file out, and one is made",
				 path);
	credential->password.hash = credential->hash;
	return password_hash(&chosen, credential->hash, error);
}

static bool from_hash(struct credential *credential, const char *path, struct error *error)
{
	secret_auto hash = { 0 };

	if (!secret_read_file(&hash, path, error))
		return error_context(error, "--import-hash");
	if (!password_hash_check(hash.bytes, error))
		return error_context(error, "%s", path);
	strcpy(credential->hash, hash.bytes); /* checked: not longer than a hash may be */
	credential->password.hash = credential->hash;
	return true;
}

static bool from_us(struct ctl *ctl, struct credential *credential, struct error *error)
{
	const char *user = ctl_value(ctl, "USER");
	const struct secret *secret = &credential->made.secret;

	if (!made_secret_make(ctl, SECRET_PASSWORD, ctl_value(ctl, "--secret-file"),
			      &credential->made, error))
		return false;
	credential_digest_login(user, strlen(user), secret->bytes, secret->len,
				credential->password.digest);
	credential_digest_secret(secret->bytes, secret->len, credential->password.secret_digest);
	return true;
}

static bool credential_take(struct ctl *ctl, struct credential *credential, struct error *error)
{
	const char *chosen = ctl_value(ctl, "--password-file");
	const char *hash = ctl_value(ctl, "--import-hash");

	if ((chosen != NULL) + (hash != NULL) + (ctl_value(ctl, "--secret-file") != NULL) > 1)
		return wrong_use(error, "one of --password-file, --import-hash and --secret-file");
	if (chosen != NULL)
		return from_chosen(credential, chosen, error);
	return hash != NULL ? from_hash(credential, hash, error) : from_us(ctl, credential, error);
}

static bool credential_show(struct ctl *ctl, const struct credential *credential,
			    const PGresult *acted, struct error *error)
{
	struct error no_view = { 0 };
	PGresult_auto *shown =
		acted != NULL ? api_user_show(ctl->pg, ctl_value(ctl, "USER"), &no_view) : NULL;

	if (credential->password.hash == NULL)
		return made_secret_show(ctl, &credential->made, "password", acted, shown, error);
	if (acted != NULL && shown == NULL)
		error_set(error, no_view.kind, "%s", no_view.detail);
	return show_acted(ctl, acted, shown, error);
}

static bool add(struct ctl *ctl, struct error *error)
{
	struct act act = ctl_act(ctl);
	credential_auto credential = { 0 };
	PGresult_auto *acted = NULL;

	if (!credential_take(ctl, &credential, error))
		return false;
	acted = api_user_add(ctl->pg, &act, ctl_value(ctl, "CLIENT"), ctl_value(ctl, "USER"),
			     &credential.password, error);
	return credential_show(ctl, &credential, acted, error);
}

static bool rotate(struct ctl *ctl, struct error *error)
{
	struct act act = ctl_act(ctl);
	credential_auto credential = { 0 };
	PGresult_auto *acted = NULL;

	if (!credential_take(ctl, &credential, error))
		return false;
	acted = api_user_rotate(ctl->pg, &act, ctl_value(ctl, "USER"), &credential.password, error);
	return credential_show(ctl, &credential, acted, error);
}

typedef PGresult *(*user_step_fn)(PGconn *pg, const struct act *act, const char *user,
				  struct error *error);

static bool step(struct ctl *ctl, user_step_fn user_step, struct error *error)
{
	const char *user = ctl_value(ctl, "USER");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = user_step(ctl->pg, &act, user, error);
	PGresult_auto *shown = acted != NULL ? api_user_show(ctl->pg, user, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool disable(struct ctl *ctl, struct error *error)
{
	return step(ctl, api_user_disable, error);
}

static bool enable(struct ctl *ctl, struct error *error)
{
	return step(ctl, api_user_enable, error);
}

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = api_user_show(ctl->pg, ctl_value(ctl, "USER"), error);

	return show_record(ctl, shown, error);
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = api_user_list(ctl->pg, ctl_value(ctl, "--account"),
					     ctl_value(ctl, "--client"), error);

	return show_list(ctl, shown, error);
}

/* clang-format off */
#define PARAM_USER { "USER", NULL, PARAM_REQUIRED, check_user, "the user's name, userId of a login" }
#define PARAMS_PASSWORD \
	{ "--password-file", "FILE", 0, NULL, "its first line is the password [one is made]" }, \
	{ "--import-hash", "FILE", 0, NULL, "its first line is an argon2id hash, encoded" }, \
	{ "--secret-file", "FILE", 0, NULL, "write the made password there (0600), do not show it" }
static const struct param add_params[] = {
	{ "CLIENT", NULL, PARAM_REQUIRED, check_client, "the client whose rights it has" },
	PARAM_USER, PARAMS_PASSWORD, PARAM_REASON, { 0 },
};
static const struct param rotate_params[] = {
	PARAM_USER, PARAMS_PASSWORD, PARAM_REASON_REQUIRED, { 0 },
};
static const struct param show_params[] = { PARAM_USER, { 0 } };
static const struct param give_params[] = { PARAM_USER, PARAM_REASON, { 0 } };
static const struct param take_params[] = { PARAM_USER, PARAM_REASON_REQUIRED, { 0 } };
static const struct param list_params[] = {
	{ "--account", "ACCOUNT", 0, check_account, "only this account's" },
	{ "--client", "CLIENT", 0, check_client, "only this client's" },
	{ 0 },
};

const struct command api_user_commands[] = {
	{ "api-user", "add", NEEDS_DATABASE, add, "make a login and its password", add_params },
	{ "api-user", "rotate", NEEDS_DATABASE, rotate, "give it another password", rotate_params },
	{ "api-user", "disable", NEEDS_DATABASE, disable, "no login from now on, and no token for one",
	  take_params },
	{ "api-user", "enable", NEEDS_DATABASE, enable, "end that", give_params },
	{ "api-user", "show", NEEDS_DATABASE, show, "show one", show_params },
	{ "api-user", "list", NEEDS_DATABASE, list, "list the logins", list_params },
	{ 0 },
};
/* clang-format on */
