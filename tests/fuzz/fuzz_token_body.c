/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a token request: what is accepted is what will be signed, so it is looked at again
 * from the other side; what is refused leaves nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "edge/token_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_plain(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return len < size;
}

static void check_tkvalue(const struct order *order)
{
	struct tnauthlist list;
	uint8_t der[TNAUTHLIST_DER_MAX];
	size_t len;

	require(base64_decode_any(order->tkvalue, strlen(order->tkvalue), der, sizeof(der), &len));
	require(tnauthlist_check(der, len, &list) == TNAUTHLIST_GOOD);
	require(strcmp(list.spc, order->spc) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct order order = { 0 };
	enum order_defect defect = token_body_parse((const char *)data, size, &order);

	require(defect < DEFECT_COUNT && order.ca <= 1);
	require(is_plain(order.spc, sizeof(order.spc)));
	require(is_plain(order.tkvalue, sizeof(order.tkvalue)));
	require(is_plain(order.fingerprint, sizeof(order.fingerprint)));
	if (defect != DEFECT_NONE)
		require(order.spc[0] == 0 && order.tkvalue[0] == 0 && order.fingerprint[0] == 0);
	else if (order.form == TOKEN_FORM_ATC)
		check_tkvalue(&order);
	else
		require(order.form == TOKEN_FORM_2017 && !order.ca && order.tkvalue[0] == 0);
	return 0;
}
