/* SPDX-License-Identifier: Apache-2.0 */
#include "registration.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "act.h"
#include "crypto/x509.h"
#include "registry/signer.h"

#define DAY		 86400
#define TOKEN_LIFE_MAX_S (398 * DAY) /* policy allows no longer one */

static void time_text(time_t time, char text[24])
{
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

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

bool registration_fill(struct registration *registration, const char *chain_file,
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

PGresult *registration_send(struct ctl *ctl, const struct registration *r, const char *activate,
			    struct error *error)
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

void registration_clear(struct registration *registration)
{
	OPENSSL_free(registration->certificate);
	OPENSSL_free(registration->chain);
}
