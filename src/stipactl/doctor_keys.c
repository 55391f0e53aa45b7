/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates: do they open, belong together, and how long do they last? */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "command.h"
#include "crypto/es256.h"
#include "crypto/x509.h"
#include "db/query.h"
#include "doctor.h"
#include "registry/health.h"

/* Days that are left: fewer is told, as a warning or a fault. */
#define SIGNER_WARNING 60
#define SIGNER_FAILED  14
#define ROOT_WARNING   365
#define ROOT_FAILED    60
#define TLS_WARNING    21
#define TLS_FAILED     3

static int days_left(const X509 *certificate, time_t now)
{
	ASN1_TIME *from = ASN1_TIME_set(NULL, now);
	int days = 0, seconds = 0;

	if (from == NULL ||
	    ASN1_TIME_diff(&days, &seconds, from, X509_get0_notAfter(certificate)) != 1)
		days = -1;
	ASN1_TIME_free(from);
	return days <= 0 && seconds < 0 ? -1 : days;
}

static void find_days(struct doctor *doctor, const char *whose, const X509 *certificate,
		      int warning, int failed, const char *to_do)
{
	int days = days_left(certificate, doctor->now);

	if (days < 0)
		doctor_find(doctor, FOUND_FAILED, to_do, "%s has expired", whose);
	else
		doctor_find(doctor,
			    days < failed    ? FOUND_FAILED
			    : days < warning ? FOUND_WARNING
					     : FOUND_OK,
			    days < warning ? to_do : "", "%s: %d day%s left", whose, days,
			    days == 1 ? "" : "s");
}

void doctor_signer_key(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	struct error error = { 0 };
	secret_auto passphrase = { 0 };
	struct es256_key *key = NULL;

	if (!secret_read_file(&passphrase, config->signer_passphrase, &error)) {
		doctor_find(doctor, FOUND_FAILED, "see to the file of signer_passphrase", "%s",
			    error.detail);
		return;
	}
	key = es256_key_load(config->signer_key, &passphrase, &error);
	if (key == NULL)
		doctor_find(doctor, FOUND_FAILED, "see to signer_key and signer_passphrase", "%s",
			    error.detail);
	else if (doctor->chain != NULL && !es256_key_matches(key, sk_X509_value(doctor->chain, 0)))
		doctor_find(doctor, FOUND_FAILED, "name the key and the certificate of one signer",
			    "%s is not the key of %s", config->signer_key,
			    config->signer_certificate);
	else if (doctor->chain != NULL)
		doctor_find(doctor, FOUND_OK, "", "opens, and is that of the certificate");
	es256_key_free(key);
}

void doctor_signer_chain(struct doctor *doctor)
{
	struct error error = { 0 };

	if (doctor->chain == NULL) {
		doctor_find(doctor, FOUND_FAILED, "see to the file of signer_certificate", "%s",
			    doctor->no_chain.detail);
	} else if (!x509_may_sign_tokens(sk_X509_value(doctor->chain, 0), &error) ||
		   !x509_chain_holds(doctor->chain, doctor->now, &error)) {
		doctor_find(doctor, FOUND_FAILED, "make it anew: 'stipactl pki init'", "%s",
			    error.detail);
	} else if (sk_X509_num(doctor->chain) < 2) {
		doctor_find(doctor, FOUND_WARNING, "put the root behind the signer's certificate",
			    "the file holds one certificate only");
	} else {
		doctor_find(doctor, FOUND_OK, "", "holds up to the root, %d certificates",
			    sk_X509_num(doctor->chain));
	}
}

