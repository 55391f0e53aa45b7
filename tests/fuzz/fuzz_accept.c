/* SPDX-License-Identifier: Apache-2.0 */
/* Accept: one range that names the type is enough, where it stands does not matter, and nothing is
 * named that does not stand there. */
#define _GNU_SOURCE 1 /* strcasestr() */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/accept.h"

#define TYPE "application/jose+json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool names_between(const char *before, const char *text, const char *after)
{
	size_t size = strlen(before) + strlen(text) + strlen(after) + 1;
	char *joined = malloc(size);
	bool names;

	require(joined != NULL);
	snprintf(joined, size, "%s%s%s", before, text, after);
	names = accept_names(joined, TYPE);
	free(joined);
	return names;
}

/* Without quoted strings the ranges are what stands between commas. */
static bool one_of_them_names(const char *text)
{
	char *copy = strdup(text), *rest = copy, *range;
	bool names = false;

	require(copy != NULL);
	while ((range = strsep(&rest, ",")) != NULL)
		names = accept_names(range, TYPE) || names;
	free(copy);
	return names;
}

static void check(const char *text)
{
	bool names = accept_names(text, TYPE);

	require(!names || strcasestr(text, TYPE) != NULL);
	require(names_between("text/html;x=\"" TYPE ",\\\"\", ,", text, "") == names);
	require(names_between(TYPE ";q=0.00,", text, "") == names);
	require(names_between(TYPE " ;q=0.1,", text, ""));
	if (strchr(text, '"') != NULL)
		return;
	require(one_of_them_names(text) == names);
	require(names_between("", text, ", " TYPE));
	require(names_between("", text, "," TYPE ";x=y; q=0") == names);
	require(!names_between("x=\"", text, ""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	bool names;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	names = accept_names(text, TYPE);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	require(accept_names(text, TYPE) == names);
	free(text);
	return 0;
}
