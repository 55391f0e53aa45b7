/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The STI-PA's own PKI: a root, to be kept offline, and under it the key that signs tokens.  What
 * a command makes is either whole or gone again, and never overwrites anything.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include "act.h"
#include "crypto/key_file.h"
#include "crypto/x509.h"
#include "keys/signer.h"
#include "registry/signer.h"

#define DAY		 86400
#define ROOT_YEARS	 10
#define SIGNER_YEARS	 3
#define TOKEN_LIFE_MAX_S (398 * DAY) /* policy allows no longer one */
#define CLOCK_SKEW_S	 300	     /* clients whose clocks are late shall take it at once */
#define PASSPHRASE_MIN	 12
#define X5U_MAX		 255

/* ---- what is made, so that a failure can unmake it ---- */

enum { MADE_MAX = 6 };

struct made {
	char path[MADE_MAX][PATH_MAX];
	bool is_folder[MADE_MAX];
	int n;
};

static void made_add(struct made *made, const char *path, bool is_folder)
{
	snprintf(made->path[made->n], PATH_MAX, "%s", path);
	made->is_folder[made->n++] = is_folder;
}

static void unmake(const struct made *made)
{
	for (int i = made->n - 1; i >= 0; i--)
		if (made->is_folder[i])
			rmdir(made->path[i]);
		else
			unlink(made->path[i]);
}

static bool path_make(char path[PATH_MAX], struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool path_make(char path[PATH_MAX], struct error *error, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(path, PATH_MAX, fmt, ap);
	va_end(ap);
	return (len >= 0 && len < PATH_MAX) || error_set(error, ERROR_INVALID, "path is too long");
}

static bool make_folder(struct made *made, const char *path, mode_t mode, struct error *error)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		made_add(made, path, true);
		return true;
	}
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
}

static bool make_key_file(struct made *made, const char *path, EVP_PKEY *key,
			  const struct secret *passphrase, struct error *error)
{
	if (!key_file_write(path, key, passphrase, error))
		return false;
	made_add(made, path, false);
	return true;
}

/* @second may be NULL. */
static bool make_certificate_file(struct made *made, const char *path, X509 *first, X509 *second,
				  struct error *error)
{
	STACK_OF(X509) *chain = sk_X509_new_null(); /* of borrowed certificates */
	bool ok = chain != NULL && sk_X509_push(chain, first) > 0 &&
		  (second == NULL || sk_X509_push(chain, second) > 0);

	ok = ok ? x509_chain_write(path, chain, error)
		: error_set(error, ERROR_UNAVAILABLE, "no memory");
	sk_X509_free(chain);
	if (ok)
		made_add(made, path, false);
	return ok;
}

/* ---- values ---- */

/* What x5u begins with: https, host and port, nothing else, so that every client can fetch it. */
static bool check_base_url(const char *text, struct error *error)
{
	static const char host[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   ".-:[]";

	if (strncmp(text, "https://", 8) != 0 || text[8] == '\0' ||
	    text[8 + strspn(text + 8, host)] != '\0')
		return error_set(error, ERROR_INVALID,
				 "want https://HOST or https://HOST:PORT, without a final slash");
	if (strlen(text) > 150)
		return error_set(error, ERROR_INVALID, "longer than 150 characters");
	return true;
}

static bool check_crl_url(const char *text, struct error *error)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(error, ERROR_INVALID, "a space or a non-ASCII character");
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ||
	       error_set(error, ERROR_INVALID, "want http:// or https://");
}

static bool check_environment(const char *text, struct error *error)
{
	return strcmp(text, "production") == 0 || strcmp(text, "staging") == 0 ||
	       strcmp(text, "demo") == 0 ||
	       error_set(error, ERROR_INVALID, "want production, staging or demo");
}

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

static void time_text(time_t time, char text[24])
{
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
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

/* ---- registration ---- */

/* What a signer's certificate becomes in the database. */
struct registration {
	char kid[SIGNER_KID_MAX + 1];
	char x5u[X5U_MAX + 1];
	char *certificate; /* "\x" and the DER as hex */
	char *chain;	   /* PEM */
	char retire[24], remove[24];
};

static void registration_clear(struct registration *registration)
{
	OPENSSL_free(registration->certificate);
	OPENSSL_free(registration->chain);
}

#define registration_auto struct registration __attribute__((cleanup(registration_clear)))

static char *certificate_hex(const X509 *certificate)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);
	char *hex = len > 0 ? OPENSSL_malloc(2 * (size_t)len + 3) : NULL;

	if (hex != NULL)
		strcpy(hex, "\\x");
	for (int i = 0; hex != NULL && i < len; i++)
		sprintf(hex + 2 + 2 * i, "%02x", der[i]);
	OPENSSL_free(der);
	return hex;
}

