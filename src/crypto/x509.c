/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "files.h"

#define SERIAL_LEN 16

struct extension {
	int nid;
	const char *value;
};

/* What stands in a certificate of each profile, in this order. */
#define EXTENSIONS_MAX 4
static const struct extension profiles[][EXTENSIONS_MAX + 1] = {
	[X509_PROFILE_PA_ROOT] = {
		{ NID_basic_constraints, "critical,CA:TRUE" },
		{ NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
	},
	/* No extended key usage: none is defined for SPC tokens, and another would mislead. */
	[X509_PROFILE_TOKEN_SIGNER] = {
		{ NID_basic_constraints, "CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	},
};

/* X.680 section 41.4.  Names that fit it have one encoding, so that they compare byte for byte. */
static bool is_printable(const char *text)
{
	return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789 '()+,-./:=?")] == '\0';
}

static bool name_add(X509_NAME *name, int nid, const char *text)
{
	int type = is_printable(text) ? V_ASN1_PRINTABLESTRING : MBSTRING_UTF8;

	return X509_NAME_add_entry_by_NID(name, nid, type, (const unsigned char *)text, -1, -1,
					  0) == 1;
}

static bool is_country(const char *text)
{
	return strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

static bool check_names(const struct x509_request *request, struct error *error)
{
	if (!is_country(request->country))
		return error_set(error, ERROR_INVALID, "country '%s': want two capital letters",
				 request->country);
	if (request->organisation[0] == '\0' ||
	    strlen(request->organisation) > ub_organization_name)
		return error_set(error, ERROR_INVALID, "organisation: want 1 to %d bytes",
				 ub_organization_name);
	if (request->common_name[0] == '\0' || strlen(request->common_name) > ub_common_name)
		return error_set(error, ERROR_INVALID, "common name: want 1 to %d bytes",
				 ub_common_name);
	return true;
}

static bool set_subject(X509 *certificate, const struct x509_request *request)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return name_add(name, NID_countryName, request->country) &&
	       name_add(name, NID_organizationName, request->organisation) &&
	       name_add(name, NID_commonName, request->common_name);
}

/* 126 random bits, positive, always of one length. */
static bool set_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_LEN];
	BIGNUM *number;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL &&
	     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return ok;
}

static bool add_extension(X509 *certificate, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return ok;
}

/* Not through X509V3_EXT_conf_nid(): its little language would read commas in the URL. */
static bool add_crl_url(X509 *certificate, const char *url)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	DIST_POINT *point = DIST_POINT_new();
	CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
	ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
	bool ok = false;

	if (name == NULL || names == NULL || point == NULL || points == NULL || uri == NULL ||
	    ASN1_STRING_set(uri, url, -1) != 1)
		goto out;
	GENERAL_NAME_set0_value(name, GEN_URI, uri);
	uri = NULL;
	if (sk_GENERAL_NAME_push(names, name) == 0)
		goto out;
	name = NULL;
	point->distpoint = DIST_POINT_NAME_new();
	if (point->distpoint == NULL)
		goto out;
	point->distpoint->type = 0; /* fullName */
	point->distpoint->name.fullname = names;
	names = NULL;
	if (sk_DIST_POINT_push(points, point) == 0)
		goto out;
	point = NULL;
	ok = X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points, 0, 0) == 1;
out:
	ASN1_IA5STRING_free(uri);
	GENERAL_NAME_free(name);
	GENERAL_NAMES_free(names);
	DIST_POINT_free(point);
	CRL_DIST_POINTS_free(points);
	return ok;
}

static bool add_extensions(X509 *certificate, const struct x509_request *request)
{
	const struct extension *extension = profiles[request->profile];
	X509 *issuer = request->issuer == NULL ? certificate : request->issuer;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	for (; extension->value != NULL; extension++)
		if (!add_extension(certificate, &ctx, extension->nid, extension->value))
			return false;
	return request->crl_url == NULL || add_crl_url(certificate, request->crl_url);
}

static bool fill(X509 *certificate, const struct x509_request *request)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_NAME *issuer =
		request->issuer == NULL ? subject : X509_get_subject_name(request->issuer);

	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	       set_subject(certificate, request) &&
	       X509_set_issuer_name(certificate, issuer) == 1 &&
	       ASN1_TIME_set(X509_getm_notBefore(certificate), request->not_before) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), request->not_after) != NULL &&
	       X509_set_pubkey(certificate, request->key) == 1 &&
	       add_extensions(certificate, request) &&
	       X509_sign(certificate, request->issuer_key, EVP_sha256()) != 0;
}

