/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "../suite.h"
#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/es256.h"
#include "crypto/key_file.h"
#include "crypto/openssl.h"

/* RFC 7515 appendix A.3 */
static const char rfc_x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char rfc_y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char rfc_input[] =
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
	"LmNvbS9pc19yb290Ijp0cnVlfQ";
static const char rfc_sig[] = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"
			      "xfKTUJqPP3-Kg6NU1Q";

static EVP_PKEY *rfc_key(void)
{
	uint8_t point[65] = { 4 };
	size_t used;
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 10),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_END,
	};

	CU_ASSERT_TRUE_FATAL(base64url_decode(rfc_x, strlen(rfc_x), point + 1, 32, &used));
	CU_ASSERT_TRUE_FATAL(base64url_decode(rfc_y, strlen(rfc_y), point + 33, 32, &used));
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_fromdata_init(ctx), 1);
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void test_the_example_of_rfc_7515_verifies(void)
{
	EVP_PKEY_auto *pkey = rfc_key();
	struct error error = { 0 };
	struct es256_key *key = es256_key_public(pkey, &error);
	uint8_t digest[SHA256_LEN], sig[ES256_SIG_LEN];
	size_t used;

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	sha256(rfc_input, strlen(rfc_input), digest);
	CU_ASSERT_TRUE_FATAL(base64url_decode(rfc_sig, strlen(rfc_sig), sig, sizeof(sig), &used));
	CU_ASSERT_EQUAL(used, ES256_SIG_LEN);
	CU_ASSERT_TRUE(es256_verify(key, digest, sig, &error));

	for (int i = 0; i < 512; i += 7) { /* any other bit */
		struct error wrong = { 0 };

		sig[i / 8] ^= (uint8_t)(1 << i % 8);
		CU_ASSERT_FALSE(es256_verify(key, digest, sig, &wrong));
		CU_ASSERT_EQUAL(wrong.kind, ERROR_INVALID);
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	digest[0] ^= 1;
	CU_ASSERT_FALSE(es256_verify(key, digest, sig, &error));
	es256_key_free(key);
}

static void test_degenerate_signatures_are_refused(void)
{
	EVP_PKEY_auto *pkey = rfc_key();
	struct error error = { 0 };
	struct es256_key *key = es256_key_public(pkey, &error);
	uint8_t digest[SHA256_LEN] = { 0 }, sig[ES256_SIG_LEN];

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	for (int r = 0; r < 3; r++)
		for (int s = 0; s < 3; s++) { /* zero, one, and far beyond the order */
			struct error refused = { 0 };

			memset(sig, r == 2 ? 0xff : 0, 32);
			memset(sig + 32, s == 2 ? 0xff : 0, 32);
			sig[31] |= r == 1;
			sig[63] |= s == 1;
			CU_ASSERT_FALSE(es256_verify(key, digest, sig, &refused));
		}
	es256_key_free(key);
}

/* A key that can sign comes only from a file. */
static const struct secret passphrase = { 7, "hunter2" };

static struct es256_key *private_key(EVP_PKEY **pkey)
{
	char path[] = "/tmp/stipa-es256.XXXXXX";
	struct error error = { 0 };
	struct es256_key *key;
	int fd = mkstemp(path);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	unlink(path);
	*pkey = p256_key_new(&error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*pkey);
	CU_ASSERT_TRUE_FATAL(key_file_write(path, *pkey, &passphrase, &error));
	key = es256_key_load(path, &passphrase, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	unlink(path);
	return key;
}

/* OpenSSL's own view of a signature, made without our DER. */
static bool openssl_takes(EVP_PKEY *pkey, const uint8_t digest[32], const uint8_t sig[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	ECDSA_SIG *value = ECDSA_SIG_new();
	uint8_t *der = NULL;
	bool ok;
	int len;

	ECDSA_SIG_set0(value, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL));
	len = i2d_ECDSA_SIG(value, &der);
	ok = EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_verify(ctx, der, (size_t)len, digest, 32) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(value);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void test_leading_zeros_of_r_and_s_are_kept(void)
{
	EVP_PKEY_auto *pkey = NULL;
	struct es256_key *key = private_key(&pkey);
	struct error error = { 0 };
	uint8_t digest[SHA256_LEN], sig[ES256_SIG_LEN];
	int short_r = 0, short_s = 0, i;

	for (i = 0; i < 20000 && (short_r < 2 || short_s < 2); i++) {
		sha256(&i, sizeof(i), digest);
		memset(sig, 0xaa, sizeof(sig));
		CU_ASSERT_TRUE_FATAL(es256_sign(key, digest, sig, &error));
		if (sig[0] != 0 && sig[32] != 0 && i > 100)
			continue;
		short_r += sig[0] == 0;
		short_s += sig[32] == 0;
		CU_ASSERT_TRUE(openssl_takes(pkey, digest, sig));
		CU_ASSERT_TRUE(es256_verify(key, digest, sig, &error));
	}
	CU_ASSERT_TRUE(short_r >= 2 && short_s >= 2);
	es256_key_free(key);
}

static void test_a_public_key_cannot_sign(void)
{
	EVP_PKEY_auto *pkey = rfc_key();
	struct error error = { 0 };
	struct es256_key *key = es256_key_public(pkey, &error);
	uint8_t digest[SHA256_LEN] = { 0 }, sig[ES256_SIG_LEN];

	CU_ASSERT_FALSE(es256_sign(key, digest, sig, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INTERNAL);
	es256_key_free(key);
}

static void test_a_public_key_from_its_der(void)
{
	EVP_PKEY_auto *pkey = rfc_key();
	uint8_t der[128], *end = der, digest[SHA256_LEN], sig[ES256_SIG_LEN];
	size_t len = (size_t)i2d_PUBKEY(pkey, &end), used;
	struct error error = { 0 };
	struct es256_key *key = es256_key_from_spki(der, len, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	sha256(rfc_input, strlen(rfc_input), digest);
	CU_ASSERT_TRUE(base64url_decode(rfc_sig, strlen(rfc_sig), sig, sizeof(sig), &used));
	CU_ASSERT_TRUE(es256_verify(key, digest, sig, &error));
	es256_key_free(key);
	CU_ASSERT_PTR_NULL(es256_key_from_spki(der, len - 1, &error));
	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(es256_key_from_spki(der, len + 1, &error)); /* one byte more */
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	error = (struct error){ 0 };
	der[4] ^= 1;
	CU_ASSERT_PTR_NULL(es256_key_from_spki(der, len, &error));
}

static void test_another_curve_is_refused(void)
{
	EVP_PKEY_auto *p384 = EVP_EC_gen("P-384");
	EVP_PKEY_auto *rsa = EVP_RSA_gen(1024);
	struct error error = { 0 }, other = { 0 };

	CU_ASSERT_PTR_NULL(es256_key_public(p384, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	CU_ASSERT_PTR_NULL(es256_key_public(rsa, &other));
	CU_ASSERT_EQUAL(other.kind, ERROR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "the example of RFC 7515 verifies", test_the_example_of_rfc_7515_verifies },
		{ "degenerate signatures are refused", test_degenerate_signatures_are_refused },
		{ "leading zeros of R and S are kept", test_leading_zeros_of_r_and_s_are_kept },
		{ "a public key cannot sign", test_a_public_key_cannot_sign },
		{ "a public key from its DER", test_a_public_key_from_its_der },
		{ "another curve is refused", test_another_curve_is_refused },
		CU_TEST_INFO_NULL,
	};

	return run_suite("es256", tests);
}
