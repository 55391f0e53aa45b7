/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "crypto/digest.h"
#include "edge/authorization.h"

#define TOKEN	"mF_9.B5f-4.1JqM"
#define ZEROS49 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct header {
	const char *name, *header;
	enum authorization_kind kind;
	const char *client, *secret; /* of Basic; or a token */
} headers[] = {
	{ "none", NULL, AUTHORIZATION_NONE },
	{ "empty", "", AUTHORIZATION_NONE },
	{ "Basic", "Basic Y2xpZW50OnNlY3JldA==", AUTHORIZATION_BASIC, "client", "secret" },
	{ "without padding", "Basic Y2xpZW50OnNlY3JldA", AUTHORIZATION_BASIC, "client", "secret" },
	{ "basic", "basic Y2xpZW50OnNlY3JldA==", AUTHORIZATION_BASIC, "client", "secret" },
	{ "BASIC", "BASIC Y2xpZW50OnNlY3JldA==", AUTHORIZATION_BASIC, "client", "secret" },
	{ "colons in the secret", "Basic YTpiOmM6", AUTHORIZATION_BASIC, "a", "b:c:" },
	{ "no client", "Basic OnNlY3JldA==", AUTHORIZATION_BASIC, "", "secret" },
	{ "no secret", "Basic Y2xpZW50Og==", AUTHORIZATION_BASIC, "client", "" },
	{ "a colon only", "Basic Og==", AUTHORIZATION_BASIC, "", "" },
	{ "spaces in the secret", "Basic YTogYiA=", AUTHORIZATION_BASIC, "a", " b " },
	{ "UTF-8", "Basic YTrDqQ==", AUTHORIZATION_BASIC, "a", "\xc3\xa9" },
	{ "no colon", "Basic c2VjcmV0", AUTHORIZATION_BASIC },
	{ "nothing", "Basic", AUTHORIZATION_BASIC },
	{ "nothing after the space", "Basic ", AUTHORIZATION_BASIC },
	{ "two spaces", "Basic  Y2xpZW50OnNlY3JldA==", AUTHORIZATION_BASIC, "client", "secret" },
	{ "a tab", "Basic\tY2xpZW50OnNlY3JldA==", AUTHORIZATION_TOKEN },
	{ "a tail", "Basic Y2xpZW50OnNlY3JldA== x", AUTHORIZATION_BASIC },
	{ "half the padding", "Basic Y2xpZW50OnNlY3JldA=", AUTHORIZATION_BASIC },
	{ "unused bits", "Basic Y2xpZW50OnNlY3JldB==", AUTHORIZATION_BASIC },
	{ "not base64", "Basic client:secret", AUTHORIZATION_BASIC },
	{ "a NUL in the client", "Basic YQBiOmM=", AUTHORIZATION_BASIC },
	{ "a NUL in the secret", "Basic YTpiAGM=", AUTHORIZATION_BASIC },
	{ "a line break", "Basic YTpiCg==", AUTHORIZATION_BASIC },
	{ "DEL", "Basic YTpifw==", AUTHORIZATION_BASIC },
	{ "Bearer", "Bearer mF_9.B5f-4.1JqM", AUTHORIZATION_TOKEN, NULL, TOKEN },
	{ "bearer", "bearer mF_9.B5f-4.1JqM", AUTHORIZATION_TOKEN, NULL, TOKEN },
	{ "Bearer without a token", "Bearer", AUTHORIZATION_TOKEN },
	{ "a bare token", "mF_9.B5f-4.1JqM", AUTHORIZATION_TOKEN, NULL, TOKEN },
	{ "a bare token that begins so", "Basically", AUTHORIZATION_TOKEN, NULL, "Basically" },
	{ "credentials without a scheme", "Y2xpZW50OnNlY3JldA==", AUTHORIZATION_TOKEN, NULL,
	  "Y2xpZW50OnNlY3JldA==" },
	{ "Bearer with two tokens", "Bearer a b", AUTHORIZATION_TOKEN },
	{ "Bearer and three spaces", "Bearer   a", AUTHORIZATION_TOKEN, NULL, "a" },
	{ "Bearer with what no token has", "Bearer a,b", AUTHORIZATION_TOKEN },
	{ "Bearer with padding inside", "Bearer a=b", AUTHORIZATION_TOKEN },
	{ "Bearer with padding", "Bearer a==", AUTHORIZATION_TOKEN, NULL, "a==" },
	{ "padding only", "Bearer =", AUTHORIZATION_TOKEN },
	{ "a bare token with what none has", "a,b", AUTHORIZATION_TOKEN },
	{ "another scheme", "Digest username=\"client\"", AUTHORIZATION_NONE },
	{ "a scheme that begins so", "Basics Y2xpZW50OnNlY3JldA==", AUTHORIZATION_NONE },
	{ "a space first", " Basic Y2xpZW50OnNlY3JldA==", AUTHORIZATION_NONE },
};

