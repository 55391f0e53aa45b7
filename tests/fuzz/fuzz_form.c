/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an OAuth request: what is taken has no parameter twice, and no control byte; and how
 * the client says who it is. */
#include <stdlib.h>
#include <string.h>

#include "edge/client_auth.h"
#include "edge/form.h"
#include "edge/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct form *form, const char *body, size_t size)
{
	for (size_t i = 0; i < form->n; i++) {
		const char *name = form->parameters[i].name, *value = form->parameters[i].value;

		require(name >= body && name + strlen(name) <= body + size);
		for (const char *c = value; *c != '\0'; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
		for (size_t j = 0; j < i; j++)
			require(strcmp(name, form->parameters[j].name) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const audiences[] = { "https://pa.example", NULL };
	const struct client_auth_context context = { "demo", audiences, 1767225600 };
	char *body = malloc(size + 1);
	struct client_proof proof;
	struct error error = { 0 };
	struct form form;
	uint8_t scopes;

	require(body != NULL);
	if (size > 0)
		memcpy(body, data, size);
	if (form_parse(body, size, &form, &error)) {
		check(&form, body, size);
		if (scope_parse(form_value(&form, "scope"), &scopes))
			require((scopes & ~SCOPE_ALL) == 0);
		if (client_auth_read(form_value(&form, "authorization"), &form, &context, &proof,
				     &error))
			require(proof.method == METHOD_SECRET || proof.method == METHOD_ASSERTION);
	} else {
		require(error.kind == ERROR_INVALID);
	}
	free(body);
	return 0;
}
