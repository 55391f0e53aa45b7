/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "base/base64url.h"
#include "issue/claims.h"

/* The worked example: the account key of RFC 7515 appendix A.3, SPC 1234, one day of 2026.  The
 * digests of the signing inputs were computed elsewhere. */

#define FINGERPRINT                                                                                \
	"SHA256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:"                                  \
	"E4:14:B9:D7:EB:FC:29:0B:32:30:84:D7:D1:02:0F:E5"
#define THUMBPRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
#define JTI	   "0f8fad5b-d9cb-469f-a165-70867728950e"
#define HEADER                                                                                     \
	"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"https://sti-pa.example/sti-pa/cert.pem\"}"
#define ATC(ca, fingerprint)                                                                       \
	"\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":" ca           \
	",\"fingerprint\":\"" fingerprint "\"}"

static const struct token_claims example = {
	.form = TOKEN_FORM_ATC,
	.jti = { 0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28,
		 0x95, 0x0e },
	.iat = 1767225600,
	.exp = 1767312000,
	.spc = "1234",
	.tkvalue = "MAigBhYEMTIzNA==",
	.fingerprint = FINGERPRINT,
	.iss = "https://sti-pa.example",
	.x5u = "https://sti-pa.example/sti-pa/cert.pem",
};

static const struct golden {
	const char *name;
	enum token_form form;
	uint8_t optional;
	bool ca;
	const char *fingerprint; /* NULL: the example's */
	const char *payload;
	const char *digest; /* hex; NULL: not computed elsewhere */
} goldens[] = {
	{ .name = "atc",
	  .form = TOKEN_FORM_ATC,
	  .ca = true,
	  .payload = "{\"exp\":1767312000,\"jti\":\"" JTI "\"," ATC("true", FINGERPRINT) "}",
	  .digest = "7079893711da123bd7c30ffea319ec74f9e2ce73ef6f88f71052bbc10875cd99" },
	{ .name = "atc with iss and iat",
	  .form = TOKEN_FORM_ATC,
	  .optional = CLAIM_ISS | CLAIM_IAT,
	  .payload = "{\"iss\":\"https://sti-pa.example\",\"iat\":1767225600,\"exp\":1767312000,"
		     "\"jti\":\"" JTI "\"," ATC("false", FINGERPRINT) "}",
	  .digest = "3fe8fd582d562112237daf69bbae8c96ccd228965d132283a2a5aedb038620b4" },
	{ .name = "atc with nbf, and a thumbprint as it was received",
	  .form = TOKEN_FORM_ATC,
	  .optional = CLAIM_NBF,
	  .fingerprint = THUMBPRINT,
	  .payload = "{\"nbf\":1767225600,\"exp\":1767312000,\"jti\":\"" JTI
		     "\"," ATC("false", THUMBPRINT) "}" },
	{ .name = "the 2017 form, which has no optional claims",
	  .form = TOKEN_FORM_2017,
	  .optional = CLAIM_ISS,
	  .payload = "{\"sub\":[\"1234\"],\"iat\":1767225600,\"nbf\":1767225600,"
		     "\"exp\":1767312000,\"fingerprint\":\"" FINGERPRINT "\",\"jti\":\"" JTI "\"}",
	  .digest = "b85b4c76cce3603e6c49b556fba6e536534b2c92f87b3b7ff34a346b93ce8b96" },
};

static void to_hex(const uint8_t digest[32], char hex[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* The signing input decoded: two texts with a dot between them. */
static void decode(const struct jws *jws, char header[512], char payload[1024])
{
	const char *dot = strchr(jws->text, '.');
	size_t used = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dot);
	CU_ASSERT_TRUE(base64url_decode(jws->text, (size_t)(dot - jws->text), (uint8_t *)header,
					511, &used));
	header[used] = '\0';
	CU_ASSERT_TRUE(base64url_decode(dot + 1, strlen(dot + 1), (uint8_t *)payload, 1023, &used));
	payload[used] = '\0';
}

static void check(const struct golden *golden)
{
	struct token_claims claims = example;
	struct error error = { 0 };
	struct jws jws = { 0 };
	uint8_t digest[32];
	char header[512], payload[1024], hex[65];

	claims.form = golden->form;
	claims.optional = golden->optional;
	claims.ca = golden->ca;
	if (golden->fingerprint != NULL)
		claims.fingerprint = golden->fingerprint;
	CU_ASSERT_TRUE_FATAL(token_claims_encode(&claims, &jws, digest, &error));
	decode(&jws, header, payload);
	to_hex(digest, hex);
	if (strcmp(payload, golden->payload) != 0)
		printf("\n  %s: %s", golden->name, payload);
	CU_ASSERT_STRING_EQUAL(header, HEADER);
	CU_ASSERT_STRING_EQUAL(payload, golden->payload);
	CU_ASSERT_STRING_EQUAL(hex, golden->digest == NULL ? hex : golden->digest);
}

static void test_golden_tokens(void)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		check(&goldens[i]);
}

static bool is_refused(const struct token_claims *claims, const char *detail)
{
	struct error error = { 0 };
	struct jws jws = { 0 };
	uint8_t digest[32];

	return !token_claims_encode(claims, &jws, digest, &error) && error.kind == ERROR_INTERNAL &&
	       strstr(error.detail, detail) != NULL;
}

static void test_what_json_would_escape_is_a_defect(void)
{
	static const char *const bad[] = { "a\"b", "a\\b", "a\nb", "a\x7f", "\xc3\xa4" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct token_claims claims[] = { example, example, example, example };

		claims[0].fingerprint = bad[i];
		claims[1].tkvalue = bad[i];
		claims[2].x5u = bad[i];
		claims[3].iss = bad[i];
		claims[3].optional = CLAIM_ISS;
		CU_ASSERT_TRUE(is_refused(&claims[0], "fingerprint"));
		CU_ASSERT_TRUE(is_refused(&claims[1], "tkvalue"));
		CU_ASSERT_TRUE(is_refused(&claims[2], "x5u"));
		CU_ASSERT_TRUE(is_refused(&claims[3], "iss"));
	}
}

static void test_a_missing_claim_is_a_defect(void)
{
	struct token_claims claims[] = { example, example, example, example, example };

	claims[0].tkvalue = NULL;
	claims[1].fingerprint = NULL;
	claims[2].x5u = NULL;
	claims[3].iss = NULL;
	claims[3].optional = CLAIM_ISS;
	claims[4].form = TOKEN_FORM_2017;
	claims[4].spc = NULL;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		CU_ASSERT_TRUE(is_refused(&claims[i], "missing"));
}

static void test_claims_that_do_not_fit_are_a_defect(void)
{
	struct token_claims claims = example;
	char x5u[2000];

	memset(x5u, 'x', sizeof(x5u) - 1);
	x5u[sizeof(x5u) - 1] = '\0';
	claims.x5u = x5u;
	CU_ASSERT_TRUE(is_refused(&claims, "longer"));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "golden tokens", test_golden_tokens },
		{ "what JSON would escape", test_what_json_would_escape_is_a_defect },
		{ "a missing claim", test_a_missing_claim_is_a_defect },
		{ "claims that do not fit", test_claims_that_do_not_fit_are_a_defect },
		CU_TEST_INFO_NULL,
	};

	return run_suite("claims", tests);
}
