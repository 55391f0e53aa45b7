/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization and Content-Type: texts as the head parser hands them on.  Only Basic credentials
 * have a digest. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "edge/token_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t nobody[32] = { 0 };
	uint8_t digest[32];
	char *header = malloc(size + 1);
	enum authorization kind;

	if (header == NULL)
		abort();
	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	kind = authorization_digest(header, digest);
	if (kind != AUTHORIZATION_BASIC && memcmp(digest, nobody, 32) != 0)
		abort();
	if (media_type_is_json(header) && strncasecmp(header, "application/json", 16) != 0)
		abort();
	free(header);
	return 0;
}
