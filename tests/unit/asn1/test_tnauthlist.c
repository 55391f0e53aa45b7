/* SPDX-License-Identifier: Apache-2.0 */
/* The cases stand in tests/data/tnauthlist/{good,bad}/<name>/: input.hex, and the SPC that is
 * decoded or the error that is told. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "../suite.h"
#include "asn1/tnauthlist.h"

static void read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	if (fgets(line, size, file) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static size_t read_hex(const char *path, uint8_t bytes[128])
{
	char line[400];
	const char *p = line;
	size_t n = 0;
	int used;
	unsigned int byte;

	read_line(path, line, sizeof(line));
	for (; n < 128 && sscanf(p, "%2x%n", &byte, &used) == 1; p += used)
		bytes[n++] = (uint8_t)byte;
	return n;
}

static void run_case(const char *folder, const char *expectation)
{
	char path[768], want[256];
	uint8_t der[128];
	struct tnauthlist list = { 0 };
	struct error error = { 0 };
	size_t len;
	bool ok;

	snprintf(path, sizeof(path), "%s/input.hex", folder);
	len = read_hex(path, der);
	snprintf(path, sizeof(path), "%s/%s", folder, expectation);
	read_line(path, want, sizeof(want));

	ok = tnauthlist_decode(der, len, &list, &error);
	if (strcmp(ok ? list.spc : error.detail, want) != 0)
		printf("\n  %s: \"%s\"\n", folder, ok ? list.spc : error.detail);
	CU_ASSERT_EQUAL(ok, strcmp(expectation, "spc") == 0);
	CU_ASSERT_STRING_EQUAL(ok ? list.spc : error.detail, want);
	CU_ASSERT_TRUE(ok || error.kind == ERROR_INVALID);
	CU_ASSERT_TRUE(ok || list.spc[0] == '\0');
}

static int run_folder(const char *kind, const char *expectation)
{
	const char *srcdir = getenv("srcdir");
	char path[200], folder[480];
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/tests/data/tnauthlist/%s", srcdir ? srcdir : ".", kind);
	dir = opendir(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(folder, sizeof(folder), "%s/%s", path, entry->d_name);
		run_case(folder, expectation);
		n++;
	}
	closedir(dir);
	return n;
}

static void test_good_lists_decode(void)
{
	CU_ASSERT(run_folder("good", "spc") >= 7);
}

static void test_bad_lists_are_told_why(void)
{
	CU_ASSERT(run_folder("bad", "error") >= 49);
}

static void test_what_is_encoded_decodes_to_itself(void)
{
	static const char *const codes[] = { "1", "281K", "0123456789ABCDEF" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct tnauthlist in = { 0 }, out = { 0 };
		uint8_t der[TNAUTHLIST_DER_MAX];
		struct error error = { 0 };
		size_t len = 0;

		strcpy(in.spc, codes[i]);
		CU_ASSERT_TRUE_FATAL(tnauthlist_encode(&in, der, &len, &error));
		CU_ASSERT_TRUE_FATAL(tnauthlist_decode(der, len, &out, &error));
		CU_ASSERT_STRING_EQUAL(out.spc, in.spc);
	}
}

static void test_a_malformed_code_is_not_encoded(void)
{
	static const char *const codes[] = { "", "28 K", "281k", "\xc3\xa9" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct tnauthlist in = { 0 };
		uint8_t der[TNAUTHLIST_DER_MAX];
		struct error error = { 0 };
		size_t len;

		strcpy(in.spc, codes[i]);
		CU_ASSERT_FALSE(tnauthlist_encode(&in, der, &len, &error));
		CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	}
}

static void test_no_error_is_left_behind_for_tls(void)
{
	const uint8_t der[] = { 0x30, 0x06, 0x13, 0x04, '1', '2', '3', '4' };
	struct tnauthlist list;

	ERR_clear_error();
	CU_ASSERT_EQUAL(tnauthlist_check(der, sizeof(der), &list), TNAUTHLIST_NOT_DER);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "good lists decode", test_good_lists_decode },
		{ "bad lists are told why", test_bad_lists_are_told_why },
		{ "what is encoded decodes to itself", test_what_is_encoded_decodes_to_itself },
		{ "a malformed code is not encoded", test_a_malformed_code_is_not_encoded },
		{ "no error is left behind for TLS", test_no_error_is_left_behind_for_tls },
		CU_TEST_INFO_NULL,
	};

	return run_suite("tnauthlist", tests);
}
