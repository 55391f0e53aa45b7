/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cidr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#define IPV4_AT 12 /* in the 16 bytes */

static const uint8_t mapped[IPV4_AT] = { [10] = 0xff, [11] = 0xff };

bool address_is_ipv4(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static bool parse_address(const char *text, struct cidr *cidr)
{
	cidr->ipv4 = strchr(text, ':') == NULL;
	if (!cidr->ipv4)
		return inet_pton(AF_INET6, text, cidr->address) == 1 &&
		       !address_is_ipv4(cidr->address);
	memcpy(cidr->address, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, cidr->address + IPV4_AT) == 1;
}

/* Without a sign, a blank or a zero in front; -1: none. */
static int parse_length(const char *text, int max)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 3 || text[len] != '\0' || (len > 1 && text[0] == '0'))
		return -1;
	return atoi(text) <= max ? atoi(text) : -1;
}

static bool bit_of(const uint8_t address[16], unsigned int i)
{
	return (address[i / 8] >> (7 - i % 8)) & 1;
}

static bool is_clear_beyond(const struct cidr *cidr)
{
	for (unsigned int i = cidr->bits; i < 128; i++)
		if (bit_of(cidr->address, i))
			return false;
	return true;
}

bool cidr_parse(const char *text, struct cidr *cidr, struct error *error)
{
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char address[INET6_ADDRSTRLEN];
	int length, max;

	*cidr = (struct cidr){ 0 };
	snprintf(address, sizeof(address), "%.*s", (int)len, text);
	if (len >= sizeof(address) || !parse_address(address, cidr))
		return error_set(error, ERROR_INVALID,
				 "want addresses: 192.0.2.0/24, 2001:db8::/32 or one address");
	max = cidr->ipv4 ? 32 : 128;
	length = slash == NULL ? max : parse_length(slash + 1, max);
	if (length < 0)
		return error_set(error, ERROR_INVALID, "want a prefix of 0 to %d bits", max);
	cidr->bits = (uint8_t)(128 - max + length);
	if (!is_clear_beyond(cidr))
		return error_set(error, ERROR_INVALID, "bits are set beyond the prefix of %d bits",
				 length);
	return true;
}

bool cidr_contains(const struct cidr *cidr, const uint8_t address[16])
{
	if (cidr->ipv4 != address_is_ipv4(address))
		return false;
	for (unsigned int i = 0; i < cidr->bits; i++)
		if (bit_of(cidr->address, i) != bit_of(address, i))
			return false;
	return true;
}
