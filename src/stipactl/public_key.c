/* SPDX-License-Identifier: Apache-2.0 */
#include "public_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "crypto/openssl.h"

#define COORDINATE 32
#define FILE_MAX   8192

/* SubjectPublicKeyInfo of a point on P-256 that is not compressed, up to the point (RFC 5480). */
static const uint8_t spki_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };

_Static_assert(sizeof(spki_head) + 2 * COORDINATE == CLIENT_KEY_SPKI_LEN, "RFC 5480");

static uint8_t *x_of(struct public_key *key)
{
	return key->spki + sizeof(spki_head);
}

static uint8_t *y_of(struct public_key *key)
{
	return x_of(key) + COORDINATE;
}

/* Is the point one of the curve?  OpenSSL looks when it decodes. */
static bool check_point(const struct public_key *key, struct error *error)
{
	const unsigned char *at = key->spki;
	EVP_PKEY_auto *decoded = d2i_PUBKEY(NULL, &at, sizeof(key->spki));

	return (decoded != NULL && p256_key_check(decoded, error)) ||
	       error_openssl(error, ERROR_INVALID, "not a point of P-256");
}

/* RFC 7638: the required members in their order, without white space. */
static void make_thumbprint(struct public_key *key)
{
	char x[BASE64URL_LEN(COORDINATE) + 1], y[BASE64URL_LEN(COORDINATE) + 1], json[160];
	uint8_t digest[SHA256_LEN];

	base64url_encode(x_of(key), COORDINATE, x);
	base64url_encode(y_of(key), COORDINATE, y);
	snprintf(json, sizeof(json), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
		 x, y);
	sha256(json, strlen(json), digest);
	base64url_encode(digest, sizeof(digest), key->kid);
}

/* ---- JWK (RFC 7517, RFC 7518 section 6.2) ---- */

static bool take_coordinate(const json_t *jwk, const char *name, uint8_t *into, struct error *error)
{
	const char *text = json_string_value(json_object_get(jwk, name));
	size_t used = 0;

	if (text == NULL || !base64url_decode(text, strlen(text), into, COORDINATE, &used) ||
	    used != COORDINATE)
		return error_set(error, ERROR_INVALID, "%s: want 32 octets in base64url", name);
	return true;
}

static bool is_text(const json_t *jwk, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(jwk, name));

	return text != NULL && strcmp(text, wanted) == 0;
}

static bool take_jwk(const json_t *jwk, struct public_key *key, struct error *error)
{
	const json_t *kid = json_object_get(jwk, "kid");

	if (json_object_get(jwk, "keys") != NULL)
		return error_set(error, ERROR_INVALID, "a set of keys: want one JWK");
	if (json_object_get(jwk, "d") != NULL)
		return error_set(error, ERROR_INVALID,
				 "a private key: it stays with the client; give its public part");
	if (!is_text(jwk, "kty", "EC") || !is_text(jwk, "crv", "P-256"))
		return error_set(error, ERROR_INVALID, "want kty EC and crv P-256");
	if (json_object_get(jwk, "alg") != NULL && !is_text(jwk, "alg", "ES256"))
		return error_set(error, ERROR_INVALID, "alg: want ES256");
	if (!take_coordinate(jwk, "x", x_of(key), error) ||
	    !take_coordinate(jwk, "y", y_of(key), error))
		return false;
	if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > PUBLIC_KEY_KID_MAX))
		return error_set(error, ERROR_INVALID, "kid: want a text of at most %d characters",
				 PUBLIC_KEY_KID_MAX);
	make_thumbprint(key);
	if (kid != NULL)
		strcpy(key->kid, json_string_value(kid));
	return true;
}

/* ---- PEM ---- */

static bool take_number(const EVP_PKEY *pem, const char *name, uint8_t *into)
{
	BIGNUM *number = NULL;
	bool ok = EVP_PKEY_get_bn_param(pem, name, &number) == 1 &&
		  BN_bn2binpad(number, into, COORDINATE) == COORDINATE;

	BN_free(number);
	return ok;
}

static bool take_pem(const char *text, struct public_key *key, struct error *error)
{
	BIO_auto *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY_auto *pem =
		bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;

	if (pem == NULL)
		return error_openssl(error, ERROR_INVALID, "not a public key");
	if (!p256_key_check(pem, error))
		return false;
	if (!take_number(pem, OSSL_PKEY_PARAM_EC_PUB_X, x_of(key)) ||
	    !take_number(pem, OSSL_PKEY_PARAM_EC_PUB_Y, y_of(key)))
		return error_openssl(error, ERROR_INVALID, "no point");
	make_thumbprint(key);
	return true;
}

/* ---- either ---- */

bool public_key_parse(const char *text, struct public_key *key, struct error *error)
{
	json_auto_t *jwk = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	memcpy(key->spki, spki_head, sizeof(spki_head));
	if (strstr(text, "PRIVATE KEY") != NULL)
		return error_set(error, ERROR_INVALID,
				 "a private key: it stays with the client; give its public part");
	if (json_is_object(jwk) ? !take_jwk(jwk, key, error) : !take_pem(text, key, error))
		return false;
	return check_point(key, error);
}

bool public_key_read(const char *path, struct public_key *key, struct error *error)
{
	char text[FILE_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	len = fread(text, 1, FILE_MAX, file);
	fclose(file);
	text[len] = '\0';
	if (len == FILE_MAX || strlen(text) != len)
		return error_set(error, ERROR_INVALID, "%s: not a public key", path);
	return public_key_parse(text, key, error) || error_context(error, "%s", path);
}
