/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "http/router.h"

static const struct http_route routes[] = {
	{ "GET", "/", 0, NULL, "root" },
	{ "POST", "/account/{id}/token", 0, NULL, "token" },
	{ "POST", "/account/{id}/token/", 0, NULL, "token-slash" },
	{ "GET", "/account/{id}", 0, NULL, "account" },
	{ "PUT", "/account/{id}", 0, NULL, "account-put" },
	{ "DELETE", "/account/{id}", 0, NULL, "account-delete" },
	{ "GET", "/certs/root", 0, NULL, "root-cert" },
	{ "GET", "/certs/{kid}", 0, NULL, "cert" },
	{ "GET", "/{a}/{b}/x/{c}/{d}", 0, NULL, "four" },
	{ "POST", "/only/post", 0, NULL, "only" },
	{ 0 },
};

static const struct {
	const char *method, *path;
	const char *route;  /* its name, or NULL */
	const char *params; /* "name=value;" of each */
	const char *allow;  /* when there is no row */
} cases[] = {
	{ "GET", "/", "root", "", "" },
	{ "HEAD", "/", "root", "", "" },
	{ "POST", "/", NULL, NULL, "GET, HEAD" },
	{ "POST", "/account/281K/token", "token", "id=281K;", "" },
	{ "POST", "/account/281K/token/", "token-slash", "id=281K;", "" },
	{ "POST", "/account//token", NULL, NULL, "" },
	{ "POST", "/account/a/b/token", NULL, NULL, "" },
	{ "POST", "/account/281K/tokens", NULL, NULL, "" },
	{ "POST", "/account/281K/toke", NULL, NULL, "" },
	{ "POST", "/Account/281K/token", NULL, NULL, "" },
	{ "GET", "/account/281K/token", NULL, NULL, "POST" },
	{ "HEAD", "/account/281K/token", NULL, NULL, "POST" },
	{ "GET", "/account/a b", "account", "id=a b;", "" },
	{ "PUT", "/account/a", "account-put", "id=a;", "" },
	{ "PATCH", "/account/a", NULL, NULL, "GET, HEAD, PUT, DELETE" },
	{ "GET", "/account", NULL, NULL, "" },
	{ "GET", "/account/", NULL, NULL, "" },
	{ "GET", "/account/a/", NULL, NULL, "" },
	{ "GET", "/certs/root", "root-cert", "", "" },
	{ "GET", "/certs/{kid}", "cert", "kid={kid};", "" },
	{ "GET", "/1/2/x/3/4", "four", "a=1;b=2;c=3;d=4;", "" },
	{ "GET", "", NULL, NULL, "" },
};

static void params_text(const struct route_match *match, char *text)
{
	text[0] = '\0';
	for (size_t i = 0; i < match->n_params; i++)
		text += sprintf(text, "%.*s=%.*s;", (int)match->params[i].name_len,
				match->params[i].name, (int)match->params[i].value_len,
				match->params[i].value);
}

static void test_routes(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_match match;
		char params[128];

		route_find(routes, cases[i].method, cases[i].path, &match);
		CU_ASSERT_EQUAL(match.route != NULL, cases[i].route != NULL);
		if ((match.route != NULL) != (cases[i].route != NULL))
			printf("\n    row: %s %s", cases[i].method, cases[i].path);
		if (match.route == NULL) {
			CU_ASSERT_STRING_EQUAL(match.allow, cases[i].allow);
			continue;
		}
		params_text(&match, params);
		CU_ASSERT_STRING_EQUAL(match.route->name, cases[i].route);
		CU_ASSERT_STRING_EQUAL(params, cases[i].params);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "routes", test_routes },
		CU_TEST_INFO_NULL,
	};

	return run_suite("router", tests);
}
