/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "../suite.h"
#include "crypto/key_file.h"
#include "crypto/openssl.h"

static const struct secret passphrase = { 7, "hunter2" };
static const struct secret wrong_passphrase = { 7, "hunter3" };
static char folder[] = "/tmp/stipa-key.XXXXXX";
static char path[64];

static void test_a_key_comes_back(void)
{
	struct error error = { 0 }, wrong = { 0 };
	EVP_PKEY_auto *key = p256_key_new(&error);
	EVP_PKEY_auto *back = NULL;
	char text[64] = "";
	struct stat st;
	FILE *file;

	CU_ASSERT_TRUE_FATAL(key_file_write(path, key, &passphrase, &error));
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), file));
	fclose(file);
	CU_ASSERT_STRING_EQUAL(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");

	back = key_file_read(path, &passphrase, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(back);
	CU_ASSERT_EQUAL(EVP_PKEY_eq(key, back), 1);

	CU_ASSERT_PTR_NULL(key_file_read(path, &wrong_passphrase, &wrong));
	CU_ASSERT_EQUAL(wrong.kind, ERROR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(wrong.detail, "passphrase does not open it"));
	unlink(path);
}

static void test_a_key_file_is_never_overwritten(void)
{
	struct error error = { 0 };
	EVP_PKEY_auto *key = p256_key_new(&error);
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	close(fd);
	CU_ASSERT_FALSE(key_file_write(path, key, &passphrase, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_CONFLICT);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_size, 0);
	unlink(path);
}

static void test_a_link_is_not_followed(void)
{
	struct error error = { 0 };
	EVP_PKEY_auto *key = p256_key_new(&error);
	char target[80];

	snprintf(target, sizeof(target), "%s/target", folder);
	CU_ASSERT_EQUAL(symlink(target, path), 0);
	CU_ASSERT_FALSE(key_file_write(path, key, &passphrase, &error));
	CU_ASSERT_NOT_EQUAL(access(target, F_OK), 0);
	unlink(path);
}

/* What somebody else's tool might have left there. */
static void write_foreign(EVP_PKEY *key, const EVP_CIPHER *cipher, bool traditional, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	BIO_auto *pem = BIO_new_fd(fd, BIO_CLOSE);
	const unsigned char *pass = cipher == NULL ? NULL : (const unsigned char *)"hunter2";
	int len = cipher == NULL ? 0 : 7;

	CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
	if (traditional)
		PEM_write_bio_PrivateKey_traditional(pem, key, cipher, pass, len, NULL, NULL);
	else
		PEM_write_bio_PrivateKey(pem, key, cipher, pass, len, NULL, NULL);
}

static void test_foreign_key_files(void)
{
	EVP_PKEY_auto *p256 = EVP_EC_gen("P-256");
	EVP_PKEY_auto *p384 = EVP_EC_gen("P-384");
	EVP_PKEY_auto *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	const struct {
		const char *name;
		EVP_PKEY *key;
		const EVP_CIPHER *cipher;
		bool traditional;
		mode_t mode;
		const char *why; /* NULL: taken */
	} cases[] = {
		{ "PBKDF2, as openssl genpkey writes", p256, EVP_aes_256_cbc(), false, 0600, NULL },
		{ "read-only", p256, EVP_aes_256_cbc(), false, 0400, NULL },
		{ "not encrypted", p256, NULL, false, 0600, "no encrypted private key" },
		{ "traditional", p256, EVP_aes_256_cbc(), true, 0600, "no encrypted private key" },
		{ "group may read", p256, EVP_aes_256_cbc(), false, 0640, "mode 0640" },
		{ "all may read", p256, EVP_aes_256_cbc(), false, 0644, "mode 0644" },
		{ "P-384", p384, EVP_aes_256_cbc(), false, 0600, "not P-256" },
		{ "Ed25519", ed, EVP_aes_256_cbc(), false, 0600, "not an EC key" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		EVP_PKEY_auto *key = NULL;

		write_foreign(cases[i].key, cases[i].cipher, cases[i].traditional, cases[i].mode);
		key = key_file_read(path, &passphrase, &error);
		if ((key != NULL) != (cases[i].why == NULL))
			printf("\n    %s: %s", cases[i].name, error.detail);
		CU_ASSERT_EQUAL(key != NULL, cases[i].why == NULL);
		if (cases[i].why != NULL) {
			CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
			CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, cases[i].why));
		}
		unlink(path);
	}
}

static void test_no_file(void)
{
	struct error error = { 0 };

	CU_ASSERT_PTR_NULL(key_file_read(path, &passphrase, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "No such file"));
}

static int setup(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int teardown(void)
{
	return rmdir(folder);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a key comes back", test_a_key_comes_back },
		{ "a key file is never overwritten", test_a_key_file_is_never_overwritten },
		{ "a link is not followed", test_a_link_is_not_followed },
		{ "foreign key files", test_foreign_key_files },
		{ "no file", test_no_file },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "key_file",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
