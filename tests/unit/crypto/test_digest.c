/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../suite.h"
#include "crypto/digest.h"

static void test_sha256(void)
{
	/* FIPS 180-4: SHA-256("abc") */
	static const uint8_t wanted[SHA256_LEN] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
		0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
		0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	};
	uint8_t digest[SHA256_LEN];

	sha256("abc", 3, digest);
	CU_ASSERT_EQUAL(memcmp(digest, wanted, sizeof(wanted)), 0);
}

static void test_a_credential_is_hashed_with_its_borders(void)
{
	uint8_t digest[SHA256_LEN], wanted[SHA256_LEN], other[SHA256_LEN];

	sha256("basic\0kms-1\0s3cret", 18, wanted);
	credential_digest_basic("kms-1", 5, "s3cret", 6, digest);
	CU_ASSERT_EQUAL(memcmp(digest, wanted, sizeof(wanted)), 0);

	credential_digest_basic("kms-1s", 6, "3cret", 5, other);
	CU_ASSERT_NOT_EQUAL(memcmp(digest, other, sizeof(other)), 0);
}

static void test_each_kind_has_its_word(void)
{
	uint8_t digest[SHA256_LEN], wanted[SHA256_LEN];

	sha256("token\0a-token", 13, wanted);
	credential_digest_token("a-token!", 7, digest);
	CU_ASSERT_EQUAL(memcmp(digest, wanted, sizeof(wanted)), 0);

	sha256("login\0user\0s3cret", 17, wanted);
	credential_digest_login("user", 4, "s3cret", 6, digest);
	CU_ASSERT_EQUAL(memcmp(digest, wanted, sizeof(wanted)), 0);

	sha256("secret\0s3cret", 13, wanted);
	credential_digest_secret("s3cret", 6, digest);
	CU_ASSERT_EQUAL(memcmp(digest, wanted, sizeof(wanted)), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "SHA-256", test_sha256 },
		{ "a credential is hashed with its borders",
		  test_a_credential_is_hashed_with_its_borders },
		{ "each kind has its word", test_each_kind_has_its_word },
		CU_TEST_INFO_NULL,
	};

	return run_suite("digest", tests);
}
