/* SPDX-License-Identifier: Apache-2.0 */
/* A client's assertion: the input is a compact JWS, or, with a line break, header and claims that
 * are put together to one here.  What is taken keeps the rules when it is looked at again. */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "edge/assertion.h"

#define NOW 1767225600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static char *put_together(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	const uint8_t sig[64] = { 1 };
	char *text = malloc(2 * size + 128), *at = text;

	require(text != NULL);
	if (line == NULL) {
		memcpy(text, data, size);
		text[size] = '\0';
		return text;
	}
	at += base64url_encode(data, (size_t)(line - data), at);
	*at++ = '.';
	at += base64url_encode(line + 1, size - (size_t)(line - data) - 1, at);
	*at++ = '.';
	base64url_encode(sig, sizeof(sig), at);
	return text;
}

static void check(const struct assertion *assertion)
{
	require(assertion->client[0] != '\0' &&
		strnlen(assertion->client, sizeof(assertion->client)) <= ASSERTION_TEXT_MAX);
	require(assertion->jti[0] != '\0' &&
		strnlen(assertion->jti, sizeof(assertion->jti)) <= ASSERTION_TEXT_MAX);
	require(strnlen(assertion->kid, sizeof(assertion->kid)) <= ASSERTION_TEXT_MAX);
	require(strspn(assertion->client, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_-") == strlen(assertion->client));
	require(assertion->exp > NOW && assertion->exp <= NOW + ASSERTION_AHEAD_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const audiences[] = { "https://pa.example", NULL };
	char *text = put_together(data, size);
	struct assertion assertion;
	struct error error = { 0 };

	if (assertion_parse(text, audiences, NOW, &assertion, &error))
		check(&assertion);
	else
		require(error.kind == ERROR_UNAUTHORIZED);
	free(text);
	return 0;
}
