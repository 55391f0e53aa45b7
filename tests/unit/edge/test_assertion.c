/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions are put together here from their JSON: what they say is judged, not their
 * signature. */
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "edge/assertion.h"
#include "fakes.h"

#define NOW    1767225600
#define LONG64 "0123456789012345678901234567890123456789012345678901234567890123"

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"k-1\"}"
#define WHO    "\"iss\":\"kms-1\",\"sub\":\"kms-1\","
#define AUD    "\"aud\":\"https://pa.example\","
#define EXP    "\"exp\":1767225900,"
#define JTI    "\"jti\":\"j-1\""
#define CLAIMS "{" WHO AUD EXP JTI "}"

static const char *const audiences[] = { "https://pa.example", "https://pa.example/oauth2/token",
					 NULL };

/* A text of three parts, with a signature of @sig_len octets. */
static void put_together(const char *header, const char *claims, size_t sig_len, char *text)
{
	uint8_t sig[128];

	memset(sig, 0x5a, sizeof(sig));
	text += base64url_encode(header, strlen(header), text);
	*text++ = '.';
	text += base64url_encode(claims, strlen(claims), text);
	*text++ = '.';
	base64url_encode(sig, sig_len, text);
}

static const struct {
	const char *name, *header, *claims; /* NULL: good ones */
	const char *why;		    /* a part of it; NULL: it is good */
} cases[] = {
	{ "good", NULL, NULL, NULL },
	{ "without typ", "{\"alg\":\"ES256\",\"kid\":\"k-1\"}", NULL, NULL },
	{ "another typ that is meant so",
	  "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"typ\":\"client-authentication+jwt\"}", NULL, NULL },
	{ "typ in lower case", "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"typ\":\"jwt\"}", NULL, NULL },
	{ "further members of the header", "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"x5t\":\"a\"}",
	  NULL, NULL },
	{ "without kid", "{\"alg\":\"ES256\"}", NULL, NULL },
	{ "alg none", "{\"alg\":\"none\",\"kid\":\"k-1\"}", NULL, "alg:" },
	{ "alg HS256", "{\"alg\":\"HS256\",\"kid\":\"k-1\"}", NULL, "alg:" },
	{ "alg in lower case", "{\"alg\":\"es256\",\"kid\":\"k-1\"}", NULL, "alg:" },
	{ "alg a list", "{\"alg\":[\"ES256\"],\"kid\":\"k-1\"}", NULL, "alg:" },
	{ "no alg", "{\"kid\":\"k-1\"}", NULL, "alg:" },
	{ "alg twice", "{\"alg\":\"ES256\",\"alg\":\"none\"}", NULL, "header" },
	{ "another typ", "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"typ\":\"at+jwt\"}", NULL, "typ:" },
	{ "typ a number", "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"typ\":1}", NULL, "typ:" },
	{ "crit", "{\"alg\":\"ES256\",\"kid\":\"k-1\",\"crit\":[\"exp\"]}", NULL, "crit:" },
	{ "kid empty", "{\"alg\":\"ES256\",\"kid\":\"\"}", NULL, "kid:" },
	{ "kid a number", "{\"alg\":\"ES256\",\"kid\":1}", NULL, "kid:" },
	{ "kid too long", "{\"alg\":\"ES256\",\"kid\":\"" LONG64 "x\"}", NULL, "kid:" },
	{ "kid of 64", "{\"alg\":\"ES256\",\"kid\":\"" LONG64 "\"}", NULL, NULL },
	{ "kid not ASCII", "{\"alg\":\"ES256\",\"kid\":\"\xc3\xa9\"}", NULL, "kid:" },
	{ "kid with a line break", "{\"alg\":\"ES256\",\"kid\":\"a\\nb\"}", NULL, "kid:" },
	{ "a header that is a list", "[]", NULL, "header" },
	{ "a header that is no JSON", "x", NULL, "header" },

	{ "the token endpoint", NULL,
	  "{" WHO "\"aud\":\"https://pa.example/oauth2/token\"," EXP JTI "}", NULL },
	{ "a list of audiences", NULL,
	  "{" WHO "\"aud\":[\"https://x.example\",\"https://pa.example\"]," EXP JTI "}", NULL },
	{ "another audience", NULL, "{" WHO "\"aud\":\"https://x.example\"," EXP JTI "}", "aud:" },
	{ "the audience with a slash", NULL, "{" WHO "\"aud\":\"https://pa.example/\"," EXP JTI "}",
	  "aud:" },
	{ "an empty list", NULL, "{" WHO "\"aud\":[]," EXP JTI "}", "aud:" },
	{ "a list of others", NULL, "{" WHO "\"aud\":[\"a\",1,null]," EXP JTI "}", "aud:" },
	{ "an audience that is an object", NULL, "{" WHO "\"aud\":{}," EXP JTI "}", "aud:" },
	{ "no audience", NULL, "{" WHO EXP JTI "}", "aud:" },

	{ "no iss", NULL, "{\"sub\":\"kms-1\"," AUD EXP JTI "}", "iss and sub:" },
	{ "no sub", NULL, "{\"iss\":\"kms-1\"," AUD EXP JTI "}", "iss and sub:" },
	{ "another sub", NULL, "{\"iss\":\"kms-1\",\"sub\":\"kms-2\"," AUD EXP JTI "}",
	  "iss and sub:" },
	{ "iss a number", NULL, "{\"iss\":1,\"sub\":1," AUD EXP JTI "}", "iss and sub:" },
	{ "iss empty", NULL, "{\"iss\":\"\",\"sub\":\"\"," AUD EXP JTI "}", "iss and sub:" },
	{ "iss no client's id", NULL, "{\"iss\":\"a b\",\"sub\":\"a b\"," AUD EXP JTI "}",
	  "iss and sub:" },
	{ "iss a URL", NULL, "{\"iss\":\"https://a\",\"sub\":\"https://a\"," AUD EXP JTI "}",
	  "iss and sub:" },
	{ "iss twice", NULL, "{\"iss\":\"kms-2\"," WHO AUD EXP JTI "}", "claims" },

	{ "no exp", NULL, "{" WHO AUD JTI "}", "exp:" },
	{ "exp a text", NULL, "{" WHO AUD "\"exp\":\"1767225900\"," JTI "}", "exp:" },
	{ "exp now", NULL, "{" WHO AUD "\"exp\":1767225600," JTI "}", "exp: it has expired" },
	{ "exp a second ago", NULL, "{" WHO AUD "\"exp\":1767225599," JTI "}", "expired" },
	{ "exp in a second", NULL, "{" WHO AUD "\"exp\":1767225601," JTI "}", NULL },
	{ "exp in an hour and a minute", NULL, "{" WHO AUD "\"exp\":1767229260," JTI "}", NULL },
	{ "exp too far", NULL, "{" WHO AUD "\"exp\":1767229261," JTI "}", "an hour" },
	{ "exp with a fraction", NULL, "{" WHO AUD "\"exp\":1767225900.5," JTI "}", NULL },
	{ "exp negative", NULL, "{" WHO AUD "\"exp\":-1," JTI "}", "exp:" },
	{ "exp beyond all", NULL, "{" WHO AUD "\"exp\":1e300," JTI "}", "exp:" },
	{ "exp beyond 63 bits", NULL, "{" WHO AUD "\"exp\":9223372036854775807," JTI "}", "exp:" },
	{ "nbf and iat now", NULL, "{" WHO AUD EXP "\"nbf\":1767225600,\"iat\":1767225600," JTI "}",
	  NULL },
	{ "nbf by a clock that is fast", NULL, "{" WHO AUD EXP "\"nbf\":1767225630," JTI "}",
	  NULL },
	{ "nbf in the future", NULL, "{" WHO AUD EXP "\"nbf\":1767225631," JTI "}", "nbf:" },
	{ "nbf a text", NULL, "{" WHO AUD EXP "\"nbf\":\"now\"," JTI "}", "nbf:" },
	{ "iat in the future", NULL, "{" WHO AUD EXP "\"iat\":1767225631," JTI "}", "iat:" },
	{ "iat null", NULL, "{" WHO AUD EXP "\"iat\":null," JTI "}", "iat:" },

	{ "no jti", NULL, "{" WHO AUD "\"exp\":1767225900}", "jti:" },
	{ "jti empty", NULL, "{" WHO AUD EXP "\"jti\":\"\"}", "jti:" },
	{ "jti a number", NULL, "{" WHO AUD EXP "\"jti\":1}", "jti:" },
	{ "jti of 64", NULL, "{" WHO AUD EXP "\"jti\":\"" LONG64 "\"}", NULL },
	{ "jti of 65", NULL, "{" WHO AUD EXP "\"jti\":\"" LONG64 "x\"}", "jti:" },
	{ "jti not ASCII", NULL, "{" WHO AUD EXP "\"jti\":\"\xc3\xa9\"}", "jti:" },
	{ "further claims", NULL, "{" WHO AUD EXP JTI ",\"x\":{\"y\":[]}}", NULL },
	{ "claims that are a list", NULL, "[]", "claims" },
	{ "claims that are no JSON", NULL, "{", "claims" },
};

