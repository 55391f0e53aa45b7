/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a parser or a writer fails, the first, the second and so on until none is
 * left to fail: it takes nothing that it would not have taken, writes nothing but the whole, does
 * not crash and leaves nothing behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "../suite.h"
#include "asn1/tnauthlist.h"
#include "base/base64url.h"
#include "config/config.h"
#include "edge/assertion.h"
#include "edge/token_answer.h"
#include "edge/token_parse.h"
#include "failing.h"
#include "http/problem.h"
#include "issue/claims.h"
#include "jose/jws.h"

#define FINGERPRINT                                                                                \
	"SHA256 56:3E:CF:AE:83:CA:4D:15:B0:29:FF:1B:71:D3:BA:B9:19:81:F8:"                         \
	"50:9B:DF:4A:D4:39:72:E2:B1:F0:B9:38:E3"
#define ANSWER                                                                                     \
	"{\"status\":\"success\",\"message\":\"SPC token for SPC 1234 created\",\"token\":"        \
	"\"a.b.c\",\"crl\":\"https://a/crl\",\"iss\":\"CN=A\"}"
#define PROBLEM                                                                                    \
	"{\"type\":\"urn:stipa:problem:spc-not-held\",\"title\":\"Forbidden\",\"status\":403,"     \
	"\"detail\":\"no\",\"code\":\"spc-not-held\",\"instance\":\"urn:stipa:request:r\","        \
	"\"member\":\"spc\",\"flag\":true}"

static const uint8_t list_1234[] = { 0x30, 8, 0xa0, 6, 0x16, 4, '1', '2', '3', '4' };

static long n_good; /* inputs that were taken, outputs that were written */

/* ---- parsers ---- */

static void token_body(void)
{
	static const char body[] =
		"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":false,"
		"\"fingerprint\":\"" FINGERPRINT "\"}}";
	struct order order = { 0 };

	if (token_body_parse(body, sizeof(body) - 1, &order) != DEFECT_NONE)
		return;
	CU_ASSERT_STRING_EQUAL(order.spc, "1234");
	n_good++;
}

static void tnauthlist_read(void)
{
	struct tnauthlist list = { 0 };

	if (tnauthlist_check(list_1234, sizeof(list_1234), &list) != TNAUTHLIST_GOOD)
		return;
	CU_ASSERT_STRING_EQUAL(list.spc, "1234");
	n_good++;
}

static void assertion(void)
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
	if (!assertion_parse(text, audiences, 1000, &parsed, &error)) {
		CU_ASSERT_NOT_EQUAL(error.kind, ERROR_NONE);
		return;
	}
	CU_ASSERT_STRING_EQUAL(parsed.client, "client-a");
	n_good++;
}

/* ---- writers, and what needs no memory at all ---- */

