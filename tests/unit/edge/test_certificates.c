/* SPDX-License-Identifier: Apache-2.0 */
/* The store on folders of our own; HTTP is faked by linking. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "../suite.h"
#include "base/log.h"
#include "edge/certificates.h"
#include "edge/services.h"
#include "http/request.h"

static const struct log silent = { .fd = -1, .least = LOG_LEVEL_ERROR };

static char root[64];	    /* of this run */
static char folder[80];	    /* to be served */
static char pem[3][4096];   /* certificates */
static char chain[2][8300]; /* of two each */
static char private_key[4096];

static const char *asked_name, *asked_tag;

static struct {
	int n, status;
	enum error_kind kind;
	char media_type[64], etag[100], cache[64], body[16384];
	size_t len;
	bool store;
} reply;

const char *http_path_param(const struct http_request *http, const char *name)
{
	(void)http;
	return strcmp(name, "name") == 0 ? asked_name : NULL;
}

const char *http_header(const struct http_request *http, const char *name)
{
	(void)http;
	return strcasecmp(name, "if-none-match") == 0 ? asked_tag : NULL;
}

static void keep_field(const struct http_field *field)
{
	if (strcmp(field->name, "ETag") == 0)
		snprintf(reply.etag, sizeof(reply.etag), "%s", field->value);
	if (strcmp(field->name, "Cache-Control") == 0)
		snprintf(reply.cache, sizeof(reply.cache), "%s", field->value);
}

void http_reply(struct http_request *http, const struct http_reply *r)
{
	(void)http;
	reply.n++;
	reply.status = r->status;
	reply.store = r->store;
	reply.len = r->len;
	CU_ASSERT_FATAL(r->len < sizeof(reply.body));
	if (r->len > 0)
		memcpy(reply.body, r->body, r->len);
	snprintf(reply.media_type, sizeof(reply.media_type), "%s",
		 r->media_type ? r->media_type : "");
	for (const struct http_field *field = r->fields; field->name != NULL; field++)
		keep_field(field);
}

void http_reply_problem(struct http_request *http, const struct error *error, const char *challenge)
{
	(void)http;
	(void)challenge;
	reply.n++;
	reply.kind = error->kind;
}

/* ---- files ---- */

