/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "../suite.h"
#include "crypto/key_file.h"
#include "crypto/x509.h"

#define DAY 86400
#define NOW 1795000000

static EVP_PKEY *root_key, *key;
static X509 *root;

static struct x509_request request_of(enum x509_profile profile)
{
	bool is_root = profile == X509_PROFILE_PA_ROOT;

	return (struct x509_request){
		.profile = profile,
		.country = "US",
		.organisation = "STI-PA",
		.common_name = is_root ? "STI-PA Root" : "STI-PA Token Signer 1",
		.key = is_root ? root_key : key,
		.issuer = is_root ? NULL : root,
		.issuer_key = root_key,
		.not_before = NOW - DAY,
		.not_after = NOW + (is_root ? 100 : 10) * DAY,
	};
}

static X509 *make(enum x509_profile profile)
{
	struct x509_request request = request_of(profile);
	struct error error = { 0 };

	return x509_make(&request, &error);
}

static void test_the_root_has_its_profile(void)
{
	CU_ASSERT_EQUAL(X509_get_version(root), X509_VERSION_3);
	CU_ASSERT_EQUAL(X509_get_signature_nid(root), NID_ecdsa_with_SHA256);
	CU_ASSERT_EQUAL(X509_verify(root, root_key), 1);
	CU_ASSERT_EQUAL(X509_get_key_usage(root),
			KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	CU_ASSERT_NOT_EQUAL(X509_get_extension_flags(root) & EXFLAG_CA, 0);
	CU_ASSERT_NOT_EQUAL(X509_get_extension_flags(root) & EXFLAG_SS, 0);
	CU_ASSERT_PTR_NOT_NULL(X509_get0_subject_key_id(root));
	CU_ASSERT_EQUAL(X509_get_ext_count(root), 3);
}

static void test_a_signer_has_its_profile(void)
{
	X509_auto *signer = make(X509_PROFILE_TOKEN_SIGNER);
	struct error error = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
	CU_ASSERT_EQUAL(X509_verify(signer, root_key), 1);
	CU_ASSERT_EQUAL(X509_check_issued(root, signer), X509_V_OK);
	CU_ASSERT_EQUAL(X509_get_key_usage(signer), KU_DIGITAL_SIGNATURE);
	CU_ASSERT_EQUAL(X509_get_extension_flags(signer) & EXFLAG_CA, 0);
	CU_ASSERT_EQUAL(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(signer),
					      X509_get0_subject_key_id(root)),
			0);
	CU_ASSERT_EQUAL(X509_get_ext_count(signer), 4);
	CU_ASSERT_TRUE(x509_may_sign_tokens(signer, &error));
	CU_ASSERT_FALSE(x509_may_sign_tokens(root, &error));
}

static void test_serials_are_positive_and_random(void)
{
	for (int i = 0; i < 50; i++) {
		X509_auto *a = make(X509_PROFILE_TOKEN_SIGNER);
		X509_auto *b = make(X509_PROFILE_TOKEN_SIGNER);
		const ASN1_INTEGER *serial = X509_get0_serialNumber(a);

		CU_ASSERT_EQUAL(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not negative */
		CU_ASSERT_EQUAL(ASN1_STRING_length(serial), 16);
		CU_ASSERT_NOT_EQUAL(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(b)), 0);
	}
}

static void test_a_crl_address_is_one_uri_as_it_is(void)
{
	static const char url[] = "https://pa.example/crl?a=1,URI:http://x";
	struct x509_request request = request_of(X509_PROFILE_TOKEN_SIGNER);
	struct error error = { 0 };
	X509_auto *signer = NULL;
	CRL_DIST_POINTS *points;
	GENERAL_NAMES *names;
	int type;

	request.crl_url = url;
	signer = x509_make(&request, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
	points = X509_get_ext_d2i(signer, NID_crl_distribution_points, NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(sk_DIST_POINT_num(points), 1);
	names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
	CU_ASSERT_EQUAL_FATAL(sk_GENERAL_NAME_num(names), 1);
	CU_ASSERT_STRING_EQUAL((const char *)ASN1_STRING_get0_data(GENERAL_NAME_get0_value(
				       sk_GENERAL_NAME_value(names, 0), &type)),
			       url);
	CU_ASSERT_EQUAL(type, GEN_URI);
	CRL_DIST_POINTS_free(points);
}

static char long_name[66];

static const struct {
	const char *name;
	const char *country, *organisation, *common_name;
	const char *why; /* NULL: taken */
} names[] = {
	{ "usual", "US", "STI-PA", "STI-PA Root", NULL },
	{ "other alphabets", "FR", "Opérateurs réunis", "STI-PA Root", NULL },
	{ "lower-case country", "us", "STI-PA", "STI-PA Root", "two capital letters" },
	{ "long country", "USA", "STI-PA", "STI-PA Root", "two capital letters" },
	{ "no country", "", "STI-PA", "STI-PA Root", "two capital letters" },
	{ "no organisation", "US", "", "STI-PA Root", "organisation" },
	{ "long organisation", "US", long_name, "STI-PA Root", "organisation" },
	{ "no common name", "US", "STI-PA", "", "common name" },
	{ "long common name", "US", "STI-PA", long_name, "common name" },
	{ "broken UTF-8", "US", "STI\xff", "STI-PA Root", "cannot make the certificate" },
};

static void test_names(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct x509_request request = request_of(X509_PROFILE_TOKEN_SIGNER);
		struct error error = { 0 };
		X509_auto *signer = NULL;

		request.country = names[i].country;
		request.organisation = names[i].organisation;
		request.common_name = names[i].common_name;
		signer = x509_make(&request, &error);
		if ((signer != NULL) != (names[i].why == NULL))
			printf("\n    %s: %s", names[i].name, error.detail);
		CU_ASSERT_EQUAL(signer != NULL, names[i].why == NULL);
		if (names[i].why != NULL)
			CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, names[i].why));
	}
}

