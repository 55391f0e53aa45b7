/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../suite.h"
#include "crypto/secret.h"

static char folder[] = "/tmp/stipa-secret.XXXXXX";
static char path[64];

static void write_file(const char *bytes, size_t len, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, bytes, len), (ssize_t)len);
	CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
	close(fd);
}

static char longest[SECRET_MAX + 2];

static const struct {
	const char *name;
	const char *bytes;
	size_t len; /* 0: to the NUL */
	mode_t mode;
	const char *secret; /* expected, or NULL when the file must be refused */
	const char *why;    /* what the refusal says */
} cases[] = {
	{ "one line", "hunter2\n", 0, 0600, "hunter2", NULL },
	{ "no line end", "hunter2", 0, 0600, "hunter2", NULL },
	{ "two lines", "one\ntwo\n", 0, 0600, "one", NULL },
	{ "read only", "hunter2\n", 0, 0400, "hunter2", NULL },
	{ "spaces stay", " a b \n", 0, 0600, " a b ", NULL },
	{ "the longest", longest, SECRET_MAX, 0600, longest, NULL },
	{ "one too long", longest, SECRET_MAX + 1, 0600, NULL, "longer than 255" },
	{ "empty", "", 0, 0600, NULL, "empty" },
	{ "an empty first line", "\nsecret\n", 0, 0600, NULL, "empty" },
	{ "a NUL", "a\0b\n", 4, 0600, NULL, "NUL" },
	{ "readable by the group", "hunter2\n", 0, 0640, NULL, "0640" },
	{ "readable by all", "hunter2\n", 0, 0604, NULL, "0604" },
	{ "writable by the group", "hunter2\n", 0, 0620, NULL, "0620" },
};

static void test_read(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = { 0 };
		secret_auto secret;
		bool ok;

		write_file(cases[i].bytes, cases[i].len ? cases[i].len : strlen(cases[i].bytes),
			   cases[i].mode);
		ok = secret_read_file(&secret, path, &error);
		if (ok != (cases[i].secret != NULL))
			printf("\n    %s: %s", cases[i].name, error.detail);
		CU_ASSERT_EQUAL(ok, cases[i].secret != NULL);
		if (!ok) {
			CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
			CU_ASSERT_EQUAL(secret.len, 0);
			CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, cases[i].why));
			CU_ASSERT_PTR_NULL(strstr(error.detail, "hunter2"));
			continue;
		}
		CU_ASSERT_EQUAL(secret.len, strnlen(cases[i].secret, SECRET_MAX));
		CU_ASSERT_EQUAL(strncmp(secret.bytes, cases[i].secret, secret.len), 0);
		CU_ASSERT_EQUAL(secret.bytes[secret.len], '\0');
	}
}

static void test_what_is_no_file_is_refused(void)
{
	struct error absent = { 0 }, a_folder = { 0 }, a_pipe = { 0 };
	struct secret secret;

	CU_ASSERT_FALSE(secret_read_file(&secret, "/nonexistent/secret", &absent));
	CU_ASSERT_FALSE(secret_read_file(&secret, folder, &a_folder));
	CU_ASSERT_PTR_NOT_NULL(strstr(a_folder.detail, "not a regular file"));
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_FALSE(secret_read_file(&secret, path, &a_pipe)); /* and does not wait */
}

static void test_a_systemd_credential_may_be_readable_by_its_group(void)
{
	struct error error = { 0 }, inside = { 0 };
	struct secret secret;
	char around[128];

	write_file("hunter2", 7, 0440);
	CU_ASSERT_FALSE(secret_read_file(&secret, path, &error));
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	CU_ASSERT_TRUE(secret_read_file(&secret, path, &inside));
	snprintf(around, sizeof(around), "%s/../%s", folder, path + 5);
	CU_ASSERT_FALSE(secret_read_file(&secret, around, &inside));
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_equal(void)
{
	const struct secret a = { 3, "abc" }, b = { 3, "abc" }, c = { 3, "abd" }, d = { 2, "ab" };

	CU_ASSERT_TRUE(secret_equal(&a, &b));
	CU_ASSERT_FALSE(secret_equal(&a, &c));
	CU_ASSERT_FALSE(secret_equal(&a, &d));
}

static void test_clear_leaves_nothing(void)
{
	struct secret secret = { 7, "hunter2" };
	static const struct secret nothing;

	secret_clear(&secret);
	CU_ASSERT_EQUAL(memcmp(&secret, &nothing, sizeof(nothing)), 0);
}

static int setup(void)
{
	memset(longest, 'x', SECRET_MAX + 1);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int teardown(void)
{
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "read", test_read },
		{ "what is no file is refused", test_what_is_no_file_is_refused },
		{ "a systemd credential may be readable by its group",
		  test_a_systemd_credential_may_be_readable_by_its_group },
		{ "equal", test_equal },
		{ "clear leaves nothing", test_clear_leaves_nothing },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "secret",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