static void to_text(BIO *bio, char *text, size_t size)
{
	int n = BIO_read(bio, text, (int)size - 1);

	text[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

static void make_certificate(EVP_PKEY *key, long serial, char *text, size_t size)
{
	X509 *x509 = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha256());
	PEM_write_bio_X509(bio, x509);
	to_text(bio, text, size);
	X509_free(x509);
}

static int make_texts(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());

	for (int i = 0; i < 3; i++)
		make_certificate(key, i + 1, pem[i], sizeof(pem[i]));
	snprintf(chain[0], sizeof(chain[0]), "%s%s", pem[0], pem[1]);
	snprintf(chain[1], sizeof(chain[1]), "subject=CN = STI-PA\n%s\n%s", pem[2], pem[1]);
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	to_text(bio, private_key, sizeof(private_key));
	EVP_PKEY_free(key);
	return 0;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void put(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	write_file(path, text, strlen(text));
}

static void remove_folder(void)
{
	char command[120];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void new_folder(void)
{
	char certificates[100];

	snprintf(root, sizeof(root), "/tmp/stipa-test.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	snprintf(certificates, sizeof(certificates), "mkdir '%s/certs'", root);
	CU_ASSERT_EQUAL_FATAL(system(certificates), 0);
	snprintf(folder, sizeof(folder), "%s/certs", root);
}

static const char *signer_path(const char *text)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/now.pem", root);
	write_file(path, text, strlen(text));
	return path;
}

/* ---- requests ---- */

static void get(struct certificate_store *store, const char *name, const char *tag)
{
	struct services services = { .certificates = store };

	memset(&reply, 0, sizeof(reply));
	asked_name = name;
	asked_tag = tag;
	if (name != NULL)
		certificate_handle(NULL, &services);
	else
		certificate_signer_handle(NULL, &services);
	CU_ASSERT_EQUAL(reply.n, 1);
}

static bool is_served(const char *text)
{
	return reply.status == 200 && reply.len == strlen(text) &&
	       memcmp(reply.body, text, reply.len) == 0 && reply.store &&
	       strcmp(reply.media_type, "application/pem-certificate-chain") == 0 &&
	       strcmp(reply.cache, "public, max-age=86400") == 0 && strlen(reply.etag) == 66;
}

static struct certificate_store *load(const char *signer, struct error *error)
{
	return certificate_store_load(folder, signer, &silent, error);
}

static void test_chains_are_served_as_they_are(void)
{
	struct error error = { 0 };
	struct certificate_store *store;

	new_folder();
	put("old-1.pem", chain[1]);
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(certificate_store_size(store), 2);
	get(store, "old-1.pem", NULL);
	CU_ASSERT_TRUE(is_served(chain[1]));
	get(store, "now.pem", NULL);
	CU_ASSERT_TRUE(is_served(chain[0]));
	get(store, NULL, NULL);
	CU_ASSERT_TRUE(is_served(chain[0]));
	certificate_store_free(store);
	remove_folder();
}

static void test_other_names_are_not_found(void)
{
	static const char *const names[] = { "old-1", "old-1.crt", "OLD-1.pem", "old-1.pem.pem",
					     ".pem",  "",	   "..",	"../now.pem" };
	struct error error = { 0 };
	struct certificate_store *store;

	new_folder();
	put("old-1.pem", chain[1]);
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		get(store, names[i], NULL);
		CU_ASSERT_EQUAL(reply.kind, ERROR_NOT_FOUND);
	}
	certificate_store_free(store);
	remove_folder();
}

static void test_a_tag_that_is_known_is_304(void)
{
	static const struct {
		const char *format;
		int status;
	} tags[] = {
		{ "%s", 304 },	{ "W/%s", 304 },  { "\"x\", %s", 304 }, { "\"x\",%s,\"y\"", 304 },
		{ "*", 304 },	{ "\"x\"", 200 }, { "", 200 },		{ "W/\"x\"", 200 },
		{ "x%s", 200 }, { "%s x", 304 },  { "W/", 200 },	{ ",,", 200 },
	};
	struct error error = { 0 };
	struct certificate_store *store;
	char etag[100], header[200];

	new_folder();
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	get(store, NULL, NULL);
	strcpy(etag, reply.etag);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		snprintf(header, sizeof(header), "%s", "");
		for (const char *p = tags[i].format; *p != '\0'; p++) {
			size_t n = strlen(header);

			snprintf(header + n, sizeof(header) - n, *p == '%' ? "%s" : "%.1s",
				 *p == '%' ? etag : p);
			p += *p == '%';
		}
		get(store, NULL, header);
		if (reply.status != tags[i].status)
			printf("\n  %s: %d", header, reply.status);
		CU_ASSERT_EQUAL(reply.status, tags[i].status);
		CU_ASSERT_STRING_EQUAL(reply.etag, etag);
		CU_ASSERT_STRING_EQUAL(reply.cache, "public, max-age=86400");
		CU_ASSERT_EQUAL(reply.len == 0, reply.status == 304);
	}
	certificate_store_free(store);
	remove_folder();
}

static void test_two_chains_have_two_tags(void)
{
	struct error error = { 0 };
	struct certificate_store *store;
	char etag[100];

	new_folder();
	put("a.pem", chain[1]);
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	get(store, "a.pem", NULL);
	strcpy(etag, reply.etag);
	get(store, "now.pem", NULL);
	CU_ASSERT_STRING_NOT_EQUAL(reply.etag, etag);
	certificate_store_free(store);
	remove_folder();
}