X509 *x509_make(const struct x509_request *request, struct error *error)
{
	X509 *certificate;

	if (!check_names(request, error) || !p256_key_check(request->key, error) ||
	    !p256_key_check(request->issuer_key, error))
		return NULL;
	certificate = X509_new();
	if (certificate != NULL && fill(certificate, request))
		return certificate;
	error_openssl(error, ERROR_INTERNAL, "cannot make the certificate '%s'",
		      request->common_name);
	X509_free(certificate);
	return NULL;
}

bool x509_sha256(const X509 *certificate, uint8_t digest[32], struct error *error)
{
	if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1)
		return error_openssl(error, ERROR_INTERNAL, "cannot hash the certificate");
	return true;
}

bool x509_chain_write(const char *path, STACK_OF(X509) * chain, struct error *error)
{
	BIO_auto *pem = BIO_new(BIO_s_mem());
	char *text;
	long len;

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (pem == NULL || PEM_write_bio_X509(pem, sk_X509_value(chain, i)) != 1)
			return error_openssl(error, ERROR_INTERNAL, "%s: cannot encode", path);
	len = BIO_get_mem_data(pem, &text);
	return new_file_write(path, text, (size_t)len, 0644, error);
}

/* Does the last failure to read PEM say that there was nothing more to read? */
static bool at_end_of_pem(void)
{
	unsigned long last = ERR_peek_last_error();

	return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

static bool read_certificates(BIO *pem, STACK_OF(X509) * chain)
{
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL)
		if (sk_X509_push(chain, certificate) == 0) {
			X509_free(certificate);
			return false;
		}
	return at_end_of_pem();
}

STACK_OF(X509) * x509_chain_read(const char *path, struct error *error)
{
	BIO_auto *pem = BIO_new_file(path, "r");
	X509_stack_auto *chain = sk_X509_new_null();
	STACK_OF(X509) *result = chain;

	if (pem == NULL || chain == NULL || !read_certificates(pem, chain)) {
		error_openssl(error, ERROR_INVALID, "%s: cannot read certificates", path);
		return NULL;
	}
	ERR_clear_error();
	if (sk_X509_num(chain) == 0) {
		error_set(error, ERROR_INVALID, "%s: no certificate (PEM) inside", path);
		return NULL;
	}
	chain = NULL;
	return result;
}

static bool verify(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) * chain,
		   STACK_OF(X509) * roots, time_t at, struct error *error)
{
	X509_VERIFY_PARAM *param;

	if (ctx == NULL || store == NULL ||
	    X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) != 1)
		return error_openssl(error, ERROR_INTERNAL, "cannot verify certificates");
	X509_STORE_CTX_set0_trusted_stack(ctx, roots);
	param = X509_STORE_CTX_get0_param(ctx);
	/* What the caller trusts ends the chain, self-signed or not. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (at == 0)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
	else
		X509_VERIFY_PARAM_set_time(param, at);
	if (X509_verify_cert(ctx) == 1)
		return true;
	ERR_clear_error();
	return error_set(error, ERROR_INVALID, "certificate %d of the chain: %s",
			 X509_STORE_CTX_get_error_depth(ctx) + 1,
			 X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

bool x509_chain_verify(STACK_OF(X509) * chain, STACK_OF(X509) * roots, time_t at,
		       struct error *error)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = verify(ctx, store, chain, roots, at, error);

	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

bool x509_chain_holds(STACK_OF(X509) * chain, time_t at, struct error *error)
{
	STACK_OF(X509) *top = sk_X509_new_null(); /* of a borrowed certificate */
	bool ok;

	if (top == NULL || sk_X509_push(top, sk_X509_value(chain, sk_X509_num(chain) - 1)) == 0)
		ok = error_set(error, ERROR_UNAVAILABLE, "no memory for certificates");
	else
		ok = x509_chain_verify(chain, top, at, error);
	sk_X509_free(top);
	return ok;
}

static bool may_sign_tokens(X509 *certificate, struct error *error)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	uint32_t flags = X509_get_extension_flags(certificate);

	if (key == NULL || !p256_key_check(key, error))
		return error_set(error, ERROR_INVALID, "the certificate's key is not readable");
	if ((flags & EXFLAG_INVALID) != 0)
		return error_set(error, ERROR_INVALID, "an extension cannot be read");
	/* by basicConstraints, whatever keyUsage says, or by keyUsage alone */
	if ((flags & EXFLAG_CA) != 0 || X509_check_ca(certificate) != 0)
		return error_set(error, ERROR_INVALID, "it is a CA certificate");
	if ((flags & EXFLAG_KUSAGE) == 0)
		return error_set(error, ERROR_INVALID, "it has no keyUsage");
	if ((X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0)
		return error_set(error, ERROR_INVALID, "keyUsage is without digitalSignature");
	return true;
}

bool x509_may_sign_tokens(X509 *certificate, struct error *error)
{
	bool may = may_sign_tokens(certificate, error);

	ERR_clear_error(); /* of an extension or a key that cannot be read */
	return may;
}
