/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/scope.h"

#include <string.h>

#include "ipc/access.h"

static const struct {
	const char *name;
	uint8_t bit;
} names[] = {
	{ "spc-token", SCOPE_SPC_TOKEN },
	{ "spc-token:ca", SCOPE_SPC_TOKEN_CA },
	{ "revoke", SCOPE_REVOKE },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static uint8_t bit_of(const char *name, size_t len)
{
	for (size_t i = 0; i < NAMES; i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return names[i].bit;
	return 0;
}

bool scope_parse(const char *text, uint8_t *scopes)
{
	*scopes = 0;
	while (text != NULL) {
		size_t len = strcspn(text, " ");
		uint8_t bit = bit_of(text, len);

		if (bit == 0)
			return false;
		*scopes |= bit;
		text = text[len] == '\0' ? NULL : text + len + 1;
	}
	return true;
}

void scope_write(uint8_t scopes, char text[SCOPE_TEXT_MAX + 1])
{
	char *at = text;

	*at = '\0';
	for (size_t i = 0; i < NAMES; i++) {
		if ((scopes & names[i].bit) == 0)
			continue;
		if (at > text)
			*at++ = ' ';
		at = stpcpy(at, names[i].name);
	}
}