static void digest_of(const struct header *header, uint8_t digest[32])
{
	memset(digest, 0, 32);
	if (header->client != NULL)
		credential_digest_basic(header->client, strlen(header->client), header->secret,
					strlen(header->secret), digest);
	else if (header->secret != NULL)
		credential_digest_token(header->secret, strlen(header->secret), digest);
}

static void test_a_header_says_who_asks(void)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header *header = &headers[i];
		struct authorization who;
		uint8_t want[32];

		digest_of(header, want);
		memset(&who, 0x55, sizeof(who));
		authorization_read(header->header, "demo", &who);
		if (who.kind != header->kind || memcmp(who.digest, want, 32) != 0)
			printf("\n  %s: kind %d", header->name, who.kind);
		CU_ASSERT_EQUAL(who.kind, header->kind);
		CU_ASSERT_EQUAL(authorization_kind_of(header->header), header->kind);
		CU_ASSERT_EQUAL(memcmp(who.digest, want, 32), 0);
		CU_ASSERT_PTR_NULL(who.foreign);
	}
}

static void test_credentials_that_are_too_long_are_nobodys(void)
{
	const uint8_t nobody[32] = { 0 };
	struct authorization who;
	char header[8192];

	memset(header, 'a', sizeof(header));
	memcpy(header, "Basic YTph", 10);
	header[6 + 684] = '\0'; /* 513 bytes */
	authorization_read(header, "demo", &who);
	CU_ASSERT_EQUAL(who.kind, AUTHORIZATION_BASIC);
	CU_ASSERT_EQUAL(memcmp(who.digest, nobody, 32), 0);
	header[6 + 680] = '\0'; /* 510 bytes: read, if of no use */
	authorization_read(header, "demo", &who);
	CU_ASSERT_EQUAL(who.kind, AUTHORIZATION_BASIC);
	CU_ASSERT_NOT_EQUAL(memcmp(who.digest, nobody, 32), 0);
}

static const struct {
	const char *secret, *environment;
	const char *foreign; /* NULL: it is not */
} secrets[] = {
	{ "stipa_prod_" ZEROS49, "demo", "production" },
	{ "stipa_stg_" ZEROS49, "demo", "staging" },
	{ "stipa_demo_" ZEROS49, "demo", NULL },
	{ "stipa_demo_" ZEROS49, "production", "demo" },
	{ "stipa_prod_at_" ZEROS49, "staging", "production" },
	{ "stipa_prod_pw_" ZEROS49, "staging", "production" },
	{ "stipa_prod_pw_" ZEROS49, "production", NULL },
	{ "stipa_prod_" ZEROS49 "A", "demo", NULL }, /* has not the form: wrong like any other */
	{ "stipa_prod_", "demo", NULL },
	{ "stipa_test_" ZEROS49, "demo", NULL },
	{ "secret", "demo", NULL },
	{ "", "demo", NULL },
};

static void test_a_secret_of_another_environment_is_named(void)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *foreign = secret_foreign(secrets[i].secret, secrets[i].environment);

		CU_ASSERT_STRING_EQUAL(foreign ? foreign : "",
				       secrets[i].foreign ? secrets[i].foreign : "");
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a header says who asks", test_a_header_says_who_asks },
		{ "credentials that are too long are nobody's",
		  test_credentials_that_are_too_long_are_nobodys },
		{ "a secret of another environment is named",
		  test_a_secret_of_another_environment_is_named },
		CU_TEST_INFO_NULL,
	};

	return run_suite("authorization", tests);
}
