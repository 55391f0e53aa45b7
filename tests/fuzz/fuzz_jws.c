/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS as received.  What is taken has one spelling: made again from its parts, it is the
 * same text. */
#include <stdlib.h>
#include <string.h>

#include "jose/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spelling(const char *text, const struct jws_parts *parts)
{
	struct error error = { 0 };
	struct jws jws;
	uint8_t digest[32];

	if (!jws_begin(&jws, parts->header, parts->payload, digest, &error))
		return; /* longer than what we make ourselves */
	if (!jws_finish(&jws, parts->sig, &error) || strcmp(jws.text, text) != 0 ||
	    memcmp(digest, parts->digest, sizeof(digest)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { 0 };
	struct jws_parts parts;
	char *text = malloc(size + 1);
	bool ok;

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	ok = jws_parse(text, &parts, &error);
	if (ok != (error.kind == ERROR_NONE))
		abort();
	if (ok)
		check_spelling(text, &parts);
	free(text);
	return 0;
}
