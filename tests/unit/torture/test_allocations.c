/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a parser fails once, the first, the second and so on until none is left to
 * fail: it takes nothing that it would not have taken, does not crash and leaves nothing behind. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <jansson.h>
#include <openssl/crypto.h>

#include "asn1/tnauthlist.h"
#include "base/base64url.h"
#include "edge/assertion.h"
#include "edge/token_parse.h"

/* ---- allocations: of jansson and OpenSSL, which have hooks ---- */

static long fails_at; /* this one from now on, counted down; 0: none */
static long n_failed, live_json;

static bool must_fail(void)
{
	if (fails_at == 0 || --fails_at > 0)
		return false;
	n_failed++;
	return true;
}

static void *json_take(size_t size)
{
	void *memory = must_fail() ? NULL : malloc(size);

	live_json += memory != NULL;
	return memory;
}

static void json_give(void *memory)
{
	live_json -= memory != NULL;
	free(memory);
}

static void *crypto_take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size == 0 || must_fail() ? NULL : malloc(size);
}

static void *crypto_change(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0) {
		free(memory);
		return NULL;
	}
	return must_fail() ? NULL : realloc(memory, size);
}

static void crypto_give(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

/* ---- scenarios: true when the input was taken ---- */

static bool token_body(void)
{
	static const char body[] =
		"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":false,"
		"\"fingerprint\":\"SHA256 56:3E:CF:AE:83:CA:4D:15:B0:29:FF:1B:71:D3:BA:B9:19:81:F8:"
		"50:9B:DF:4A:D4:39:72:E2:B1:F0:B9:38:E3\"}}";
	struct order order = { 0 };

	if (token_body_parse(body, sizeof(body) - 1, &order) != DEFECT_NONE)
		return false;
	CU_ASSERT_STRING_EQUAL(order.spc, "1234");
	return true;
}

static bool tnauthlist(void)
{
	static const uint8_t der[] = { 0x30, 8, 0xa0, 6, 0x16, 4, '1', '2', '3', '4' };
	struct tnauthlist list = { 0 };

	if (tnauthlist_check(der, sizeof(der), &list) != TNAUTHLIST_GOOD)
		return false;
	CU_ASSERT_STRING_EQUAL(list.spc, "1234");
	return true;
}

static bool assertion(void)
{
	static const char *const audiences[] = { "https://pa.example", NULL };
	static const char header[] = "{\"alg\":\"ES256\"}";
	static const char claims[] = "{\"iss\":\"client-a\",\"sub\":\"client-a\",\"aud\":"
				     "\"https://pa.example\",\"exp\":1060,\"jti\":\"one\"}";
	static const uint8_t sig[64] = { 1 };
	struct assertion parsed;
	struct error error = { 0 };
	char text[1024], *at = text;

	at += base64url_encode(header, sizeof(header) - 1, at);
	*at++ = '.';
	at += base64url_encode(claims, sizeof(claims) - 1, at);
	*at++ = '.';
	base64url_encode(sig, sizeof(sig), at);
	if (!assertion_parse(text, audiences, 1000, &parsed, &error))
		return error.kind == ERROR_NONE;
	CU_ASSERT_STRING_EQUAL(parsed.client, "client-a");
	return true;
}

/* The control: nobody looks whether there was memory. */
static bool careless(void)
{
	json_t *json = json_object();
	volatile const char *text;

	json_object_set_new(json, "a", json_string("b"));
	text = json_string_value(json_object_get(json, "a"));
	return text[0] == 'b';
}

/* ---- torture ---- */

/* How many allocations there are to fail; -1 when an input was taken for another, or memory lost.
 */
static long torture(bool (*scenario)(void))
{
	long before;

	CU_ASSERT(scenario());
	before = live_json;
	for (long at = 1;; at++) {
		fails_at = at;
		n_failed = 0;
		scenario();
		fails_at = 0;
		CU_ASSERT_EQUAL(live_json, before);
		if (n_failed == 0)
			return at - 1;
	}
}

static void test_parsers_without_memory(void)
{
	CU_ASSERT(torture(token_body) > 10);
	CU_ASSERT(torture(tnauthlist) >= 0);
	CU_ASSERT(torture(assertion) > 10);
	CU_ASSERT(token_body() && tnauthlist() && assertion());
}

static void test_the_control_dies(void)
{
	pid_t child = fork();
	int how = 0;

	if (child == 0) {
		torture(careless);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &how, 0), child);
	CU_ASSERT(!WIFEXITED(how) || WEXITSTATUS(how) != 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "test_parsers_without_memory", test_parsers_without_memory },
		{ "test_the_control_dies", test_the_control_dies },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "allocations", NULL, NULL, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };
	unsigned int failures;

	if (!CRYPTO_set_mem_functions(crypto_take, crypto_change, crypto_give))
		return 1;
	json_set_alloc_funcs(json_take, json_give);
	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures > 0;
}
