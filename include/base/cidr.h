/* SPDX-License-Identifier: Apache-2.0 */
/* A block of addresses (RFC 4632): "192.0.2.0/24", "2001:db8::/32", or one address by itself. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdint.h>

#include "base/error.h"

/* Addresses have 16 bytes in network order everywhere here, IPv4 as ::ffff:a.b.c.d. */
struct cidr {
	uint8_t address[16];
	uint8_t bits; /* of the 128 that count */
	bool ipv4;
};

/* ERROR_INVALID also when a bit is set beyond the prefix, as somebody then meant something else,
 * and for an IPv4 address that is written as IPv6. */
bool cidr_parse(const char *text, struct cidr *cidr, struct error *error) MUST_CHECK;

/* A block of IPv6 holds no IPv4 address, not even ::/0. */
bool cidr_contains(const struct cidr *cidr, const uint8_t address[16]);

bool address_is_ipv4(const uint8_t address[16]);

#endif