static char *chain_pem(STACK_OF(X509) * chain)
{
	BIO_auto *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (bio == NULL || PEM_write_bio_X509(bio, sk_X509_value(chain, i)) != 1)
			return NULL;
	len = BIO_get_mem_data(bio, &text);
	return OPENSSL_strndup(text, (size_t)len);
}

static bool time_of(const ASN1_TIME *asn1, time_t *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(asn1, &tm) != 1)
		return false;
	*time = timegm(&tm);
	return true;
}

/* Signing ends early enough for the last token to expire under a certificate that is valid; a
 * certificate too short for that signs for half its life.  It is served to its end. */
static bool make_times(struct registration *registration, const X509 *certificate,
		       struct error *error)
{
	time_t from, until, tail;

	if (!time_of(X509_get0_notBefore(certificate), &from) ||
	    !time_of(X509_get0_notAfter(certificate), &until))
		return error_openssl(error, ERROR_INVALID, "the certificate's times");
	tail = (until - from) / 2 < TOKEN_LIFE_MAX_S ? (until - from) / 2 : TOKEN_LIFE_MAX_S;
	time_text(until - tail, registration->retire);
	time_text(until, registration->remove);
	return true;
}

static bool registration_fill(struct registration *registration, const char *chain_file,
			      const char *base_url, struct error *error)
{
	X509_stack_auto *chain = x509_chain_read(chain_file, error);

	if (chain == NULL || !signer_kid_from_file(chain_file, registration->kid, error) ||
	    !make_times(registration, sk_X509_value(chain, 0), error))
		return false;
	if (!x509_may_sign_tokens(sk_X509_value(chain, 0), error) ||
	    !x509_chain_holds(chain, time(NULL), error))
		return error_context(error, "%s", chain_file);
	snprintf(registration->x5u, sizeof(registration->x5u), "%s/sti-pa/certs/%s.pem", base_url,
		 registration->kid);
	registration->certificate = certificate_hex(sk_X509_value(chain, 0));
	registration->chain = chain_pem(chain);
	if (registration->certificate == NULL || registration->chain == NULL)
		return error_openssl(error, ERROR_UNAVAILABLE, "%s", chain_file);
	return true;
}

static PGresult *registration_send(struct ctl *ctl, const struct registration *r,
				   const char *activate, struct error *error)
{
	const struct signer_register wish = {
		.kid = r->kid,
		.x5u = r->x5u,
		.certificate = r->certificate,
		.chain = r->chain,
		.activate = activate,
		.retire = r->retire,
		.remove = r->remove,
	};
	struct act act = ctl_act(ctl);
	PGresult *acted = signer_register(ctl->pg, &act, &wish, error);

	if (acted == NULL)
		error_context(error, "signer %s is not registered", r->kid);
	return acted;
}

/* ---- pki init ---- */

static const struct param init_params[] = {
	{ "--dir", "DIR", PARAM_REQUIRED, NULL, "where the files go; made when absent" },
	{ "--base-url", "URL", PARAM_REQUIRED, check_base_url,
	  "where clients reach this authority, https://HOST[:PORT]" },
	{ "--passphrase-file", "FILE", PARAM_REQUIRED, NULL,
	  "its first line encrypts the signing key; mode 0600" },
	{ "--root-passphrase-file", "FILE", 0, NULL, "the same for the root key [the same file]" },
	{ "--environment", "NAME", 0, check_environment,
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
	struct made made;
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
		unmake(&pki->made);
	}
	return false;
}

static bool pki_init(struct ctl *ctl, struct error *error)
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

/* ---- pki register, pki list ---- */

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
	  "make a PA root and a token signer, and register the signer", init_params },
	{ "pki", "register", NEEDS_DATABASE, pki_register,
	  "tell the database of a token signer's certificate", register_params },
	{ "pki", "list", NEEDS_DATABASE, pki_list, "the signers and their times", NULL },
	{ 0 },
};
