/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of the STI-PA's own PKI: a root that is kept offline, and signers directly
 * under it.  All are EC P-256 with ecdsa-with-SHA256.
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "crypto/openssl.h"

enum x509_profile { X509_PROFILE_PA_ROOT, X509_PROFILE_TOKEN_SIGNER };

struct x509_request {
	enum x509_profile profile;
	const char *country;	  /* two letters */
	const char *organisation; /* at most 64 characters */
	const char *common_name;  /* at most 64 characters */
	EVP_PKEY *key;		  /* the subject's */
	X509 *issuer;		  /* NULL: signed by itself */
	EVP_PKEY *issuer_key;	  /* the subject's again, when signed by itself */
	const char *crl_url;	  /* for the CRL distribution point; NULL: none */
	time_t not_before, not_after;
};

/* Make a certificate.  The caller frees it. */
X509 *x509_make(const struct x509_request *request, struct error *error) MUST_CHECK;

/* SHA-256 of the DER. */
bool x509_sha256(const X509 *certificate, uint8_t digest[32], struct error *error) MUST_CHECK;

/* PEM, in the order given, mode 0644, synced.  ERROR_CONFLICT when the file exists. */
bool x509_chain_write(const char *path, STACK_OF(X509) * chain, struct error *error) MUST_CHECK;

/* Every certificate of a PEM file, in order, at least one.  The caller frees the stack. */
STACK_OF(X509) * x509_chain_read(const char *path, struct error *error) MUST_CHECK;

/* Does @chain, leaf first, lead to a certificate of @roots?  Times are judged at @at, or not at
 * all when it is 0. */
bool x509_chain_verify(STACK_OF(X509) * chain, STACK_OF(X509) * roots, time_t at,
		       struct error *error) MUST_CHECK;

/* The same, trusting the last certificate of @chain: does it hold together? */
bool x509_chain_holds(STACK_OF(X509) * chain, time_t at, struct error *error) MUST_CHECK;

/* May the certificate's key sign tokens: P-256, CA false, keyUsage with digitalSignature? */
bool x509_may_sign_tokens(X509 *certificate, struct error *error) MUST_CHECK;

#endif
