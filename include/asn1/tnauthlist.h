/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TNAuthorizationList, RFC 8226 section 9.
 *
 * An SPC token carries exactly one service provider code.  This module turns
 * that code into the DER bytes of the list, and checks DER that a client sent.
 */
#ifndef ASN1_TNAUTHLIST_H
#define ASN1_TNAUTHLIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SPC_MAX		   16
#define TNAUTHLIST_DER_MAX (SPC_MAX + 6) /* three tags with a length of one byte */

struct tnauthlist {
	char spc[SPC_MAX + 1];
};

/* Encode @list to DER in the caller's buffer. */
bool tnauthlist_encode(const struct tnauthlist *list, uint8_t der[TNAUTHLIST_DER_MAX], size_t *len,
		       struct error *error) MUST_CHECK;

/* Decode DER.  Accept one list that holds one service provider code, and every
 * byte of the input: a second entry, a telephone number or a trailing byte is
 * ERROR_INVALID. */
bool tnauthlist_decode(const uint8_t *der, size_t len, struct tnauthlist *list,
		       struct error *error) MUST_CHECK;

#endif
