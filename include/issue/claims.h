/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signed bytes of an SPC token: a pure function of its ledger row (form, claims, kid's x5u).
 * RFC 9447 section 3, RFC 9448 section 5; the 2017 form: ATIS-1000080 (2017) section 6.3.4.
 */
#ifndef ISSUE_CLAIMS_H
#define ISSUE_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uuid.h"
#include "ipc/order.h"
#include "jose/jws.h"

/* Optional claims of the atc form, by policy (policy.token_claims); off by default. */
enum { CLAIM_ISS = 1, CLAIM_IAT = 2, CLAIM_NBF = 4 };

struct token_claims {
	enum token_form form;
	uint8_t optional; /* CLAIM_* of the atc form */
	uint8_t jti[16];
	int64_t iat, exp; /* Unix seconds */
	bool ca;
	const char *spc; /* the 2017 form's sub */
	const char *tkvalue;
	const char *fingerprint;
	const char *iss; /* with CLAIM_ISS */
	const char *x5u;
};

/* Write the signing input and its digest.  Header exactly alg, typ, x5u; payload in the order of
 * the standards' examples.  ERROR_INTERNAL when a text holds a byte that JSON would escape: our
 * own checks let none through. */
bool token_claims_encode(const struct token_claims *claims, struct jws *jws, uint8_t digest[32],
			 struct error *error) MUST_CHECK;

#endif
