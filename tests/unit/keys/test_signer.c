/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "crypto/x509.h"
#include "keys/signer.h"

static char folder[] = "/tmp/stipa-signer.XXXXXX";
static char key_file[64], other_key_file[64], passphrase_file[64];
static EVP_PKEY *root_key, *key, *other_key;
static X509 *root;

static X509 *make(enum x509_profile profile, EVP_PKEY *subject_key, int from_day, int until_day)
{
	struct error error = { 0 };
	time_t now = time(NULL);
	bool is_root = profile == X509_PROFILE_PA_ROOT;
	const struct x509_request request = {
		.profile = profile,
		.country = "US",
		.organisation = "STI-PA",
		.common_name = is_root ? "STI-PA Root" : "STI-PA Token Signer 1",
		.key = subject_key,
		.issuer = is_root ? NULL : root,
		.issuer_key = root_key,
		.not_before = now + from_day * 86400,
		.not_after = now + until_day * 86400,
	};

	return x509_make(&request, &error);
}

/* Write @first and then @second (may be NULL) to folder/@name. */
static const char *chain(const char *name, X509 *first /* takes it */, X509 *second)
{
	static char path[96];
	struct error error = { 0 };
	X509_stack_auto *stack = sk_X509_new_null();

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	sk_X509_push(stack, first);
	if (second != NULL) {
		X509_up_ref(second);
		sk_X509_push(stack, second);
	}
	CU_ASSERT_TRUE_FATAL(x509_chain_write(path, stack, &error));
	return path;
}

static struct signer *open_good(struct event_base *base)
{
	struct error error = { 0 };
	struct signer *signer = signer_open(
		base, key_file, passphrase_file,
		chain("token-1.pem", make(X509_PROFILE_TOKEN_SIGNER, key, -1, 100), root), &error);

	if (signer == NULL)
		printf("\n    %s", error.detail);
	CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
	return signer;
}

struct waiting {
	int calls;
	struct error error;
	struct signer *free_it;
};

static void on_done(void *arg, const struct error *error)
{
	struct waiting *waiting = arg;

	waiting->calls++;
	waiting->error = *error;
	signer_free(waiting->free_it);
}

static void fill(struct signer_job *job, unsigned int n)
{
	job->from = 0;
	job->n = n;
	for (unsigned int i = 0; i < n; i++)
		sha256(&i, sizeof(i), job->digest[i]);
}

static void test_it_signs_a_batch_from_the_loop(void)
{
	struct event_base *base = event_base_new();
	struct signer *signer = open_good(base);
	struct error error = { 0 };
	struct es256_key *public = es256_key_public(key, &error);
	struct signer_job one, full;
	struct waiting first = { 0 }, second = { 0 };

	fill(&one, 1);
	fill(&full, SIGNER_BATCH_MAX);
	signer_sign_start(signer, &one, on_done, &first);
	signer_sign_start(signer, &full, on_done, &second);
	CU_ASSERT_EQUAL(first.calls + second.calls, 0);
	event_base_dispatch(base);
	CU_ASSERT_EQUAL(first.calls, 1);
	CU_ASSERT_EQUAL(second.calls, 1);
	CU_ASSERT_EQUAL(first.error.kind, ERROR_NONE);
	CU_ASSERT_EQUAL(second.error.kind, ERROR_NONE);
	CU_ASSERT_TRUE(es256_verify(public, one.digest[0], one.sig[0], &error));
	for (int i = 0; i < SIGNER_BATCH_MAX; i++)
		CU_ASSERT_TRUE(es256_verify(public, full.digest[i], full.sig[i], &error));
	es256_key_free(public);
	signer_free(signer);
	event_base_free(base);
}

static void test_it_may_be_freed_in_its_last_completion(void)
{
	struct event_base *base = event_base_new();
	struct signer *signer = open_good(base);
	struct waiting waiting = { .free_it = signer };
	struct signer_job job;

	fill(&job, 1);
	signer_sign_start(signer, &job, on_done, &waiting);
	event_base_dispatch(base);
	CU_ASSERT_EQUAL(waiting.calls, 1);
	event_base_free(base);
}

