/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/es256.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/key_file.h"
#include "crypto/openssl.h"

#define COORDINATE_LEN 32
#define DER_MAX	       72 /* two integers of 33 octets, three tags */

/* Contexts are made once: making one costs a fifth of a signature. */
struct es256_key {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign; /* NULL for a public key */
	EVP_PKEY_CTX *verify;
};

static struct es256_key *key_new(EVP_PKEY *key /* takes it */, bool is_private, struct error *error)
{
	struct es256_key *k = calloc(1, sizeof(*k));
	bool ok;

	if (k == NULL) {
		EVP_PKEY_free(key);
		error_set(error, ERROR_UNAVAILABLE, "no memory for a key");
		return NULL;
	}
	k->key = key;
	k->verify = EVP_PKEY_CTX_new(key, NULL);
	ok = k->verify != NULL && EVP_PKEY_verify_init(k->verify) == 1;
	if (is_private) {
		k->sign = EVP_PKEY_CTX_new(key, NULL);
		ok = ok && k->sign != NULL && EVP_PKEY_sign_init(k->sign) == 1;
	}
	if (ok)
		return k;
	error_openssl(error, ERROR_INTERNAL, "ES256 key");
	es256_key_free(k);
	return NULL;
}

struct es256_key *es256_key_load(const char *path, const struct secret *passphrase,
				 struct error *error)
{
	EVP_PKEY *key = key_file_read(path, passphrase, error);

	return key == NULL ? NULL : key_new(key, true, error);
}

struct es256_key *es256_key_public(EVP_PKEY *key, struct error *error)
{
	if (!p256_key_check(key, error))
		return NULL;
	EVP_PKEY_up_ref(key);
	return key_new(key, false, error);
}

struct es256_key *es256_key_from_spki(const uint8_t *der, size_t len, struct error *error)
{
	const uint8_t *end = der;
	EVP_PKEY_auto *key = d2i_PUBKEY(NULL, &end, (long)len);

	if (key == NULL || end != der + len) {
		error_openssl(error, ERROR_INVALID, "not the DER of a public key");
		return NULL;
	}
	return es256_key_public(key, error);
}

void es256_key_free(struct es256_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->sign);
	EVP_PKEY_CTX_free(key->verify);
	EVP_PKEY_free(key->key);
	free(key);
}

/* One INTEGER of Ecdsa-Sig-Value (RFC 3279 section 2.2.3) to 32 octets: the zero that keeps it
 * positive goes, the zeros that DER left out come back.  Returns what follows, or NULL. */
static const uint8_t *integer_to_raw(const uint8_t *der, const uint8_t *end,
				     uint8_t raw[COORDINATE_LEN])
{
	size_t len;

	if (end - der < 2 || der[0] != 0x02 || der[1] > end - der - 2)
		return NULL;
	len = der[1];
	der += 2;
	if (len == COORDINATE_LEN + 1 && der[0] == 0) {
		der++;
		len--;
	}
	if (len == 0 || len > COORDINATE_LEN)
		return NULL;
	memset(raw, 0, COORDINATE_LEN - len);
	memcpy(raw + COORDINATE_LEN - len, der, len);
	return der + len;
}

static bool der_to_raw(const uint8_t *der, size_t len, uint8_t sig[ES256_SIG_LEN])
{
	const uint8_t *end = der + len;

	if (len < 2 || der[0] != 0x30 || der[1] != len - 2)
		return false;
	der = integer_to_raw(der + 2, end, sig);
	return der != NULL && integer_to_raw(der, end, sig + COORDINATE_LEN) == end;
}

static uint8_t *integer_to_der(uint8_t *der, const uint8_t raw[COORDINATE_LEN])
{
	size_t zeros = 0, sign;

	while (zeros < COORDINATE_LEN - 1 && raw[zeros] == 0)
		zeros++;
	sign = raw[zeros] >> 7;
	*der++ = 0x02;
	*der++ = (uint8_t)(COORDINATE_LEN - zeros + sign);
	if (sign)
		*der++ = 0;
	memcpy(der, raw + zeros, COORDINATE_LEN - zeros);
	return der + COORDINATE_LEN - zeros;
}

static size_t raw_to_der(const uint8_t sig[ES256_SIG_LEN], uint8_t der[DER_MAX])
{
	uint8_t *end = integer_to_der(integer_to_der(der + 2, sig), sig + COORDINATE_LEN);

	der[0] = 0x30;
	der[1] = (uint8_t)(end - der - 2);
	return (size_t)(end - der);
}

bool es256_sign(struct es256_key *key, const uint8_t digest[32], uint8_t sig[ES256_SIG_LEN],
		struct error *error)
{
	uint8_t der[DER_MAX];
	size_t len = sizeof(der);

	if (key->sign == NULL)
		return error_set(error, ERROR_INTERNAL, "ES256: a public key cannot sign");
	if (EVP_PKEY_sign(key->sign, der, &len, digest, 32) != 1)
		return error_openssl(error, ERROR_INTERNAL, "ES256: cannot sign");
	if (!der_to_raw(der, len, sig))
		return error_set(error, ERROR_INTERNAL, "ES256: malformed signature made");
	return true;
}

bool es256_verify(struct es256_key *key, const uint8_t digest[32], const uint8_t sig[ES256_SIG_LEN],
		  struct error *error)
{
	uint8_t der[DER_MAX];
	size_t len = raw_to_der(sig, der);

	if (EVP_PKEY_verify(key->verify, der, len, digest, 32) == 1)
		return true;
	ERR_clear_error();
	return error_set(error, ERROR_INVALID, "ES256: the signature is not this key's");
}

bool es256_key_matches(const struct es256_key *key, const X509 *certificate)
{
	bool matches = X509_check_private_key(certificate, key->key) == 1;

	ERR_clear_error();
	return matches;
}
