/* SPDX-License-Identifier: Apache-2.0 */
/* API clients, their secrets and keys, and what narrows them.  A secret is made here, shown once or
 * written to a file, and only digests of it are sent to the database. */
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "lists.h"
#include "made_secret.h"
#include "public_key.h"
#include "registry/client.h"

#define EXPIRES_DEFAULT "365d"

/* A new secret and what becomes of it. */
struct grant {
	struct made_secret made;
	struct client_credential credential;
	char expires[WHEN_TEXT_MAX];
};

#define grant_auto struct grant __attribute__((cleanup(grant_clear)))

static void grant_clear(struct grant *grant)
{
	made_secret_clear(&grant->made);
}

static bool grant_make(struct ctl *ctl, struct grant *grant, struct error *error)
{
	const struct secret *secret = &grant->made.secret;

	if (!when_parse(ctl_value_or(ctl, "--expires", EXPIRES_DEFAULT), WHEN_AHEAD, ctl->now,
			grant->expires, error) ||
	    !made_secret_make(ctl, SECRET_OF_CLIENT, ctl_value(ctl, "--secret-file"), &grant->made,
			      error))
		return false;
	grant->credential.expires = grant->expires;
	client_secret_digest(secret, ctl_value(ctl, "CLIENT"), grant->credential.digest);
	credential_digest_secret(secret->bytes, secret->len, grant->credential.secret_digest);
	return true;
}

static bool grant_show(struct ctl *ctl, const struct grant *grant, const PGresult *acted,
		       struct error *error)
{
	struct error no_view = { 0 };
	PGresult_auto *shown =
		acted != NULL ? client_show(ctl->pg, ctl_value(ctl, "CLIENT"), &no_view) : NULL;

	return made_secret_show(ctl, &grant->made, "secret", acted, shown, error);
}

