/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "crypto/digest.h"
#include "jose/jws.h"

#define RFC_HEADER "eyJhbGciOiJFUzI1NiJ9"
#define RFC_PAYLOAD                                                                                \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define RFC_SIG                                                                                    \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static const char rfc_payload[] =
	"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

static void test_the_example_of_rfc_7515_is_read(void)
{
	struct error error = { 0 };
	struct jws_parts parts;
	uint8_t digest[SHA256_LEN];

	CU_ASSERT_TRUE_FATAL(jws_parse(RFC_HEADER "." RFC_PAYLOAD "." RFC_SIG, &parts, &error));
	CU_ASSERT_STRING_EQUAL(parts.header, "{\"alg\":\"ES256\"}");
	CU_ASSERT_STRING_EQUAL(parts.payload, rfc_payload);
	CU_ASSERT_EQUAL(parts.sig[0], 0x0e);
	CU_ASSERT_EQUAL(parts.sig[63], 0xd5);
	sha256(RFC_HEADER "." RFC_PAYLOAD, strlen(RFC_HEADER "." RFC_PAYLOAD), digest);
	CU_ASSERT_EQUAL(memcmp(digest, parts.digest, sizeof(digest)), 0);
}

static void test_the_example_of_rfc_7515_is_made(void)
{
	struct error error = { 0 };
	struct jws_parts parts;
	struct jws jws;
	uint8_t digest[SHA256_LEN];

	CU_ASSERT_TRUE_FATAL(jws_parse(RFC_HEADER "." RFC_PAYLOAD "." RFC_SIG, &parts, &error));
	CU_ASSERT_TRUE_FATAL(jws_begin(&jws, "{\"alg\":\"ES256\"}", rfc_payload, digest, &error));
	CU_ASSERT_STRING_EQUAL(jws.text, RFC_HEADER "." RFC_PAYLOAD);
	CU_ASSERT_EQUAL(memcmp(digest, parts.digest, sizeof(digest)), 0);
	CU_ASSERT_TRUE_FATAL(jws_finish(&jws, parts.sig, &error));
	CU_ASSERT_STRING_EQUAL(jws.text, RFC_HEADER "." RFC_PAYLOAD "." RFC_SIG);
	CU_ASSERT_EQUAL(jws.len, strlen(jws.text));
}

static char long_header[1400], long_payload[2800];

static const struct {
	const char *name;
	const char *header, *payload, *sig;
	const char *why;
} refused[] = {
	{ "padded header", "e30=", "e30", RFC_SIG, "the header is not unpadded base64url" },
	{ "padded payload", "e30", "e30=", RFC_SIG, "the payload is not unpadded base64url" },
	{ "padded signature", "e30", "e30", RFC_SIG "==", "64 octets" },
	{ "standard alphabet", "e30", "e30+", RFC_SIG, "the payload is not" },
	{ "unused bits in the header", "e31", "e30", RFC_SIG, "the header is not" },
	{ "unused bits in the signature", "e30", "e30",
	  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1R",
	  "64 octets" },
	{ "empty header", "", "e30", RFC_SIG, "the header is empty" },
	{ "empty payload", "e30", "", RFC_SIG, "the payload is empty" },
	{ "no signature", "e30", "e30", "", "64 octets" },
	{ "signature of 63 octets", "e30", "e30",
	  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU",
	  "64 octets" },
	{ "signature of 65 octets", "e30", "e30", RFC_SIG "A", "64 octets" },
	{ "four parts", "e30", "e30", "e30." RFC_SIG, "three parts" },
	{ "a line end", "e30", "e30", RFC_SIG "\n", "64 octets" },
	{ "a space", " e30", "e30", RFC_SIG, "the header is not" },
	{ "NUL in the payload", "e30", "ewB9", RFC_SIG, "the payload holds a NUL" },
	{ "long header", long_header, "e30", RFC_SIG, "the header is too long" },
	{ "long payload", "e30", long_payload, RFC_SIG, "the payload is too long" },
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct error error = { 0 };
		struct jws_parts parts;
		char text[4096];

		snprintf(text, sizeof(text), "%s.%s.%s", refused[i].header, refused[i].payload,
			 refused[i].sig);
		if (jws_parse(text, &parts, &error) || strstr(error.detail, refused[i].why) == NULL)
			printf("\n    %s: %s", refused[i].name, error.detail);
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
		CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, refused[i].why));
	}
}

static void test_fewer_than_three_parts_are_refused(void)
{
	static const char *const texts[] = { "", ".", "e30", "e30.e30" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error error = { 0 };
		struct jws_parts parts;

		CU_ASSERT_FALSE(jws_parse(texts[i], &parts, &error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "three parts"));
	}
}

static void test_too_many_claims_are_refused_before_they_are_signed(void)
{
	struct error error = { 0 };
	struct jws jws;
	char payload[1200];
	uint8_t digest[SHA256_LEN], sig[ES256_SIG_LEN] = { 0 };
	size_t fits = 0;

	for (size_t n = 1; n < sizeof(payload); n++) {
		struct error full = { 0 };

		memset(payload, 'x', n);
		payload[n] = '\0';
		if (!jws_begin(&jws, "{}", payload, digest, &full))
			break;
		fits = n;
		CU_ASSERT_TRUE_FATAL(jws_finish(&jws, sig, &full)); /* what was begun has room */
		CU_ASSERT_EQUAL(jws.len, strlen(jws.text));
	}
	CU_ASSERT_TRUE(fits > 1000 && fits < sizeof(payload) - 1);
	CU_ASSERT_FALSE(jws_begin(&jws, "{}", long_payload, digest, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INTERNAL);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "the example of RFC 7515 is read", test_the_example_of_rfc_7515_is_read },
		{ "the example of RFC 7515 is made", test_the_example_of_rfc_7515_is_made },
		{ "refusals", test_refusals },
		{ "fewer than three parts are refused", test_fewer_than_three_parts_are_refused },
		{ "too many claims are refused before they are signed",
		  test_too_many_claims_are_refused_before_they_are_signed },
		CU_TEST_INFO_NULL,
	};

	memset(long_header, 'A', 1368);
	memset(long_payload, 'A', 2736);
	return run_suite("jws", tests);
}