static void test_it_knows_its_names(void)
{
	struct event_base *base = event_base_new();
	struct signer *signer = open_good(base);
	struct error error = { 0 };
	char path[96];
	X509_stack_auto *written = NULL;
	uint8_t wanted[32];

	snprintf(path, sizeof(path), "%s/token-1.pem", folder);
	written = x509_chain_read(path, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(written);
	CU_ASSERT_EQUAL(sk_X509_num(written), 2);
	CU_ASSERT_TRUE(x509_sha256(sk_X509_value(written, 0), wanted, &error));
	CU_ASSERT_STRING_EQUAL(signer_kid(signer), "token-1");
	CU_ASSERT_EQUAL(memcmp(signer_certificate_sha256(signer), wanted, 32), 0);
	signer_free(signer);
	event_base_free(base);
}

static void check_refused(const char *key_path, const char *chain_path, const char *why)
{
	struct event_base *base = event_base_new();
	struct error error = { 0 };
	struct signer *signer = signer_open(base, key_path, passphrase_file, chain_path, &error);

	if (signer != NULL || strstr(error.detail, why) == NULL)
		printf("\n    want '%s', got '%s'", why, error.detail);
	CU_ASSERT_PTR_NULL(signer);
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, why));
	signer_free(signer);
	event_base_free(base);
}

static void test_what_does_not_fit_is_refused(void)
{
	enum x509_profile signer = X509_PROFILE_TOKEN_SIGNER;
	X509_auto *stranger = make(X509_PROFILE_PA_ROOT, other_key, -1, 100);

	check_refused(other_key_file, chain("a.pem", make(signer, key, -1, 100), root),
		      "not the certificate of this key");
	check_refused(key_file, chain("a.pem", make(signer, key, -9, -1), root), "expired");
	check_refused(key_file, chain("a.pem", make(signer, key, 1, 9), root), "not yet valid");
	check_refused(key_file, chain("a.pem", make(signer, key, -1, 9), stranger),
		      "certificate 1 of the chain");
	check_refused(key_file, chain("a.pem", make(X509_PROFILE_PA_ROOT, key, -1, 9), NULL),
		      "CA certificate");
	check_refused(key_file, chain("a b.pem", make(signer, key, -1, 9), root), "kid");
	check_refused(key_file, chain("a.crt", make(signer, key, -1, 9), root), "<kid>.pem");
	check_refused(key_file, "/nonexistent/a.pem", "cannot read certificates");
	check_refused("/nonexistent/key", "/nonexistent/a.pem", "No such file");
}

static void test_a_chain_of_one_will_do(void)
{
	struct event_base *base = event_base_new();
	struct error error = { 0 };
	struct signer *signer = signer_open(
		base, key_file, passphrase_file,
		chain("one.pem", make(X509_PROFILE_TOKEN_SIGNER, key, -1, 9), NULL), &error);

	CU_ASSERT_PTR_NOT_NULL(signer);
	signer_free(signer);
	event_base_free(base);
}

static int setup(void)
{
	static const struct secret passphrase = { 7, "hunter2" };
	struct error error = { 0 };
	int fd;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(key_file, sizeof(key_file), "%s/key", folder);
	snprintf(other_key_file, sizeof(other_key_file), "%s/other", folder);
	snprintf(passphrase_file, sizeof(passphrase_file), "%s/passphrase", folder);
	fd = open(passphrase_file, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, "hunter2\n", 8) != 8)
		return 1;
	close(fd);
	root_key = p256_key_new(&error);
	key = p256_key_new(&error);
	other_key = p256_key_new(&error);
	root = make(X509_PROFILE_PA_ROOT, root_key, -1, 1000);
	return root == NULL || !key_file_write(key_file, key, &passphrase, &error) ||
	       !key_file_write(other_key_file, other_key, &passphrase, &error);
}

static int teardown(void)
{
	char command[128];

	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	X509_free(root);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "it signs a batch from the loop", test_it_signs_a_batch_from_the_loop },
		{ "it may be freed in its last completion",
		  test_it_may_be_freed_in_its_last_completion },
		{ "it knows its names", test_it_knows_its_names },
		{ "what does not fit is refused", test_what_does_not_fit_is_refused },
		{ "a chain of one will do", test_a_chain_of_one_will_do },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "signer",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
