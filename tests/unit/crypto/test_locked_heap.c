/* SPDX-License-Identifier: Apache-2.0 */
/* Each in a process of its own, as such a heap is for good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "../suite.h"
#include "crypto/key_file.h"
#include "crypto/locked_heap.h"

static int status_of(int (*act)(void))
{
	pid_t pid;
	int how;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(act());
	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "VmLck:", 6) == 0)
			kib = atol(line + 6);
	fclose(status);
	return kib;
}

static int keys_stand_there(void)
{
	struct error error = { 0 };
	EVP_PKEY *key;
	size_t empty;

	if (!locked_heap_make(40000, &error) || locked_kib() != 64)
		return 1;
	EVP_PKEY_free(p256_key_new(&error)); /* the random generators stay */
	empty = CRYPTO_secure_used();
	key = p256_key_new(&error);
	if (key == NULL || CRYPTO_secure_used() < empty + 32)
		return 2;
	EVP_PKEY_free(key);
	return CRYPTO_secure_used() < empty + 32 ? 0 : 3;
}

static int nothing_is_locked_without_it(void)
{
	return locked_kib() == 0 ? 0 : 1;
}

/* Root has no such limit. */
static int the_limit_is_told(void)
{
	struct error error = { 0 };

	if (setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 }) != 0 ||
	    (getuid() == 0 && setuid(65534) != 0))
		return 1;
	if (locked_heap_make(LOCKED_HEAP_BASE, &error) || error.kind != ERROR_LIMITED)
		return 2;
	if (strstr(error.detail, "32 KiB for keys") == NULL ||
	    strstr(error.detail, "raise RLIMIT_MEMLOCK") == NULL)
		return 3;
	return CRYPTO_secure_malloc_initialized() == 1 ? 0 : 4;
}

static void test_keys_stand_in_locked_memory(void)
{
	CU_ASSERT_EQUAL(status_of(keys_stand_there), 0);
	CU_ASSERT_EQUAL(status_of(nothing_is_locked_without_it), 0);
}

static void test_what_cannot_be_locked_is_told(void)
{
	CU_ASSERT_EQUAL(status_of(the_limit_is_told), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "keys stand in locked memory", test_keys_stand_in_locked_memory },
		{ "what cannot be locked is told", test_what_cannot_be_locked_is_told },
		CU_TEST_INFO_NULL,
	};

	return run_suite("locked heap", tests);
}
