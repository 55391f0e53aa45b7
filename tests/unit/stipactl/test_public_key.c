/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../../../src/stipactl/public_key.h"
#include "../suite.h"

/* The key of RFC 7515, appendix A.3; its thumbprint by OpenSSL and basenc. */
#define X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define XY "\"x\":\"" X "\",\"y\":\"" Y "\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\""

static const struct {
	const char *text, *kid; /* NULL: refused */
} cases[] = {
	{ "{" EC "," XY "}", "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" },
	{ "{" EC "," XY ",\"kid\":\"mine\",\"use\":\"sig\",\"alg\":\"ES256\"}", "mine" },
	{ "{" EC "," XY ",\"alg\":\"ES384\"}", NULL },
	{ "{" EC "," XY ",\"kid\":7}", NULL },
	{ "{" EC "," XY ",\"d\":\"" X "\"}", NULL },
	{ "{" EC ",\"x\":\"" X "\",\"y\":\"" X "\"}", NULL },
	{ "{" EC ",\"x\":\"" X "\"}", NULL },
	{ "{" EC ",\"x\":\"" X "=\",\"y\":\"" Y "\"}", NULL },
	{ "{\"kty\":\"EC\",\"crv\":\"P-384\"," XY "}", NULL },
	{ "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", NULL },
	{ "{\"keys\":[{" EC "," XY "}]}", NULL },
	{ "[]", NULL },
	{ "", NULL },
	{ "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", NULL },
	{ "-----BEGIN EC PRIVATE KEY-----\n", NULL },
	/* the same key */
	{ "-----BEGIN PUBLIC KEY-----\n"
	  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
	  "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
	  "-----END PUBLIC KEY-----\n",
	  "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" },
};

static void test_keys(void)
{
	struct public_key first = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct public_key key = { 0 };
		struct error error = { 0 };
		bool right = public_key_parse(cases[i].text, &key, &error);

		CU_ASSERT_EQUAL(right, cases[i].kid != NULL);
		if (!right || cases[i].kid == NULL)
			continue;
		CU_ASSERT_STRING_EQUAL(key.kid, cases[i].kid);
		if (i == 0)
			first = key;
		CU_ASSERT_EQUAL(memcmp(first.spki, key.spki, sizeof(key.spki)), 0);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "keys", test_keys },
		CU_TEST_INFO_NULL,
	};

	return run_suite("public_key", tests);
}