static void tnauthlist_write(void)
{
	const struct tnauthlist list = { "1234" };
	struct error error = { 0 };
	uint8_t der[TNAUTHLIST_DER_MAX];
	size_t len = 0;

	if (!tnauthlist_encode(&list, der, &len, &error)) {
		CU_ASSERT_NOT_EQUAL(error.kind, ERROR_NONE);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(len, sizeof(list_1234));
	CU_ASSERT_EQUAL(memcmp(der, list_1234, len), 0);
	n_good++;
}

static void token_answer(void)
{
	const struct config config = { .crl_url = (char *)"https://a/crl",
				       .crl_issuer = (char *)"CN=A" };
	struct error error = { 0 };
	struct token_answer *answer = token_answer_new(&config, &error);
	size_t len;
	char *body;

	if (answer == NULL) {
		CU_ASSERT_NOT_EQUAL(error.kind, ERROR_NONE);
		return;
	}
	body = token_answer_write(answer, false, "1234", "a.b.c", &len);
	if (body != NULL) {
		CU_ASSERT_STRING_EQUAL(body, ANSWER);
		n_good++;
	}
	free(body);
	token_answer_free(answer);
}

static void problem(void)
{
	static const struct problem_member more[] = { { "member", "spc" }, { "flag" }, { NULL } };
	struct problem told;
	char *text;

	problem_of_status(&told, 403, "no", "r");
	told.code = "spc-not-held";
	told.more = more;
	text = problem_document.write(&told);
	if (text == NULL)
		return;
	CU_ASSERT_STRING_EQUAL(text, PROBLEM);
	free(text);
	n_good++;
}

static void base64url(void)
{
	char text[BASE64URL_LEN(sizeof(list_1234)) + 1];
	uint8_t bytes[sizeof(list_1234)];
	size_t len = base64url_encode(list_1234, sizeof(list_1234), text), used = 0;

	n_good += base64url_decode(text, len, bytes, sizeof(bytes), &used) &&
		  used == sizeof(list_1234) && memcmp(bytes, list_1234, used) == 0;
}

static void jws_of_claims(void)
{
	const struct token_claims claims = { .form = TOKEN_FORM_ATC,
					     .exp = 1767312000,
					     .spc = "1234",
					     .tkvalue = "MAigBhYEMTIzNA==",
					     .fingerprint = FINGERPRINT,
					     .x5u = "https://pa.example/certs/test.pem" };
	const uint8_t sig[ES256_SIG_LEN] = { 1 };
	struct jws_parts parts;
	struct jws jws;
	struct error error = { 0 };
	uint8_t digest[32];

	n_good += token_claims_encode(&claims, &jws, digest, &error) &&
		  jws_finish(&jws, sig, &error) && jws_parse(jws.text, &parts, &error) &&
		  memcmp(parts.digest, digest, 32) == 0 && memcmp(parts.sig, sig, 64) == 0;
}

/* ---- torture ---- */

static const struct {
	const char *name;
	void (*scenario)(void);
	long least, most; /* allocations */
} scenarios[] = {
	{ "token body", token_body, 10, 1000 },
	{ "assertion", assertion, 10, 1000 },
	{ "TNAuthList read", tnauthlist_read, 1, 1000 },
	{ "TNAuthList written", tnauthlist_write, 3, 1000 },
	{ "answer with a token", token_answer, 6, 1000 },
	{ "problem document", problem, 10, 1000 },
	{ "base64url", base64url, 0, 0 },
	{ "claims, JWS written and read", jws_of_claims, 0, 0 },
};

/* Some may do without what they did not get; whoever does is right all the same.  The first run
 * and the last, and the one before, are undisturbed. */
static void test_codecs_without_memory(void)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		for (enum failing how = FAILING_ONE; how <= FAILING_ONWARD; how++) {
			struct torture seen;

			n_good = 0;
			seen = torture(scenarios[i].scenario, how);
			printf("\n  %s: %ld allocations, %ld times whole", scenarios[i].name,
			       seen.allocations, n_good);
			CU_ASSERT(seen.allocations >= scenarios[i].least);
			CU_ASSERT(seen.allocations <= scenarios[i].most);
			CU_ASSERT_EQUAL(seen.lost, 0);
			CU_ASSERT(n_good >= 3);
			CU_ASSERT(seen.allocations == 0 || n_good < seen.allocations + 3);
		}
	}
}

/* ---- controls ---- */

/* Nobody looks whether there was memory. */
static void careless(void)
{
	json_t *json = json_object();
	volatile const char *text;

	json_object_set_new(json, "a", json_string("b"));
	text = json_string_value(json_object_get(json, "a"));
	n_good += text[0] == 'b';
	json_decref(json);
}

static void test_the_careless_die(void)
{
	pid_t child = fork();
	int how = 0;

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		torture(careless, FAILING_ONE);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &how, 0), child);
	CU_ASSERT(!WIFEXITED(how) || WEXITSTATUS(how) != 0);
}

static void *forgotten;

/* What was taken before the failure is forgotten, but by the test. */
static void forgetful(void)
{
	char *volatile first = malloc(1);
	char *volatile second = strdup("2");

	if (first != NULL && second == NULL) {
		forgotten = first;
		return;
	}
	free(first);
	free(second);
}

static void test_what_is_forgotten_is_counted(void)
{
	struct torture seen = torture(forgetful, FAILING_ONE);

	CU_ASSERT_EQUAL(seen.allocations, 2);
	CU_ASSERT_EQUAL(seen.lost, 1);
	free(forgotten);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "codecs without memory", test_codecs_without_memory },
		{ "control: the careless die", test_the_careless_die },
		{ "control: what is forgotten is counted", test_what_is_forgotten_is_counted },
		CU_TEST_INFO_NULL,
	};

	if (!failing_set_hooks())
		return 1;
	return run_suite("allocations", tests);
}