static void hex_of(const uint8_t bytes[32], char hex[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void doctor_signer_registered(struct doctor *doctor)
{
	struct error error = { 0 };
	PGresult_auto *row = NULL;
	uint8_t digest[32];
	char sha256[65];

	if (doctor->node == NULL || doctor->chain == NULL || doctor->kid[0] == '\0' ||
	    !x509_sha256(sk_X509_value(doctor->chain, 0), digest, &error))
		return;
	hex_of(digest, sha256);
	row = health_signer(doctor->node, doctor->kid, &error);
	if (row == NULL && error.kind == ERROR_NOT_FOUND)
		doctor_find(doctor, FOUND_FAILED, "run 'stipactl pki register'",
			    "%s is not registered", doctor->kid);
	if (row == NULL)
		return;
	snprintf(doctor->x5u, sizeof(doctor->x5u), "%s", PQgetvalue(row, 0, 0));
	if (strcmp(PQgetvalue(row, 0, 1), sha256) != 0)
		doctor_find(doctor, FOUND_FAILED,
			    "install the registered certificate, or register this one by another "
			    "kid",
			    "%s is registered with another certificate", doctor->kid);
	else if (strcmp(PQgetvalue(row, 0, 2), "active") != 0)
		doctor_find(doctor, FOUND_FAILED, "see its times by 'stipactl pki list'",
			    "%s is %s, not active", doctor->kid, PQgetvalue(row, 0, 2));
	else
		doctor_find(doctor, FOUND_OK, "", "%s is registered and active", doctor->kid);
}

void doctor_signer_days(struct doctor *doctor)
{
	int n = doctor->chain != NULL ? sk_X509_num(doctor->chain) : 0;

	if (n >= 1)
		find_days(doctor, "the token signer's certificate", sk_X509_value(doctor->chain, 0),
			  SIGNER_WARNING, SIGNER_FAILED, "make and publish the next token signer");
	if (n >= 2)
		find_days(doctor, "the root's certificate", sk_X509_value(doctor->chain, n - 1),
			  ROOT_WARNING, ROOT_FAILED, "prepare the next root, and tell the STI-CAs");
}

/* ---- TLS ---- */

static EVP_PKEY *read_tls_key(const char *path)
{
	BIO_auto *file = BIO_new_file(path, "r");

	return file != NULL ? PEM_read_bio_PrivateKey(file, NULL, NULL, (void *)"") : NULL;
}

void doctor_tls_key(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	EVP_PKEY_auto *key = read_tls_key(config->tls_key);
	struct error error = { 0 };

	if (doctor->tls == NULL) {
		doctor_find(doctor, FOUND_FAILED, "see to the file of tls_certificate", "%s",
			    doctor->no_tls.detail);
	} else if (key == NULL) {
		error_openssl(&error, ERROR_INVALID, "%s", config->tls_key);
		doctor_find(doctor, FOUND_FAILED, "see to the file of tls_key: PEM, not encrypted",
			    "%s", error.detail);
	} else if (X509_check_private_key(sk_X509_value(doctor->tls, 0), key) != 1) {
		error_openssl(&error, ERROR_INVALID, "no match");
		doctor_find(doctor, FOUND_FAILED, "name the key and the certificate of one server",
			    "%s is not the key of %s", config->tls_key, config->tls_certificate);
	} else {
		doctor_find(doctor, FOUND_OK, "", "opens, and is that of the certificate");
	}
}

void doctor_tls_days(struct doctor *doctor)
{
	if (doctor->tls != NULL)
		find_days(doctor, "the HTTPS server's certificate", sk_X509_value(doctor->tls, 0),
			  TLS_WARNING, TLS_FAILED, "renew it, and restart the node");
}

static bool certificate_names(X509 *certificate, const char *name)
{
	char address[INET6_ADDRSTRLEN + 1];
	unsigned char bytes[16];
	size_t len = strlen(name);
	bool is_v6 = name[0] == '[' && len > 2 && len < sizeof(address);

	snprintf(address, sizeof(address), "%.*s", is_v6 ? (int)len - 2 : (int)sizeof(address) - 1,
		 is_v6 ? name + 1 : name);
	if (inet_pton(AF_INET6, address, bytes) == 1 || inet_pton(AF_INET, address, bytes) == 1)
		return X509_check_ip_asc(certificate, address, 0) == 1;
	return X509_check_host(certificate, name, len, 0, NULL) == 1;
}

void doctor_tls_names(struct doctor *doctor)
{
	const struct config_list *names = &doctor->config->server_names;
	int missing = 0;

	if (doctor->tls == NULL)
		return;
	for (size_t i = 0; i < names->n; i++) {
		if (certificate_names(sk_X509_value(doctor->tls, 0), names->item[i]))
			continue;
		doctor_find(doctor, FOUND_WARNING,
			    "have it in the certificate, or out of server_names",
			    "the HTTPS server's certificate does not name %s", names->item[i]);
		missing++;
	}
	if (missing == 0)
		doctor_find(doctor, FOUND_OK, "", "the certificate has every server name");
}
