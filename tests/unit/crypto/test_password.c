/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "crypto/password.h"

static struct secret secret_of(const char *text)
{
	struct secret secret = { .len = strlen(text) };

	memcpy(secret.bytes, text, secret.len);
	return secret;
}

static void test_a_hash_knows_its_password(void)
{
	struct secret password = secret_of("correct horse"), other = secret_of("correct horsf");
	char hash[PASSWORD_HASH_MAX + 1], again[PASSWORD_HASH_MAX + 1];
	struct error error = { 0 };

	CU_ASSERT_TRUE_FATAL(password_hash(&password, hash, &error));
	CU_ASSERT_EQUAL(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	CU_ASSERT_TRUE(password_hash_check(hash, &error));
	CU_ASSERT_TRUE(password_verify(hash, &password, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_NONE);
	CU_ASSERT_FALSE(password_verify(hash, &other, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAUTHORIZED);
	CU_ASSERT_TRUE(password_hash(&password, again, &error));
	CU_ASSERT_STRING_NOT_EQUAL(hash, again); /* another salt */
}

/* Made by argon2(1) with -id -t 2 -k 8192 -p 2 -l 32, salt "somesalt", password "password". */
static void test_a_hash_of_another_program(void)
{
	static const char hash[] = "$argon2id$v=19$m=8192,t=2,p=2$c29tZXNhbHQ"
				   "$0eg6pzg/cIc6FxtFMgagDaylNA81BVQuF7Qe1i07EQ4";
	struct secret password = secret_of("password"), empty = secret_of("");
	struct error error = { 0 };

	CU_ASSERT_TRUE(password_verify(hash, &password, &error));
	CU_ASSERT_FALSE(password_verify(hash, &empty, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAUTHORIZED);
}

static void test_nobody_has_no_password(void)
{
	struct secret password = secret_of("password");
	struct error error = { 0 };

	CU_ASSERT_TRUE(password_hash_check(password_hash_of_nobody, &error));
	CU_ASSERT_FALSE(password_verify(password_hash_of_nobody, &password, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAUTHORIZED); /* it was really computed */
}

#define SALT "$c29tZXNhbHQ"
#define HASH "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *name, *hash, *why; /* NULL: may be kept */
} cases[] = {
	{ "the least", "$argon2id$v=19$m=7168,t=1,p=1" SALT HASH, NULL },
	{ "the most", "$argon2id$v=19$m=65536,t=5,p=4" SALT HASH, NULL },
	{ "empty", "", "want argon2id" },
	{ "argon2i", "$argon2i$v=19$m=19456,t=2,p=1" SALT HASH, "want argon2id" },
	{ "bcrypt", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
	  "want argon2id" },
	{ "version 16", "$argon2id$v=16$m=19456,t=2,p=1" SALT HASH, "after $argon2id$v= want 19" },
	{ "no version", "$argon2id$m=19456,t=2,p=1" SALT HASH, "want argon2id" },
	{ "too little memory", "$argon2id$v=19$m=7167,t=2,p=1" SALT HASH, "after $m= want 7168" },
	{ "too much memory", "$argon2id$v=19$m=65537,t=2,p=1" SALT HASH, "to 65536" },
	{ "memory beyond numbers", "$argon2id$v=19$m=99999999999999999999999,t=2,p=1" SALT HASH,
	  "to 65536" },
	{ "a negative number", "$argon2id$v=19$m=-19456,t=2,p=1" SALT HASH, "after $m= want" },
	{ "too many passes", "$argon2id$v=19$m=19456,t=6,p=1" SALT HASH, "after ,t= want 1 to 5" },
	{ "too many lanes", "$argon2id$v=19$m=19456,t=2,p=5" SALT HASH, "after ,p= want 1 to 4" },
	{ "a short salt", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbH" HASH, "want a salt" },
	{ "a short hash", "$argon2id$v=19$m=19456,t=2,p=1" SALT "$AAAAAAAAAAAAAAAAAAAAA",
	  "want a salt" },
	{ "no hash", "$argon2id$v=19$m=19456,t=2,p=1" SALT, "want a salt" },
	{ "a tail", "$argon2id$v=19$m=19456,t=2,p=1" SALT HASH "=", "something stands behind" },
};

static void test_what_may_be_kept(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		bool ok = password_hash_check(cases[i].hash, &error);

		if (ok != (cases[i].why == NULL) ||
		    (!ok && strstr(error.detail, cases[i].why) == NULL)) {
			printf("\n  %s: %s", cases[i].name, error.detail);
			CU_FAIL("a case");
		}
	}
}

static int threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = 0;

	while (readdir(tasks) != NULL)
		n++;
	closedir(tasks);
	return n - 2;
}

static atomic_bool enough;

static void *most_threads(void *arg)
{
	int *most = arg;

	while (!enough) {
		int n = threads();

		if (n > *most)
			*most = n;
	}
	return NULL;
}

/* A hash of four lanes is computed by whoever asks, without help. */
static void test_lanes_are_no_threads(void)
{
	struct secret password = secret_of("password");
	struct error error = { 0 };
	pthread_t watcher;
	int before = threads(), most = 0;

	pthread_create(&watcher, NULL, most_threads, &most);
	CU_ASSERT_FALSE(
		password_verify("$argon2id$v=19$m=65536,t=2,p=4" SALT HASH, &password, &error));
	enough = true;
	pthread_join(watcher, NULL);
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAUTHORIZED);
	CU_ASSERT_EQUAL(most, before + 1);
}

/* A hash that may not be kept is not computed either: the database could hold anything. */
static void test_a_costly_hash_is_not_computed(void)
{
	struct secret password = secret_of("password");
	struct error error = { 0 };

	CU_ASSERT_FALSE(
		password_verify("$argon2id$v=19$m=4194304,t=2,p=1" SALT HASH, &password, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "its password", test_a_hash_knows_its_password },
		{ "another program's", test_a_hash_of_another_program },
		{ "nobody", test_nobody_has_no_password },
		{ "what may be kept", test_what_may_be_kept },
		{ "lanes", test_lanes_are_no_threads },
		{ "too costly", test_a_costly_hash_is_not_computed },
		CU_TEST_INFO_NULL,
	};

	return run_suite("password", tests);
}
