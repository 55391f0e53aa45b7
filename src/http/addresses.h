/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each address has: an IPv4 address for itself, IPv6 by its /56, which is
 * what one household or host has to give away. */
#ifndef HTTP_ADDRESSES_H
#define HTTP_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>

struct addresses; /* an empty set is NULL */

/* Count one more.  False when @address has @max already, or there is no memory. */
bool addresses_take(struct addresses **set, const uint8_t address[16], unsigned int max);
void addresses_give_back(struct addresses **set, const uint8_t address[16]);

#endif