static void test_another_curve_is_refused(void)
{
	EVP_PKEY_auto *p384 = EVP_EC_gen("P-384");
	struct x509_request request = request_of(X509_PROFILE_TOKEN_SIGNER);
	struct error error = { 0 };

	request.key = p384;
	CU_ASSERT_PTR_NULL(x509_make(&request, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

/* Verify @leaf under @top at @at, and give the reason of a refusal ("" when it holds). */
static const char *refusal(X509 *leaf, X509 *top, time_t at)
{
	static struct error error;
	STACK_OF(X509) *chain = sk_X509_new_null(), *roots = sk_X509_new_null();

	error = (struct error){ 0 };
	sk_X509_push(chain, leaf);
	sk_X509_push(roots, top);
	if (!x509_chain_verify(chain, roots, at, &error))
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	sk_X509_free(chain);
	sk_X509_free(roots);
	return error.detail;
}

static void test_a_chain_is_judged_by_root_and_time(void)
{
	X509_auto *signer = make(X509_PROFILE_TOKEN_SIGNER);
	X509_auto *namesake = NULL;
	struct x509_request request = request_of(X509_PROFILE_PA_ROOT);
	struct error error = { 0 };

	CU_ASSERT_STRING_EQUAL(refusal(signer, root, NOW), "");
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal(signer, root, NOW + 11 * DAY), "expired"));
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal(signer, root, NOW - 2 * DAY), "not yet valid"));
	CU_ASSERT_STRING_EQUAL(refusal(signer, root, 0), "");

	request.key = request.issuer_key = key; /* the same name, another key */
	namesake = x509_make(&request, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(namesake);
	CU_ASSERT_STRING_NOT_EQUAL(refusal(signer, namesake, NOW), "");
	CU_ASSERT_STRING_NOT_EQUAL(refusal(signer, signer, NOW + 11 * DAY), "");
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

static void test_files(void)
{
	char folder[] = "/tmp/stipa-x509.XXXXXX", path[64];
	struct error error = { 0 }, again = { 0 }, broken = { 0 }, empty = { 0 };
	X509_stack_auto *chain = sk_X509_new_null();
	X509_stack_auto *back = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/chain.pem", folder);
	sk_X509_push(chain, make(X509_PROFILE_TOKEN_SIGNER));
	sk_X509_push(chain, make(X509_PROFILE_PA_ROOT));
	CU_ASSERT_TRUE_FATAL(x509_chain_write(path, chain, &error));
	CU_ASSERT_FALSE(x509_chain_write(path, chain, &again));
	CU_ASSERT_EQUAL(again.kind, ERROR_CONFLICT);
	back = x509_chain_read(path, &error);
	CU_ASSERT_EQUAL_FATAL(sk_X509_num(back), 2);
	CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(back, 0), sk_X509_value(chain, 0)), 0);
	CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(back, 1), sk_X509_value(chain, 1)), 0);

	write_text(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	CU_ASSERT_PTR_NULL(x509_chain_read(path, &broken));
	CU_ASSERT_EQUAL(broken.kind, ERROR_INVALID);
	write_text(path, "");
	CU_ASSERT_PTR_NULL(x509_chain_read(path, &empty));
	CU_ASSERT_PTR_NOT_NULL(strstr(empty.detail, "no certificate"));
	unlink(path);
	rmdir(folder);
}

static int setup(void)
{
	struct error error = { 0 };

	memset(long_name, 'x', sizeof(long_name) - 1);
	root_key = p256_key_new(&error);
	key = p256_key_new(&error);
	root = make(X509_PROFILE_PA_ROOT);
	return root == NULL;
}

static int teardown(void)
{
	X509_free(root);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "the root has its profile", test_the_root_has_its_profile },
		{ "a signer has its profile", test_a_signer_has_its_profile },
		{ "serials are positive and random", test_serials_are_positive_and_random },
		{ "a CRL address is one URI as it is", test_a_crl_address_is_one_uri_as_it_is },
		{ "names", test_names },
		{ "another curve is refused", test_another_curve_is_refused },
		{ "a chain is judged by root and time", test_a_chain_is_judged_by_root_and_time },
		{ "files", test_files },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "x509", .pInitFunc = setup, .pCleanupFunc = teardown, .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
