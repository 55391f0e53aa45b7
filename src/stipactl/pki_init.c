/* SPDX-License-Identifier: Apache-2.0 */
/* pki init: either all is made, or what was made is gone again. */
#include "pki_init.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/rand.h>

#include "act.h"
#include "crypto/key_file.h"
#include "crypto/x509.h"
#include "made_files.h"
#include "registration.h"

#define ROOT_YEARS     10
#define SIGNER_YEARS   3
#define CLOCK_SKEW_S   300 /* clients whose clocks are late shall take it at once */
#define PASSPHRASE_MIN 12

static bool read_passphrase(struct secret *passphrase, const char *path, struct error *error)
{
	if (!secret_read_file(passphrase, path, error))
		return error_context(error, "passphrase");
	if (passphrase->len < PASSPHRASE_MIN)
		return error_set(error, ERROR_INVALID,
				 "%s: a passphrase of fewer than %d characters", path,
				 PASSPHRASE_MIN);
	return true;
}

static time_t years_after(time_t time, int years)
{
	struct tm tm;

	gmtime_r(&time, &tm);
	tm.tm_year += years;
	return timegm(&tm);
}

/* token-2026-11-21-7f3a */
static bool make_kid(time_t now, char kid[SIGNER_KID_MAX + 1], struct error *error)
{
	unsigned char random[2];
	struct tm tm;
	size_t len;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return error_openssl(error, ERROR_UNAVAILABLE, "no random bits");
	gmtime_r(&now, &tm);
	len = strftime(kid, SIGNER_KID_MAX + 1, "token-%Y-%m-%d-", &tm);
	snprintf(kid + len, SIGNER_KID_MAX + 1 - len, "%02x%02x", random[0], random[1]);
	return true;
}

const struct param pki_init_params[] = {
	{ "--dir", "DIR", PARAM_REQUIRED, NULL, "where the files go; made when absent" },
	{ "--base-url", "URL", PARAM_REQUIRED, check_base_url,
	  "where clients reach this authority, https://HOST[:PORT]" },
	{ "--passphrase-file", "FILE", PARAM_REQUIRED, NULL,
	  "its first line encrypts the signing key; mode 0600" },
	{ "--root-passphrase-file", "FILE", 0, NULL, "the same for the root key [the same file]" },
	{ "--environment", "NAME", 0, check_environment_name,
	  "production, staging or demo [as configured]; stands in the names unless production" },
	{ "--organisation", "TEXT", 0, NULL, "O of the certificates [STI-PA]" },
	{ "--country", "CC", 0, NULL, "C of the certificates [US]" },
	{ "--crl-url", "URL", 0, check_crl_url,
	  "where the root's CRL will be; stands in the certificate" },
	{ "--no-database", NULL, 0, NULL, "make files only; register later by 'pki register'" },
	PARAM_REASON,
	{ 0 },
};

struct pki {
	struct ctl *ctl;
	struct made_files made;
	char root_key_file[PATH_MAX], root_file[PATH_MAX], certs[PATH_MAX];
	char key_file[PATH_MAX], chain_file[PATH_MAX];
	char kid[SIGNER_KID_MAX + 1];
	const char *environment;
	time_t not_before;
	EVP_PKEY *root_key, *key;
	X509 *root, *signer;
	struct registration registration;
};

static void pki_clear(struct pki *pki)
{
	EVP_PKEY_free(pki->root_key);
	EVP_PKEY_free(pki->key);
	X509_free(pki->root);
	X509_free(pki->signer);
	registration_clear(&pki->registration);
}

static bool wants_database(const struct ctl *ctl)
{
	return ctl_value(ctl, "--no-database") == NULL;
}

/* Before anything is made: a database that is down leaves nothing behind. */
static bool init_prepare(struct pki *pki, struct error *error)
{
	struct ctl *ctl = pki->ctl;

	if (wants_database(ctl) &&
	    (!ctl_settings(ctl, error) || !ctl_connect(ctl, NEEDS_DATABASE, error)))
		return false;
	pki->environment = ctl_value_or(ctl, "--environment", ctl->settings.environment);
	if (pki->environment == NULL)
		return wrong_use(error, "--environment NAME is missing: nothing configures it");
	pki->not_before = ctl->now - CLOCK_SKEW_S;
	return make_kid(ctl->now, pki->kid, error);
}

static bool init_paths(struct pki *pki, struct error *error)
{
	const char *dir = ctl_value(pki->ctl, "--dir");

	return path_make(pki->root_key_file, error, "%s/root.key", dir) &&
	       path_make(pki->root_file, error, "%s/root.pem", dir) &&
	       path_make(pki->key_file, error, "%s/%s.key", dir, pki->kid) &&
	       path_make(pki->certs, error, "%s/certs", dir) &&
	       path_make(pki->chain_file, error, "%s/certs/%s.pem", dir, pki->kid);
}

static bool init_refuse_second(const struct pki *pki, struct error *error)
{
	struct stat st;

	if (lstat(pki->root_key_file, &st) == 0 || lstat(pki->root_file, &st) == 0)
		return error_set(error, ERROR_CONFLICT,
				 "%s: there is a root already, and nothing is overwritten",
				 ctl_value(pki->ctl, "--dir"));
	return true;
}

