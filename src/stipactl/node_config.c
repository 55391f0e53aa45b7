/* SPDX-License-Identifier: Apache-2.0 */
#include "node_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines of @text; answers how many. */
static size_t take_lines(char *text, json_t *faults, const char **first)
{
	size_t n = 0;
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		if (line[0] == '\0')
			continue;
		if (n++ == 0)
			*first = line;
		if (faults != NULL)
			json_array_append_new(faults, json_stringn_nocheck(line, strlen(line)));
	}
	return n;
}

struct config *node_config_load(const char *path, json_t *faults, struct error *error)
{
	char *text = NULL;
	const char *first = "no reason";
	size_t size = 0, n;
	FILE *into = open_memstream(&text, &size);
	struct config *config;

	if (into == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory");
		return NULL;
	}
	config = config_load(path, into);
	fclose(into);
	n = take_lines(text, faults, &first);
	if (config == NULL)
		error_set_code(error, ERROR_INVALID, "bad-configuration", "%s%s", first,
			       n > 1 ? " (and more: see 'stipactl config check')" : "");
	free(text);
	return config;
}
