/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_text.h"

#include <stdlib.h>

/* Into memory that is there already: nothing can be left out. */
char *json_text(const json_t *json)
{
	size_t len = json_dumpb(json, NULL, 0, JSON_COMPACT);
	char *text = len == 0 ? NULL : malloc(len + 1);

	if (text == NULL)
		return NULL;
	if (json_dumpb(json, text, len, JSON_COMPACT) != len) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}
