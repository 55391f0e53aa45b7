/* SPDX-License-Identifier: Apache-2.0 */
/* A block of addresses: what is taken has one meaning, and each bit of it counts as it should. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool reads(const struct cidr *cidr, struct cidr *again)
{
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	struct error error = { 0 };

	require(inet_ntop(cidr->ipv4 ? AF_INET : AF_INET6, cidr->address + (cidr->ipv4 ? 12 : 0),
			  address, sizeof(address)) != NULL);
	snprintf(text, sizeof(text), "%s/%d", address, cidr->bits - (cidr->ipv4 ? 96 : 0));
	return cidr_parse(text, again, &error);
}

static void flip(uint8_t address[16], unsigned int bit)
{
	address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

static void check(const struct cidr *cidr)
{
	struct cidr again;

	require(cidr->bits <= 128 && (!cidr->ipv4 || cidr->bits >= 96));
	require(cidr->ipv4 == address_is_ipv4(cidr->address));
	require(reads(cidr, &again) && memcmp(&again, cidr, sizeof(again)) == 0);
	require(cidr_contains(cidr, cidr->address));
	for (unsigned int bit = 0; bit < 128; bit++) {
		struct cidr other = *cidr;

		flip(other.address, bit);
		require(cidr_contains(cidr, other.address) ==
			(bit >= cidr->bits && address_is_ipv4(other.address) == cidr->ipv4));
		require(bit < cidr->bits || !reads(&other, &again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct error error = { 0 };
	struct cidr cidr;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (cidr_parse(text, &cidr, &error)) {
		require(text[strspn(text, "0123456789abcdefABCDEF:./")] == '\0');
		require(strchr(text, '/') != NULL || cidr.bits == 128);
		check(&cidr);
	} else {
		require(error.kind == ERROR_INVALID);
	}
	free(text);
	return 0;
}
