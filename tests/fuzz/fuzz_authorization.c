/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization and Content-Type: texts as the head parser hands them on.  Only what was presented
 * has a digest. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "edge/authorization.h"
#include "edge/token_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t nobody[32] = { 0 };
	struct authorization who;
	char *header = malloc(size + 1);

	if (header == NULL)
		abort();
	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	authorization_read(header, "demo", &who);
	if (who.kind != authorization_kind_of(header))
		abort();
	if (who.kind == AUTHORIZATION_NONE &&
	    (memcmp(who.digest, nobody, 32) != 0 || who.foreign != NULL))
		abort();
	if (media_type_is_json(header) && strncasecmp(header, "application/json", 16) != 0)
		abort();
	free(header);
	return 0;
}
