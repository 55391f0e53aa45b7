/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files of certificates: what is read can be written and read again, what may sign has a key of
 * P-256 and is no CA, and no failure is left behind in OpenSSL's queue. */
#define _GNU_SOURCE 1 /* memmem(), memfd_create() */
#include <stdint.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/x509.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static STACK_OF(X509) * read_chain(const void *bytes, size_t size)
{
	char path[MEMORY_PATH_MAX];
	int fd = memory_file(bytes, size, path);
	struct error error = { 0 };
	STACK_OF(X509) *chain = x509_chain_read(path, &error);

	require(chain == NULL ? error.kind == ERROR_INVALID : sk_X509_num(chain) > 0);
	require(ERR_peek_error() == 0);
	close(fd);
	return chain;
}

static int count_begins(const uint8_t *data, size_t size)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *end = data + size;
	int n = 0;

	while ((data = memmem(data, (size_t)(end - data), begin, strlen(begin))) != NULL) {
		data += strlen(begin);
		n++;
	}
	return n;
}

static void check_again(STACK_OF(X509) * chain)
{
	BIO_auto *pem = BIO_new(BIO_s_mem());
	X509_stack_auto *again = NULL;
	char *text;
	long len;

	for (int i = 0; i < sk_X509_num(chain); i++)
		require(PEM_write_bio_X509(pem, sk_X509_value(chain, i)) == 1);
	len = BIO_get_mem_data(pem, &text);
	again = read_chain(text, (size_t)len);
	require(again != NULL && sk_X509_num(again) == sk_X509_num(chain));
	for (int i = 0; i < sk_X509_num(chain); i++) {
		uint8_t here[32], there[32];
		struct error error = { 0 };

		require(x509_sha256(sk_X509_value(chain, i), here, &error));
		require(x509_sha256(sk_X509_value(again, i), there, &error));
		require(memcmp(here, there, sizeof(here)) == 0);
	}
}

static void check_leaf(X509 *leaf)
{
	struct error error = { 0 };
	char group[32];

	if (x509_may_sign_tokens(leaf, &error)) {
		require(EVP_PKEY_get_group_name(X509_get0_pubkey(leaf), group, sizeof(group),
						NULL) == 1);
		require(strcmp(group, "prime256v1") == 0);
		require(X509_check_ca(leaf) == 0);
	} else {
		require(error.kind == ERROR_INVALID);
	}
	require(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509_stack_auto *chain = read_chain(data, size);
	struct error error = { 0 };

	if (chain == NULL)
		return 0;
	require(sk_X509_num(chain) <= count_begins(data, size));
	check_again(chain);
	for (int i = 0; i < sk_X509_num(chain); i++)
		check_leaf(sk_X509_value(chain, i));
	require(x509_chain_holds(chain, 0, &error) || error.kind == ERROR_INVALID);
	require(ERR_peek_error() == 0);
	return 0;
}
