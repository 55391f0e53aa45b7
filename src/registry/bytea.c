/* SPDX-License-Identifier: Apache-2.0 */
#include "bytea.h"

#include <stdio.h>

void bytea_text(const uint8_t *bytes, size_t len, char *text)
{
	text[0] = '\\';
	text[1] = 'x';
	text[2] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", bytes[i]);
}