/* "STI-PA Root (demo)" */
static X509 *init_certificate(const struct pki *pki, enum x509_profile profile, const char *name,
			      struct error *error)
{
	bool is_root = profile == X509_PROFILE_PA_ROOT;
	bool is_production = strcmp(pki->environment, "production") == 0;
	char common_name[65];
	const struct x509_request request = {
		.profile = profile,
		.country = ctl_value_or(pki->ctl, "--country", "US"),
		.organisation = ctl_value_or(pki->ctl, "--organisation", "STI-PA"),
		.common_name = common_name,
		.key = is_root ? pki->root_key : pki->key,
		.issuer = pki->root,
		.issuer_key = pki->root_key,
		.crl_url = is_root ? NULL : ctl_value(pki->ctl, "--crl-url"),
		.not_before = pki->not_before,
		.not_after = years_after(pki->not_before, is_root ? ROOT_YEARS : SIGNER_YEARS),
	};

	snprintf(common_name, sizeof(common_name), "%s%s%s%s", name, is_production ? "" : " (",
		 is_production ? "" : pki->environment, is_production ? "" : ")");
	return x509_make(&request, error);
}

static bool init_make(struct pki *pki, struct error *error)
{
	pki->root_key = p256_key_new(error);
	pki->key = pki->root_key == NULL ? NULL : p256_key_new(error);
	if (pki->key == NULL)
		return false;
	pki->root = init_certificate(pki, X509_PROFILE_PA_ROOT, "STI-PA Root", error);
	if (pki->root == NULL)
		return false;
	pki->signer =
		init_certificate(pki, X509_PROFILE_TOKEN_SIGNER, "STI-PA Token Signer 1", error);
	return pki->signer != NULL;
}

static bool init_write(struct pki *pki, struct error *error)
{
	const char *file = ctl_value(pki->ctl, "--passphrase-file");
	secret_auto passphrase = { 0 };
	secret_auto root_passphrase = { 0 };

	return read_passphrase(&passphrase, file, error) &&
	       read_passphrase(&root_passphrase,
			       ctl_value_or(pki->ctl, "--root-passphrase-file", file), error) &&
	       make_folder(&pki->made, ctl_value(pki->ctl, "--dir"), 0700, error) &&
	       make_folder(&pki->made, pki->certs, 0755, error) &&
	       make_key_file(&pki->made, pki->root_key_file, pki->root_key, &root_passphrase,
			     error) &&
	       make_certificate_file(&pki->made, pki->root_file, pki->root, NULL, error) &&
	       make_key_file(&pki->made, pki->key_file, pki->key, &passphrase, error) &&
	       make_certificate_file(&pki->made, pki->chain_file, pki->signer, pki->root, error);
}

/* The files as they stand on disk are what is registered. */
static bool init_register(struct pki *pki, struct error *error)
{
	const char *base_url = ctl_value(pki->ctl, "--base-url");
	PGresult_auto *acted = NULL;

	if (!registration_fill(&pki->registration, pki->chain_file, base_url, error))
		return false;
	if (!wants_database(pki->ctl))
		return true;
	acted = registration_send(pki->ctl, &pki->registration, NULL, error);
	return acted != NULL;
}

static bool init_show(struct pki *pki, struct error *error)
{
	const struct registration *r = &pki->registration;
	json_auto_t *record =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "kid", r->kid, "environment",
			  pki->environment, "root_key", pki->root_key_file, "root_certificate",
			  pki->root_file, "signer_key", pki->key_file, "signer_chain",
			  pki->chain_file, "x5u", r->x5u, "signs_until", r->retire,
			  "certificate_until", r->remove, "registered", wants_database(pki->ctl));

	if (record == NULL)
		return error_set(error, ERROR_INVALID, "a file name is not UTF-8; all was made");
	output_record(pki->ctl, record);
	output_note(pki->ctl,
		    "\nKeep offline, and remove from this machine: %s (with its passphrase).\n"
		    "The node needs: %s, its passphrase, %s.\n"
		    "STI-CAs need: %s.",
		    pki->root_key_file, pki->key_file, pki->chain_file, pki->root_file);
	if (!wants_database(pki->ctl))
		output_note(pki->ctl, "\nnext: stipactl pki register %s --base-url %s",
			    pki->chain_file, ctl_value(pki->ctl, "--base-url"));
	return true;
}

/* A failure unmakes the files, but not when the database may have taken the signer. */
static bool init_fail(const struct pki *pki, struct error *error)
{
	if (error->kind == ERROR_UNAVAILABLE && pki->registration.chain != NULL) {
		fprintf(stderr,
			"stipactl: the files stay, for the signer may be registered.  See "
			"'stipactl "
			"pki list', and if it is not: stipactl pki register %s --base-url %s\n",
			pki->chain_file, ctl_value(pki->ctl, "--base-url"));
	} else {
		made_files_remove(&pki->made);
	}
	return false;
}

bool pki_init(struct ctl *ctl, struct error *error)
{
	struct pki pki = { .ctl = ctl };
	bool ok = init_prepare(&pki, error) && init_paths(&pki, error) &&
		  init_refuse_second(&pki, error) && init_make(&pki, error);

	if (ok && (!init_write(&pki, error) || !init_register(&pki, error)))
		ok = init_fail(&pki, error);
	ok = ok && init_show(&pki, error);
	pki_clear(&pki);
	return ok;
}
