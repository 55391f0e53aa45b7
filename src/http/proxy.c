/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy.h"

#include <string.h>

/* The PROXY protocol, version 2, section 2.2: where things stand. */
enum {
	AT_COMMAND = 12, /* version in the upper half of the byte */
	AT_FAMILY = 13,
	AT_LENGTH = 14, /* of what follows, two bytes */
	AT_ADDRESSES = 16,
};

enum { VERSION_2_LOCAL = 0x20, VERSION_2_PROXY = 0x21 };

static const uint8_t signature[AT_COMMAND] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					       0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* Address families that are ours, with source and destination, each with its port. */
static const struct family {
	uint8_t byte;
	size_t address_len, addresses_len;
} families[] = {
	{ 0x11, 4, 12 },  /* TCP over IPv4 */
	{ 0x21, 16, 36 }, /* TCP over IPv6 */
};

static const struct family *family_of(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].byte == byte)
			return &families[i];
	return NULL;
}

static enum proxy_result bad(struct proxy_header *header, const char *why)
{
	header->why = why;
	return PROXY_BAD;
}

/* False for an address that nobody has. */
static bool take_source(const uint8_t *address, size_t len, struct proxy_header *header)
{
	static const uint8_t none[16];

	if (memcmp(address, none, len) == 0)
		return false;
	if (len == 4)
		header->source[10] = header->source[11] = 0xff;
	memcpy(header->source + 16 - len, address, len);
	return true;
}

/* The fixed part, as far as it is there. */
static enum proxy_result check_beginning(const uint8_t *bytes, size_t len,
					 struct proxy_header *header)
{
	if (memcmp(bytes, signature, len < sizeof(signature) ? len : sizeof(signature)) != 0)
		return bad(header, "not a PROXY protocol header of version 2");
	if (len <= AT_COMMAND)
		return PROXY_MORE;
	if (bytes[AT_COMMAND] != VERSION_2_LOCAL && bytes[AT_COMMAND] != VERSION_2_PROXY)
		return bad(header, "neither LOCAL nor PROXY of version 2");
	header->local = bytes[AT_COMMAND] == VERSION_2_LOCAL;
	if (len <= AT_FAMILY)
		return PROXY_MORE;
	if (!header->local && family_of(bytes[AT_FAMILY]) == NULL)
		return bad(header, "neither TCP over IPv4 nor over IPv6");
	if (len < AT_ADDRESSES)
		return PROXY_MORE;
	header->len = AT_ADDRESSES + ((size_t)bytes[AT_LENGTH] << 8 | bytes[AT_LENGTH + 1]);
	if (header->len > PROXY_HEADER_MAX)
		return bad(header, "longer than 536 bytes");
	/* analyzer: another family was refused above */
	if (!header->local &&
	    header->len < AT_ADDRESSES + family_of(bytes[AT_FAMILY])->addresses_len)
		return bad(header, "too short for its addresses");
	return PROXY_COMPLETE;
}

enum proxy_result proxy_parse(const void *bytes, size_t len, struct proxy_header *header)
{
	const uint8_t *at = bytes;
	enum proxy_result result;

	*header = (struct proxy_header){ .len = AT_ADDRESSES };
	result = check_beginning(at, len, header);
	if (result != PROXY_COMPLETE)
		return result;
	if (len < header->len)
		return PROXY_MORE;
	/* analyzer: check_beginning refuses another family */
	if (!header->local &&
	    !take_source(at + AT_ADDRESSES, family_of(at[AT_FAMILY])->address_len, header))
		return bad(header, "the source is no address");
	return PROXY_COMPLETE;
}
