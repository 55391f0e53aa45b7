/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_file.h"

#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "crypto/openssl.h"
#include "files.h"

/* RFC 7914; 16 MiB and about a fifth of a second for each guess. */
static const struct {
	uint64_t n, r, p;
	int salt_len;
} scrypt = { .n = 1 << 14, .r = 8, .p = 5, .salt_len = 16 };

OPENSSL_AUTO(X509_SIG, X509_SIG_free)
OPENSSL_AUTO(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
#define X509_SIG_auto X509_SIG __attribute__((cleanup(X509_SIG_freep)))
#define PKCS8_PRIV_KEY_INFO_auto                                                                   \
	PKCS8_PRIV_KEY_INFO __attribute__((cleanup(PKCS8_PRIV_KEY_INFO_freep)))

EVP_PKEY *p256_key_new(struct error *error)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (key == NULL)
		error_openssl(error, ERROR_INTERNAL, "cannot make a P-256 key");
	return key;
}

bool p256_key_check(const EVP_PKEY *key, struct error *error)
{
	char group[32] = "";

	if (!EVP_PKEY_is_a(key, "EC"))
		return error_set(error, ERROR_INVALID, "the key is not an EC key");
	EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL);
	if (strcmp(group, SN_X9_62_prime256v1) != 0)
		return error_set(error, ERROR_INVALID, "the key is of curve '%s', not P-256",
				 group);
	return true;
}

/* PBES2 with scrypt, under a fresh salt and IV. */
static X509_SIG *encrypt(const EVP_PKEY *key, const struct secret *passphrase)
{
	PKCS8_PRIV_KEY_INFO_auto *plain = EVP_PKEY2PKCS8(key);
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, scrypt.salt_len, NULL,
						scrypt.n, scrypt.r, scrypt.p);
	X509_SIG *sealed = NULL;

	if (plain != NULL && how != NULL) /* takes how when it succeeds */
		sealed = PKCS8_set0_pbe(passphrase->bytes, (int)passphrase->len, plain, how);
	if (sealed == NULL)
		X509_ALGOR_free(how);
	return sealed;
}

bool key_file_write(const char *path, const EVP_PKEY *key, const struct secret *passphrase,
		    struct error *error)
{
	X509_SIG_auto *sealed = encrypt(key, passphrase);
	BIO_auto *pem = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (sealed == NULL || pem == NULL || PEM_write_bio_PKCS8(pem, sealed) != 1)
		return error_openssl(error, ERROR_INTERNAL, "%s: cannot encrypt the key", path);
	len = BIO_get_mem_data(pem, &text);
	return new_file_write(path, text, (size_t)len, 0600, error);
}

static X509_SIG *read_sealed(const char *path, struct error *error)
{
	int fd = private_file_open(path, error);
	BIO_auto *pem = NULL;
	X509_SIG *sealed;

	if (fd < 0)
		return NULL;
	pem = BIO_new_fd(fd, BIO_CLOSE);
	if (pem == NULL)
		close(fd);
	sealed = pem == NULL ? NULL : PEM_read_bio_PKCS8(pem, NULL, no_passphrase, NULL);
	ERR_clear_error();
	if (sealed == NULL)
		error_set(error, ERROR_INVALID, "%s: no encrypted private key (PKCS #8 PEM)", path);
	return sealed;
}

static EVP_PKEY *decrypt(const char *path, const X509_SIG *sealed, const struct secret *passphrase,
			 struct error *error)
{
	PKCS8_PRIV_KEY_INFO_auto *plain =
		PKCS8_decrypt(sealed, passphrase->bytes, (int)passphrase->len);
	EVP_PKEY *key = plain == NULL ? NULL : EVP_PKCS82PKEY(plain);

	ERR_clear_error();
	if (plain == NULL)
		error_set(error, ERROR_INVALID, "%s: the passphrase does not open it", path);
	else if (key == NULL)
		error_set(error, ERROR_INVALID, "%s: no private key inside", path);
	return key;
}

/* The public part stands beside the private one, and a key whose two parts do not match signs
 * what nobody can verify. */
static bool is_whole(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool whole = ctx != NULL && EVP_PKEY_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return whole;
}

EVP_PKEY *key_file_read(const char *path, const struct secret *passphrase, struct error *error)
{
	X509_SIG_auto *sealed = read_sealed(path, error);
	EVP_PKEY *key = sealed == NULL ? NULL : decrypt(path, sealed, passphrase, error);

	if (key == NULL)
		return NULL;
	if (!p256_key_check(key, error))
		error_context(error, "%s", path);
	else if (!is_whole(key))
		error_set(error, ERROR_INVALID, "%s: the key's two parts do not match", path);
	else
		return key;
	EVP_PKEY_free(key);
	return NULL;
}