static bool add(struct ctl *ctl, struct error *error)
{
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = NULL;
	grant_auto grant = { 0 };

	if (!grant_make(ctl, &grant, error))
		return false;
	acted = client_add(ctl->pg, &act, ctl_value(ctl, "ACCOUNT"), ctl_value(ctl, "CLIENT"),
			   &grant.credential, error);
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
	acted = client_rotate(ctl->pg, &act, ctl_value(ctl, "CLIENT"), &grant.credential,
			      ctl_time(ctl, "--keep-old-until", WHEN_AHEAD, keep), error);
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

/* ---- what narrows it ---- */

typedef PGresult *(*client_set_fn)(PGconn *pg, const struct act *act, const char *client,
				   const char *value, struct error *error);

static bool set(struct ctl *ctl, client_set_fn client_set, const char *value, struct error *error)
{
	const char *client = ctl_value(ctl, "CLIENT");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = client_set(ctl->pg, &act, client, value, error);
	PGresult_auto *shown = acted != NULL ? client_show(ctl->pg, client, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool allow(struct ctl *ctl, struct error *error)
{
	const char *networks = ctl_value(ctl, "NETWORKS");

	return set(ctl, client_allow, strcmp(networks, "everywhere") == 0 ? NULL : networks, error);
}

static bool pin(struct ctl *ctl, struct error *error)
{
	const char *list = ctl_value(ctl, "FINGERPRINTS");
	char hex[FINGERPRINTS_TEXT_MAX];

	if (strcmp(list, "any") == 0)
		return set(ctl, client_pin, NULL, error);
	return fingerprints_read(list, hex, error) && set(ctl, client_pin, hex, error);
}

static bool scopes(struct ctl *ctl, struct error *error)
{
	char sum[12];

	snprintf(sum, sizeof(sum), "%d", scopes_read(ctl_value(ctl, "SCOPES")));
	return set(ctl, client_scopes, sum, error);
}

/* ---- keys ---- */

static bool key_add(struct ctl *ctl, struct error *error)
{
	const char *client = ctl_value(ctl, "CLIENT");
	struct act act = ctl_act(ctl);
	struct public_key public;
	struct client_key key;
	char expires[WHEN_TEXT_MAX];
	PGresult_auto *acted = NULL;
	PGresult_auto *shown = NULL;

	if (!public_key_read(ctl_value(ctl, "FILE"), &public, error) ||
	    !when_parse(ctl_value_or(ctl, "--expires", EXPIRES_DEFAULT), WHEN_AHEAD, ctl->now,
			expires, error))
		return false;
	key.kid = ctl_value_or(ctl, "--kid", public.kid);
	key.expires = expires;
	memcpy(key.spki, public.spki, sizeof(key.spki));
	acted = client_key_add(ctl->pg, &act, client, &key, error);
	shown = acted != NULL ? client_key_show(ctl->pg, client, key.kid, error) : NULL;
	return show_acted(ctl, acted, shown, error);
}

static bool key_remove(struct ctl *ctl, struct error *error)
{
	const char *client = ctl_value(ctl, "CLIENT"), *kid = ctl_value(ctl, "KID");
	struct act act = ctl_act(ctl);
	PGresult_auto *acted = client_key_remove(ctl->pg, &act, client, kid, error);
	PGresult_auto *shown = acted != NULL ? client_key_show(ctl->pg, client, kid, error) : NULL;

	return show_acted(ctl, acted, shown, error);
}

static bool key_list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = client_key_list(ctl->pg, ctl_value(ctl, "--client"),
					       ctl_value(ctl, "--past") != NULL, error);

	return show_list(ctl, shown, error);
}

/* ---- reading ---- */

static bool show(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = client_show(ctl->pg, ctl_value(ctl, "CLIENT"), error);

	return show_record(ctl, shown, error);
}

/* As a table has no room for fingerprints: how many. */
static void count_pins(json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		size_t pins = json_array_size(json_object_get(row, "pinned"));

		json_object_set_new(row, "pinned", json_integer((json_int_t)pins));
	}
}

static bool list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = client_list(ctl->pg, ctl_value(ctl, "--account"), error);
	json_auto_t *rows = shown != NULL ? rows_from_result(shown) : NULL;

	if (rows == NULL)
		return false;
	if (!ctl->json)
		count_pins(rows);
	output_list(ctl, rows);
	return true;
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
static const struct param allow_params[] = {
	PARAM_CLIENT,
	{ "NETWORKS", NULL, PARAM_REQUIRED, check_networks,
	  "192.0.2.0/24,2001:db8::/32, or 'everywhere'" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param pin_params[] = {
	PARAM_CLIENT,
	{ "FINGERPRINTS", NULL, PARAM_REQUIRED, check_fingerprints,
	  "of ACME account keys, by comma, or 'any'" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param scopes_params[] = {
	PARAM_CLIENT,
	{ "SCOPES", NULL, PARAM_REQUIRED, check_scopes,
	  "of spc-token,spc-token:ca,revoke, or 'none'" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param key_add_params[] = {
	PARAM_CLIENT,
	{ "FILE", NULL, PARAM_REQUIRED, NULL, "a public key on P-256: PEM, or a JWK" },
	{ "--kid", "KID", 0, check_kid, "its name in assertions [the JWK's, or its thumbprint]" },
	{ "--expires", "TIME", 0, check_time_ahead, "when it ends [" EXPIRES_DEFAULT "]" },
	PARAM_REASON,
	{ 0 },
};
static const struct param key_remove_params[] = {
	PARAM_CLIENT,
	{ "KID", NULL, PARAM_REQUIRED, check_kid, "the key's name" },
	PARAM_REASON_REQUIRED,
	{ 0 },
};
static const struct param key_list_params[] = {
	{ "--client", "CLIENT", 0, check_client, "only this client's" },
	{ "--past", NULL, 0, NULL, "also those that were removed" },
	{ 0 },
};

const struct command client_commands[] = {
	{ "client", "add", NEEDS_DATABASE, add, "make a client and its secret", add_params },
	{ "client", "rotate", NEEDS_DATABASE, rotate, "give it a new secret", rotate_params },
	{ "client", "disable", NEEDS_DATABASE, disable, "no token for it from now on", take_params },
	{ "client", "enable", NEEDS_DATABASE, enable, "end that", give_params },
	{ "client", "allow", NEEDS_DATABASE, allow, "write where it may ask from", allow_params },
	{ "client", "pin", NEEDS_DATABASE, pin, "write for which fingerprints it may ask",
	  pin_params },
	{ "client", "scopes", NEEDS_DATABASE, scopes, "write what its access tokens may be for",
	  scopes_params },
	{ "client", "key add", NEEDS_DATABASE, key_add, "take a key for its assertions",
	  key_add_params },
	{ "client", "key remove", NEEDS_DATABASE, key_remove, "take a key away",
	  key_remove_params },
	{ "client", "key list", NEEDS_DATABASE, key_list, "list the keys", key_list_params },
	{ "client", "show", NEEDS_DATABASE, show, "show one", show_params },
	{ "client", "list", NEEDS_DATABASE, list, "list the clients", list_params },
	{ 0 },
};
/* clang-format on */
