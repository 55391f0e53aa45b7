/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "edge/form.h"
#include "fakes.h"

static const struct {
	const char *name, *body;
	const char *why;   /* a part of it; NULL: it is good */
	const char *a, *b; /* values of these; NULL: none */
	size_t len, n;	   /* 0: to the NUL; parameters */
} bodies[] = {
	{ "nothing", "", NULL, NULL, NULL, 0, 0 },
	{ "one", "a=1", NULL, "1", NULL, 0, 1 },
	{ "two", "a=1&b=2", NULL, "1", "2", 0, 2 },
	{ "the other way round", "b=2&a=1", NULL, "1", "2", 0, 2 },
	{ "a name alone", "a", NULL, NULL, NULL, 0, 1 },
	{ "no value", "a=&b=2", NULL, NULL, "2", 0, 2 },
	{ "no value, last", "b=2&a=", NULL, NULL, "2", 0, 2 },
	{ "a name alone before another", "a&b=2", NULL, NULL, "2", 0, 2 },
	{ "unknown ones", "x=1&a=2&y", NULL, "2", NULL, 0, 3 },
	{ "no name", "=x&a=1", NULL, "1", NULL, 0, 2 },
	{ "an equals sign in the value", "a=b=c", NULL, "b=c", NULL, 0, 1 },
	{ "empty pieces", "&&a=1&&b=2&", NULL, "1", "2", 0, 2 },
	{ "plus is a blank", "a=b+c", NULL, "b c", NULL, 0, 1 },
	{ "an escaped plus", "a=b%2Bc", NULL, "b+c", NULL, 0, 1 },
	{ "an escaped ampersand", "a=b%26b%3D2", NULL, "b&b=2", NULL, 0, 1 },
	{ "escapes of either case", "a=%2f%2F", NULL, "//", NULL, 0, 1 },
	{ "an escaped percent is not decoded twice", "a=%2541", NULL, "%41", NULL, 0, 1 },
	{ "an escaped name", "%61=1", NULL, "1", NULL, 0, 1 },
	{ "UTF-8", "a=%C3%A9", NULL, "\xc3\xa9", NULL, 0, 1 },
	{ "what need not be escaped", "a=:/?#[]@!$'()*,;~-._", NULL, ":/?#[]@!$'()*,;~-._", NULL, 0,
	  1 },

	{ "twice", "a=1&a=1", "stands twice" },
	{ "twice, once escaped", "a=1&%61=2", "stands twice" },
	{ "twice, once without a value", "a=&a=1", "stands twice" },
	{ "an unknown one twice", "x=1&a=2&x=3", "stands twice" },
	{ "a blank", "a=b c", "not application/x-www-form-urlencoded" },
	{ "a line break", "a=1\r\n", "not application/x-www-form-urlencoded" },
	{ "a tab", "a=\t", "not application/x-www-form-urlencoded" },
	{ "a NUL", "a=1\0b", "not application/x-www-form-urlencoded", NULL, NULL, 5 },
	{ "an escaped NUL", "a=1%00b", "not application/x-www-form-urlencoded" },
	{ "an escaped line break", "a=1%0A", "not application/x-www-form-urlencoded" },
	{ "an escaped DEL", "a=%7F", "not application/x-www-form-urlencoded" },
	{ "a byte that is not ASCII", "a=\xc3\xa9", "not application/x-www-form-urlencoded" },
	{ "half an escape", "a=%2", "not application/x-www-form-urlencoded" },
	{ "an escape over the border", "a=%2&b=0", "not application/x-www-form-urlencoded" },
	{ "a percent alone", "a=%", "not application/x-www-form-urlencoded" },
	{ "no hexadecimal digits", "a=%zz", "not application/x-www-form-urlencoded" },
	{ "a sign in an escape", "a=%+1", "not application/x-www-form-urlencoded" },
	{ "a bad escape in a name", "%=1", "not application/x-www-form-urlencoded" },
	{ "JSON", "{\"a\": 1}", "not application/x-www-form-urlencoded" },
};

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void test_bodies(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		size_t len = bodies[i].len > 0 ? bodies[i].len : strlen(bodies[i].body);
		struct error error = { 0 };
		struct form form;
		char body[256];
		bool good, as_wanted;

		memset(body, '!', sizeof(body));
		memcpy(body, bodies[i].body, len);
		good = form_parse(body, len, &form, &error);
		if (bodies[i].why == NULL)
			as_wanted = good && form.n == bodies[i].n &&
				    same(form_value(&form, "a"), bodies[i].a) &&
				    same(form_value(&form, "b"), bodies[i].b);
		else
			as_wanted = !good && error.kind == ERROR_INVALID &&
				    strcmp(error.code, "invalid_request") == 0 &&
				    strstr(error.detail, bodies[i].why) != NULL;
		if (!as_wanted)
			printf("\n  %s: %d %s", bodies[i].name, good, error.detail);
		CU_ASSERT_TRUE(as_wanted);
		CU_ASSERT_EQUAL(body[len + 1], '!');
	}
}

static void test_there_is_an_end_to_parameters(void)
{
	char body[FORM_PARAMETERS_MAX * 8 + 8], *at = body;
	struct error error = { 0 };
	struct form form;

	for (int i = 0; i < FORM_PARAMETERS_MAX; i++)
		at += sprintf(at, "p%d=1&", i);
	CU_ASSERT_TRUE(form_parse(body, strlen(body), &form, &error));
	at = body;
	for (int i = 0; i <= FORM_PARAMETERS_MAX; i++)
		at += sprintf(at, "p%d=1&", i);
	CU_ASSERT_FALSE(form_parse(body, strlen(body), &form, &error));
	CU_ASSERT_STRING_EQUAL(error.detail, "body: too many parameters");
}

static void test_media_types(void)
{
	CU_ASSERT_TRUE(media_type_is_form("application/x-www-form-urlencoded"));
	CU_ASSERT_TRUE(media_type_is_form("Application/X-WWW-Form-URLEncoded"));
	CU_ASSERT_TRUE(media_type_is_form("application/x-www-form-urlencoded;charset=UTF-8"));
	CU_ASSERT_TRUE(media_type_is_form("application/x-www-form-urlencoded; charset=\"utf-8\""));
	CU_ASSERT_FALSE(media_type_is_form(NULL));
	CU_ASSERT_FALSE(media_type_is_form(""));
	CU_ASSERT_FALSE(media_type_is_form("application/json"));
	CU_ASSERT_FALSE(media_type_is_form("application/x-www-form-urlencoded2"));
	CU_ASSERT_FALSE(media_type_is_form("application/x-www-form-urlencoded; charset=latin1"));
	CU_ASSERT_FALSE(media_type_is_form("multipart/form-data; boundary=x"));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "bodies", test_bodies },
		{ "there is an end to parameters", test_there_is_an_end_to_parameters },
		{ "media types", test_media_types },
		CU_TEST_INFO_NULL,
	};

	return run_suite("form", tests);
}
