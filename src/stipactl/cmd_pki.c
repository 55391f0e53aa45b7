/* SPDX-License-Identifier: Apache-2.0 */
/* The STI-PA's own PKI: a root, to be kept offline, and under it the key that signs tokens. */
#include "act.h"
#include "pki_init.h"
#include "registration.h"
#include "registry/signer.h"

static const struct param register_params[] = {
	{ "CHAIN", NULL, PARAM_REQUIRED, NULL,
	  "<kid>.pem: the signer's certificate, then its root" },
	{ "--base-url", "URL", PARAM_REQUIRED, check_base_url,
	  "where clients reach this authority, https://HOST[:PORT]" },
	{ "--activate", "TIME", 0, check_time_ahead, "sign from then on [now]" },
	PARAM_REASON,
	{ 0 },
};

static bool pki_register(struct ctl *ctl, struct error *error)
{
	registration_auto registration = { 0 };
	PGresult_auto *acted = NULL, *shown = NULL;
	char activate[WHEN_TEXT_MAX];

	if (!registration_fill(&registration, ctl_value(ctl, "CHAIN"), ctl_value(ctl, "--base-url"),
			       error))
		return false;
	acted = registration_send(ctl, &registration,
				  ctl_time(ctl, "--activate", WHEN_AHEAD, activate), error);
	if (acted != NULL)
		shown = signer_show(ctl->pg, registration.kid, error);
	return show_acted(ctl, acted, shown, error);
}

static bool pki_list(struct ctl *ctl, struct error *error)
{
	PGresult_auto *shown = signer_list(ctl->pg, error);

	return show_list(ctl, shown, error);
}

const struct command pki_commands[] = {
	{ "pki", "init", NEEDS_NOTHING, pki_init,
	  "make a PA root and a token signer, and register the signer", pki_init_params },
	{ "pki", "register", NEEDS_DATABASE, pki_register,
	  "tell the database of a token signer's certificate", register_params },
	{ "pki", "list", NEEDS_DATABASE, pki_list, "the signers and their times", NULL },
	{ 0 },
};
