/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "edge/assertion.h"
#include "edge/client_auth.h"
#include "fakes.h"

#define PRODS "stipa_prod_" ZEROS43 "AAAAAA"
#define TYPE                                                                                       \
	"client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
#define JWT    "client_assertion=@" /* stands for a good one */
#define BY_JWT TYPE "&" JWT

static const char *const audiences[] = { "https://pa.example", NULL };

/* An assertion of client "kms-1". */
static void make_assertion(char text[1024])
{
	static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"k-1\"}";
	static const char claims[] = "{\"iss\":\"kms-1\",\"sub\":\"kms-1\",\"exp\":1100,"
				     "\"aud\":\"https://pa.example\",\"jti\":\"j-1\"}";
	const uint8_t sig[64] = { 7 };

	text += base64url_encode(header, strlen(header), text);
	*text++ = '.';
	text += base64url_encode(claims, strlen(claims), text);
	*text++ = '.';
	base64url_encode(sig, sizeof(sig), text);
}

static const struct row {
	const char *name, *authorization, *body;
	const char *code; /* NULL: it is good */
	int method;
	const char *client, *secret; /* whose digest it has; NULL: nobody's */
} rows[] = {
	{ "Basic", BASIC, "", NULL, METHOD_SECRET, "client", "secret" },
	{ "Basic, and the same client_id", BASIC, "client_id=client", NULL, METHOD_SECRET, "client",
	  "secret" },
	{ "Basic, and a secret without a value", BASIC, "client_secret=", NULL, METHOD_SECRET,
	  "client", "secret" },
	/* k%6Ds%2D1:s%3Acr+t and its plus */
	{ "Basic with escapes", "Basic ayU2RHMlMkQxOnMlM0Fjcit0", "", NULL, METHOD_SECRET, "kms-1",
	  "s:cr t" },
	{ "Basic with a bad escape", "Basic YSU6Yg==", "", NULL, METHOD_SECRET },
	{ "Basic that cannot be read", "Basic ?", "", NULL, METHOD_SECRET },
	{ "Basic without a colon", "Basic c2VjcmV0", "", NULL, METHOD_SECRET },
	{ "Basic without anything", "Basic", "", NULL, METHOD_SECRET },
	{ "Basic, and another client_id", BASIC, "client_id=other", "invalid_request" },
	{ "Basic and post", BASIC, "client_id=client&client_secret=secret", "invalid_request" },
	{ "Basic and an assertion", BASIC, BY_JWT, "invalid_request" },
	{ "Basic and half an assertion", BASIC, TYPE, "invalid_request" },
	{ "post and an assertion", NULL, "client_id=kms-1&client_secret=s&" BY_JWT,
	  "invalid_request" },
	{ "all three", BASIC, "client_secret=s&" BY_JWT, "invalid_request" },
	{ "Bearer", "Bearer x", "", "invalid_client" },
	{ "a bare token", "x", "", "invalid_client" },
	{ "an empty field", "", "", "invalid_client" },
	{ "nothing", NULL, "", "invalid_client" },
	{ "a client_id alone", NULL, "client_id=client", "invalid_client" },
	{ "post", NULL, "client_id=client&client_secret=secret", NULL, METHOD_SECRET, "client",
	  "secret" },
	{ "post, escaped", NULL, "client_id=cl%69ent&client_secret=se+cret", NULL, METHOD_SECRET,
	  "client", "se cret" },
	{ "post without client_id", NULL, "client_secret=secret", "invalid_request" },
	{ "post of production", NULL, "client_id=client&client_secret=" PRODS, "invalid_client" },
	/* client:stipa_prod_ and 49 of A */
	{ "Basic of production",
	  "Basic "
	  "Y2xpZW50OnN0aXBhX3Byb2RfQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
	  "FBQQ==",
	  "", "invalid_client" },
	{ "an assertion", NULL, BY_JWT, NULL, METHOD_ASSERTION },
	{ "an assertion, and its client_id", NULL, "client_id=kms-1&" BY_JWT, NULL,
	  METHOD_ASSERTION },
	{ "an assertion, and another client_id", NULL, "client_id=kms-2&" BY_JWT,
	  "invalid_client" },
	{ "an assertion without its type", NULL, JWT, "invalid_request" },
	{ "a type without an assertion", NULL, TYPE, "invalid_request" },
	{ "an assertion of another type", NULL, "client_assertion_type=saml2&" JWT,
	  "invalid_client" },
	{ "an assertion that is none", NULL, TYPE "&client_assertion=x", "invalid_client" },
};

/* The body, with an assertion in the place of its mark. */
static size_t fill_body(const char *from, char body[2048])
{
	const char *mark = strchr(from, '@');
	size_t before = mark == NULL ? strlen(from) : (size_t)(mark - from);

	memcpy(body, from, before + 1);
	if (mark == NULL)
		return before;
	make_assertion(body + before);
	strcat(body, mark + 1);
	return strlen(body);
}

static bool is_as_wanted(const struct row *row, bool good, const struct client_proof *proof,
			 const struct error *error)
{
	uint8_t digest[32] = { 0 };

	if (row->code != NULL) {
		enum error_kind kind = strcmp(row->code, "invalid_request") == 0
					       ? ERROR_INVALID
					       : ERROR_UNAUTHORIZED;

		return !good && error->kind == kind && strcmp(error->code, row->code) == 0;
	}
	if (row->client != NULL)
		credential_digest_basic(row->client, strlen(row->client), row->secret,
					strlen(row->secret), digest);
	return good && proof->method == row->method && memcmp(proof->credential, digest, 32) == 0;
}

static bool read_row(const char *authorization, const char *text, struct client_proof *proof,
		     struct error *error)
{
	const struct client_auth_context context = { "demo", audiences, 1000 };
	char body[2048];
	struct form form;
	size_t len = fill_body(text, body);

	memset(proof, 0x55, sizeof(*proof));
	return form_parse(body, len, &form, error) &&
	       client_auth_read(authorization, &form, &context, proof, error);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error error = { 0 };
		struct client_proof proof;
		bool good = read_row(rows[i].authorization, rows[i].body, &proof, &error);
		bool as_wanted = is_as_wanted(&rows[i], good, &proof, &error);

		if (!as_wanted)
			printf("\n  %s: %d %s", rows[i].name, good, error.detail);
		CU_ASSERT_TRUE(as_wanted);
	}
}

static void test_an_assertion_goes_to_the_proof(void)
{
	struct error error = { 0 };
	struct client_proof proof;

	CU_ASSERT_TRUE(read_row(NULL, BY_JWT, &proof, &error));
	CU_ASSERT_STRING_EQUAL(proof.client, "kms-1");
	CU_ASSERT_STRING_EQUAL(proof.kid, "k-1");
	CU_ASSERT_STRING_EQUAL(proof.jti, "j-1");
	CU_ASSERT_EQUAL(proof.exp, 1100);
	CU_ASSERT_EQUAL(proof.signature[0], 7);
}

static void test_another_environment_is_named(void)
{
	struct error error = { 0 };
	struct client_proof proof;

	CU_ASSERT_FALSE(read_row(NULL, "client_id=client&client_secret=" PRODS, &proof, &error));
	CU_ASSERT_STRING_EQUAL(error.detail, "this secret is one of production; this is demo");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "rows", test_rows },
		{ "an assertion goes to the proof", test_an_assertion_goes_to_the_proof },
		{ "another environment is named", test_another_environment_is_named },
		CU_TEST_INFO_NULL,
	};

	return run_suite("client_auth", tests);
}
