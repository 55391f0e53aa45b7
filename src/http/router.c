/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t segment_len(const char *segment)
{
	return strcspn(segment, "/");
}

static bool is_param(const char *segment, size_t len)
{
	return len > 2 && segment[0] == '{' && segment[len - 1] == '}';
}

static bool take_param(struct route_match *match, const char *pattern, size_t pattern_len,
		       const char *value, size_t value_len)
{
	if (value_len == 0 || match->n_params == ROUTE_PARAMS_MAX)
		return false;
	match->params[match->n_params++] = (struct route_param){
		.name = pattern + 1,
		.name_len = pattern_len - 2,
		.value = value,
		.value_len = value_len,
	};
	return true;
}

/* Segment by segment: a parameter takes one that is not empty, a literal itself. */
static bool path_fits(const char *pattern, const char *path, struct route_match *match)
{
	match->n_params = 0;
	while (*pattern == '/' && *path == '/') {
		size_t want = segment_len(++pattern), have = segment_len(++path);

		if (is_param(pattern, want)) {
			if (!take_param(match, pattern, want, path, have))
				return false;
		} else if (want != have || memcmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return *pattern == '\0' && *path == '\0';
}

static bool method_fits(const char *row, const char *method)
{
	return strcmp(row, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(row, "GET") == 0);
}

static void allow_also(char allow[ROUTE_ALLOW_MAX], const char *method)
{
	size_t len = strlen(allow);

	if (strstr(allow, method) == NULL)
		snprintf(allow + len, ROUTE_ALLOW_MAX - len, "%s%s%s", len > 0 ? ", " : "", method,
			 strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

void route_find(const struct http_route *routes, const char *method, const char *path,
		struct route_match *match)
{
	memset(match, 0, sizeof(*match));
	for (const struct http_route *route = routes; route->method != NULL; route++) {
		if (!path_fits(route->path, path, match))
			continue;
		if (method_fits(route->method, method)) {
			match->route = route;
			return;
		}
		allow_also(match->allow, route->method);
	}
}
