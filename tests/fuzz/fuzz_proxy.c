/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held)
{
	if (!held)
		abort();
}

static int is_all_zero(const uint8_t address[16])
{
	static const uint8_t none[16];

	return memcmp(address, none, sizeof(none)) == 0;
}

/* Reading what is wanted, and no more, ends exactly with the header; a beginning that was judged is
 * judged the same with all that follows; nobody becomes the local socket. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum proxy_result said = PROXY_MORE;
	struct proxy_header first = { 0 }, header;
	size_t wanted = 0;

	for (size_t n = 0; n <= size && n <= PROXY_HEADER_MAX + 2; n++) {
		enum proxy_result result = proxy_parse(data, n, &header);

		must(said == PROXY_MORE ||
		     (result == said && memcmp(&header, &first, sizeof(header)) == 0));
		if (result == PROXY_MORE)
			must(header.len > n && header.len >= wanted &&
			     header.len <= PROXY_HEADER_MAX);
		if (result == PROXY_COMPLETE) {
			must(header.len <= n && (said == PROXY_COMPLETE || header.len == n));
			must(header.local == is_all_zero(header.source));
		}
		must((result == PROXY_BAD) == (header.why != NULL));
		wanted = header.len;
		said = result;
		first = header;
	}
	return 0;
}
