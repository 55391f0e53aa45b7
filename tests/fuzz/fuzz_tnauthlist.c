/* SPDX-License-Identifier: Apache-2.0 */
/* TNAuthList DER: what is accepted has one encoding only, and it is the bytes that came. */
#include <stdlib.h>
#include <string.h>

#include "asn1/tnauthlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tnauthlist list = { 0 };
	struct error error = { 0 };
	uint8_t der[TNAUTHLIST_DER_MAX];
	size_t len;

	if (tnauthlist_check(data, size, &list) != TNAUTHLIST_GOOD)
		return 0;
	if (!tnauthlist_encode(&list, der, &len, &error) || len != size ||
	    memcmp(der, data, len) != 0)
		abort();
	return 0;
}
