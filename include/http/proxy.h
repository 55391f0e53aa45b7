/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of version 2 of the PROXY protocol, with which a proxy that passes bytes on says whose
 * they are.  A pure function of the bytes, as http/head.h.
 *
 * Taken is: LOCAL, whatever addresses it names; PROXY over TCP from an IPv4 or IPv6 address that is
 * one.  What follows the addresses is skipped; the whole has at most PROXY_HEADER_MAX bytes.
 * Everything else, also version 1, is bad.
 *
 * It promises that what it says about the first n bytes, once it is not "more", it says about any
 * continuation of them too.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_HEADER_MAX 536 /* what the specification wants every receiver to take */

struct proxy_header {
	size_t len; /* bytes of the header; while more are wanted, it has no fewer than these */
	const char *why;    /* when bad: a fixed sentence */
	bool local;	    /* the connection is the proxy's own, such as a check of health */
	uint8_t source[16]; /* whom else it is for: IPv4 as ::ffff:a.b.c.d, never all zero */
};

enum proxy_result { PROXY_MORE, PROXY_BAD, PROXY_COMPLETE };

enum proxy_result proxy_parse(const void *bytes, size_t len, struct proxy_header *header);

#endif