static bool parse(const char *text, struct assertion *assertion, struct error *error)
{
	memset(assertion, 0x55, sizeof(*assertion));
	return assertion_parse(text, audiences, NOW, assertion, error);
}

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const struct assertion nothing;
		const char *why = cases[i].why;
		struct error error = { 0 };
		struct assertion assertion;
		bool good, as_wanted;
		char text[4096];

		put_together(cases[i].header ? cases[i].header : HEADER,
			     cases[i].claims ? cases[i].claims : CLAIMS, 64, text);
		good = parse(text, &assertion, &error);
		as_wanted = good == (why == NULL) &&
			    (good || (error.kind == ERROR_UNAUTHORIZED &&
				      strcmp(error.code, "invalid_client") == 0 &&
				      strstr(error.detail, why) != NULL &&
				      memcmp(&assertion, &nothing, sizeof(nothing)) == 0));
		if (!as_wanted)
			printf("\n  %s: %d %s", cases[i].name, good, error.detail);
		CU_ASSERT_TRUE(as_wanted);
	}
}

static void test_what_is_read(void)
{
	struct error error = { 0 };
	struct assertion assertion;
	uint8_t digest[32];
	char text[4096];

	put_together(HEADER, CLAIMS, 64, text);
	CU_ASSERT_TRUE(parse(text, &assertion, &error));
	CU_ASSERT_STRING_EQUAL(assertion.client, "kms-1");
	CU_ASSERT_STRING_EQUAL(assertion.kid, "k-1");
	CU_ASSERT_STRING_EQUAL(assertion.jti, "j-1");
	CU_ASSERT_EQUAL(assertion.exp, 1767225900);
	CU_ASSERT_EQUAL(assertion.sig[0], 0x5a);
	sha256(text, (size_t)(strrchr(text, '.') - text), digest);
	CU_ASSERT_EQUAL(memcmp(assertion.digest, digest, 32), 0);
}

static void test_what_is_no_compact_jws(void)
{
	static const char *const texts[] = { "",	".",	 "..", "a.b",
					     "a.b.c.d", "a.b.c", "{}", "e30.e30." };
	struct error error = { 0 };
	struct assertion assertion;
	char text[4096];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		error = (struct error){ 0 };
		CU_ASSERT_FALSE(parse(texts[i], &assertion, &error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "compact JWS"));
	}
	for (size_t len = 62; len <= 66; len++) {
		put_together(HEADER, CLAIMS, len, text);
		error = (struct error){ 0 };
		CU_ASSERT_EQUAL(parse(text, &assertion, &error), len == 64);
	}
	put_together(HEADER, CLAIMS, 64, text);
	strcat(text, "=");
	error = (struct error){ 0 };
	CU_ASSERT_FALSE(parse(text, &assertion, &error));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "cases", test_cases },
		{ "what is read", test_what_is_read },
		{ "what is no compact JWS", test_what_is_no_compact_jws },
		CU_TEST_INFO_NULL,
	};

	return run_suite("assertion", tests);
}
