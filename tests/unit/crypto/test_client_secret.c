/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "crypto/client_secret.h"

static const struct {
	const char *environment, *prefix;
} environments[] = {
	{ "production", "stipa_prod_" },
	{ "staging", "stipa_stg_" },
	{ "demo", "stipa_demo_" },
};

static void test_a_secret_has_its_form(void)
{
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
		size_t prefix = strlen(environments[i].prefix);
		struct error error = { 0 };
		secret_auto secret = { 0 };

		CU_ASSERT_TRUE_FATAL(client_secret_make(&secret, SECRET_OF_CLIENT,
							environments[i].environment, &error));
		CU_ASSERT_EQUAL(strncmp(secret.bytes, environments[i].prefix, prefix), 0);
		CU_ASSERT_EQUAL(secret.len, prefix + 43 + 6);
		CU_ASSERT_EQUAL(secret.len, strlen(secret.bytes));
		CU_ASSERT_EQUAL(strspn(secret.bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						     "abcdefghijklmnopqrstuvwxyz0123456789_-"),
				secret.len);
		CU_ASSERT_TRUE(client_secret_check(&secret, environments[i].environment, &error));
	}
}

static void test_no_two_are_alike(void)
{
	struct error error = { 0 };
	struct secret a = { 0 }, b = { 0 };

	CU_ASSERT_TRUE(client_secret_make(&a, SECRET_OF_CLIENT, "demo", &error));
	CU_ASSERT_TRUE(client_secret_make(&b, SECRET_OF_CLIENT, "demo", &error));
	CU_ASSERT_FALSE(secret_equal(&a, &b));
}

static void test_an_unknown_environment_makes_none(void)
{
	struct error error = { 0 };
	struct secret secret = { 0 };

	CU_ASSERT_FALSE(client_secret_make(&secret, SECRET_OF_CLIENT, "test", &error));
	CU_ASSERT_STRING_EQUAL(error.detail, "'test' is no environment");
	CU_ASSERT_EQUAL(secret.len, 0);
}

/* Made with: printf %s stipa_demo_AAAA… | openssl dgst -sha256 -binary | basenc --base64url */
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *name, *text, *why; /* NULL: it is right */
} cases[] = {
	{ "right", "stipa_demo_" ZEROS "WV9uGj", NULL },
	{ "another checksum", "stipa_demo_" ZEROS "AAAAAA",
	  "the secret is mistyped: its checksum is wrong" },
	{ "no checksum", "stipa_demo_" ZEROS, "the secret is cut short or too long" },
	{ "one more", "stipa_demo_" ZEROS "WV9uGjA", "the secret is cut short or too long" },
	{ "of staging", "stipa_stg_" ZEROS "AAAAAA",
	  "this is a secret of the staging environment, not of demo" },
	{ "of production", "stipa_prod_" ZEROS "AAAAAA",
	  "this is a secret of the production environment, not of demo" },
	{ "another's", "ghp_0123456789", "a client's secret begins with stipa_" },
	{ "empty", "", "a client's secret begins with stipa_" },
};

static void test_check(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		struct secret secret = { .len = strlen(cases[i].text) };

		strcpy(secret.bytes, cases[i].text);
		if (client_secret_check(&secret, "demo", &error) != (cases[i].why == NULL) ||
		    (cases[i].why != NULL && strcmp(error.detail, cases[i].why) != 0)) {
			printf("\n    %s: %s", cases[i].name, error.detail);
			CU_FAIL("see the line above");
		}
	}
}

static void test_each_form_is_told(void)
{
	static const char *const begins[] = { "stipa_stg_", "stipa_stg_at_", "stipa_stg_pw_" };

	for (int form = SECRET_OF_CLIENT; form <= SECRET_PASSWORD; form++) {
		struct client_secret_kind kind;
		struct error error = { 0 };
		secret_auto secret = { 0 };

		CU_ASSERT_TRUE_FATAL(client_secret_make(&secret, (enum client_secret_form)form,
							"staging", &error));
		CU_ASSERT_EQUAL(strncmp(secret.bytes, begins[form], strlen(begins[form])), 0);
		CU_ASSERT_TRUE(client_secret_read(secret.bytes, secret.len, &kind));
		CU_ASSERT_EQUAL((int)kind.form, form);
		CU_ASSERT_STRING_EQUAL(kind.environment, "staging");
		CU_ASSERT_TRUE(kind.whole);
		CU_ASSERT_FALSE(client_secret_read(secret.bytes, secret.len - 1, &kind));
		secret.bytes[secret.len - 1] ^= 1;
		CU_ASSERT_TRUE(client_secret_read(secret.bytes, secret.len, &kind) ? !kind.whole
										   : true);
		secret.bytes[secret.len - 1] = '=';
		CU_ASSERT_FALSE(client_secret_read(secret.bytes, secret.len, &kind));
	}
}

/* 43 random characters may begin with any three. */
static void test_the_length_tells_the_form(void)
{
	static const char text[] = "stipa_demo_at_"
				   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				   "AAAAAA";
	struct client_secret_kind kind;

	CU_ASSERT_TRUE_FATAL(client_secret_read(text, strlen(text), &kind));
	CU_ASSERT_EQUAL(kind.form, SECRET_OF_CLIENT);
	CU_ASSERT_FALSE(kind.whole);
	CU_ASSERT_FALSE(client_secret_read("", 0, &kind));
	CU_ASSERT_FALSE(client_secret_read("stipa_demo_", 11, &kind));
}

/* Each single wrong letter is seen. */
static void test_a_typo_is_seen(void)
{
	struct error error = { 0 };
	struct secret right = { 0 };

	CU_ASSERT_TRUE_FATAL(client_secret_make(&right, SECRET_OF_CLIENT, "demo", &error));
	for (size_t i = strlen("stipa_demo_"); i < right.len; i++) {
		struct secret wrong = right;

		memset(&error, 0, sizeof(error));
		wrong.bytes[i] = wrong.bytes[i] == 'A' ? 'B' : 'A';
		CU_ASSERT_FALSE(client_secret_check(&wrong, "demo", &error));
	}
}

/* SHA-256("basic" 0x00 client 0x00 secret), computed by another tool. */
static void test_the_digest_is_the_contract_s(void)
{
	static const uint8_t expected[SHA256_LEN] = { 0xa2, 0x57, 0x67, 0x36, 0xc5, 0x97, 0xb4,
						      0xa2, 0xfb, 0x1d, 0xcd, 0x5c, 0x5a, 0x89,
						      0xa5, 0x64, 0xa2, 0x83, 0xc9, 0x2e, 0xc7,
						      0xba, 0xd7, 0x07, 0xd0, 0x8e, 0x10, 0x51,
						      0xa8, 0xc0, 0xcb, 0x31 };
	struct secret secret = { .len = 6, .bytes = "secret" };
	uint8_t digest[SHA256_LEN];

	client_secret_digest(&secret, "client", digest);
	CU_ASSERT_EQUAL(memcmp(digest, expected, sizeof(expected)), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a secret has its form", test_a_secret_has_its_form },
		{ "no two are alike", test_no_two_are_alike },
		{ "an unknown environment makes none", test_an_unknown_environment_makes_none },
		{ "check", test_check },
		{ "each form is told", test_each_form_is_told },
		{ "the length tells", test_the_length_tells_the_form },
		{ "a typo is seen", test_a_typo_is_seen },
		{ "the digest is the contract's", test_the_digest_is_the_contract_s },
		CU_TEST_INFO_NULL,
	};

	return run_suite("client_secret", tests);
}