static void test_what_is_no_chain_is_left_out(void)
{
	static char mixed[16500], cut[4096];
	struct error error = { 0 };
	struct certificate_store *store;

	new_folder();
	snprintf(mixed, sizeof(mixed), "%s%s", chain[0], private_key);
	put("with-key.pem", mixed);
	snprintf(mixed, sizeof(mixed), "%s%s", private_key, chain[0]);
	put("key-first.pem", mixed);
	snprintf(cut, sizeof(cut), "%.200s", pem[0]);
	put("cut.pem", cut);
	snprintf(mixed, sizeof(mixed), "%s%s", chain[0], cut);
	put("cut-later.pem", mixed);
	put("empty.pem", "");
	put("text.pem", "no certificate\n");
	put("not-der.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	put("request.pem", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
			   "-----END CERTIFICATE REQUEST-----\n");
	put("odd name.pem", chain[0]);
	put("percent%41.pem", chain[0]);
	put(".hidden.pem", chain[0]);
	put("other.txt", chain[0]);
	put("good.pem", chain[1]);
	ERR_clear_error();
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(certificate_store_size(store), 2);
	get(store, "good.pem", NULL);
	CU_ASSERT_TRUE(is_served(chain[1]));
	get(store, "with-key.pem", NULL);
	CU_ASSERT_EQUAL(reply.kind, ERROR_NOT_FOUND);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	certificate_store_free(store);
	remove_folder();
}

static void test_a_file_that_is_too_long_or_has_a_nul_is_left_out(void)
{
	struct error error = { 0 };
	struct certificate_store *store;
	char path[200], *big = calloc(1, 70000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	new_folder();
	memset(big, '\n', 70000);
	memcpy(big, pem[0], strlen(pem[0]));
	snprintf(path, sizeof(path), "%s/big.pem", folder);
	write_file(path, big, 70000);
	snprintf(path, sizeof(path), "%s/nul.pem", folder);
	write_file(path, pem[0], strlen(pem[0]) + 1);
	free(big);
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(certificate_store_size(store), 1);
	certificate_store_free(store);
	remove_folder();
}

static void test_the_signer_must_be_there(void)
{
	static char with_key[16500];
	struct error error = { 0 };

	new_folder();
	CU_ASSERT_PTR_NULL(load("/nowhere/now.pem", &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "/nowhere/now.pem: No such file"));

	error = (struct error){ 0 };
	snprintf(with_key, sizeof(with_key), "%s%s", chain[0], private_key);
	CU_ASSERT_PTR_NULL(load(signer_path(with_key), &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "private key"));

	error = (struct error){ 0 };
	CU_ASSERT_PTR_NULL(
		certificate_store_load("/nowhere", signer_path(chain[0]), &silent, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "/nowhere: No such file"));
	remove_folder();
}

static void test_one_name_has_one_chain(void)
{
	struct error error = { 0 };
	struct certificate_store *store;

	new_folder();
	put("now.pem", chain[0]);
	store = load(signer_path(chain[0]), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(certificate_store_size(store), 1);
	certificate_store_free(store);

	put("now.pem", chain[1]);
	CU_ASSERT_PTR_NULL(load(signer_path(chain[0]), &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_CONFLICT);
	remove_folder();
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "chains are served as they are", test_chains_are_served_as_they_are },
		{ "other names are not found", test_other_names_are_not_found },
		{ "a tag that is known is 304", test_a_tag_that_is_known_is_304 },
		{ "two chains have two tags", test_two_chains_have_two_tags },
		{ "what is no chain is left out", test_what_is_no_chain_is_left_out },
		{ "a file that is too long or has a NUL is left out",
		  test_a_file_that_is_too_long_or_has_a_nul_is_left_out },
		{ "the signer must be there", test_the_signer_must_be_there },
		{ "one name has one chain", test_one_name_has_one_chain },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "certificates", .pInitFunc = make_texts, .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
