/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TNAuthorizationList, RFC 8226 section 9, as SHAKEN uses it (ATIS-1000080): one service provider
 * code (SPC) and nothing else.
 *
 * An SPC token carries exactly one SPC.  This module turns it into the DER bytes of the list,
 * and checks DER that a client sent.
 */
#ifndef ASN1_TNAUTHLIST_H
#define ASN1_TNAUTHLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SPC_MAX		   16
#define TNAUTHLIST_DER_MAX (SPC_MAX + 6) /* three tags with a length of one byte */

struct tnauthlist {
	char spc[SPC_MAX + 1];
};

/* What is wrong with the bytes of a list, in the order of checking. */
enum tnauthlist_fault {
	TNAUTHLIST_GOOD = 0,
	TNAUTHLIST_NOT_DER,	  /* not this ASN.1 at all */
	TNAUTHLIST_NOT_CANONICAL, /* BER, or bytes after the list */
	TNAUTHLIST_ENTRIES,	  /* none, or more than one */
	TNAUTHLIST_NOT_SPC,	  /* a telephone number, or a range of them */
	TNAUTHLIST_SPC,		  /* the SPC is malformed */
	TNAUTHLIST_FAULT_COUNT
};

/* One to SPC_MAX digits and upper-case letters (ATIS-1000080 v005).  Lower case is refused, never
 * folded: the SPC is signed as it stands. */
bool spc_is_well_formed(const char *spc, size_t len);

/* Encode @list to DER in the caller's buffer. */
bool tnauthlist_encode(const struct tnauthlist *list, uint8_t der[TNAUTHLIST_DER_MAX], size_t *len,
		       struct error *error) MUST_CHECK;

/* Decode canonical DER.  Accept one list that holds one SPC, and every byte of the input.  @list
 * is filled only when the bytes are good. */
enum tnauthlist_fault tnauthlist_check(const uint8_t *der, size_t len,
				       struct tnauthlist *list) MUST_CHECK;

/* The same; a fault is ERROR_INVALID. */
bool tnauthlist_decode(const uint8_t *der, size_t len, struct tnauthlist *list,
		       struct error *error) MUST_CHECK;

#endif
