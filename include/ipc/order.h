/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge asks of the authority, and what it is told: the order for an SPC token.  Those
 * about access tokens and secrets stand in ipc/access.h.
 *
 * Both are of fixed size and hold no pointer, so the authority reads bytes from a process that
 * faces the internet without parsing anything: a length, then ranges.  Bytes that are not used
 * are zero; every text is printable ASCII and ends with a NUL within its array (ipc/message
 * checks it).  An account name with other bytes is nobody's, and is left empty.
 *
 * A malformed body is an order all the same, with a defect: the credentials are judged first, a
 * stranger learns nothing, and the refusal names its client.
 */
#ifndef IPC_ORDER_H
#define IPC_ORDER_H

#include <assert.h>
#include <stdint.h>

#include "asn1/tnauthlist.h"

#define ACCOUNT_REF_MAX 63  /* account name, alias or SPC, as it stands in the path */
#define TKVALUE_MAX	40  /* base64 of TNAUTHLIST_DER_MAX bytes, padded */
#define FINGERPRINT_MAX 103 /* "SHA256 " and 32 bytes as hex with colons */
#define REQUEST_ID_MAX	63
#define TOKEN_MAX	1535

enum order_kind { ORDER_ISSUE = 1 };

/* What the credential of an order is the digest of. */
enum order_presented {
	PRESENTED_SECRET = 0, /* Basic: SHA-256("basic" 0x00 client 0x00 secret) */
	PRESENTED_TOKEN = 1,  /* access token: SHA-256("token" 0x00 token) */
};

/* Which claims are signed. */
enum token_form {
	TOKEN_FORM_ATC = 1,  /* RFC 9448: exp, jti, atc */
	TOKEN_FORM_2017 = 2, /* ATIS-1000080 of 2017: sub, iat, nbf, exp, fingerprint (and jti) */
};

/* What is wrong with a body; ipc/verdict.c has the member, the rule and the sentence of each.
 * The numbers stand in token_refusal: append, never renumber. */
enum order_defect {
	DEFECT_NONE = 0,
	DEFECT_MEDIA_TYPE,
	DEFECT_JSON,
	DEFECT_DUPLICATE_MEMBER,
	DEFECT_NOT_AN_OBJECT,
	DEFECT_UNKNOWN_MEMBER,
	DEFECT_ATC_TYPE,
	DEFECT_TKTYPE_MISSING,
	DEFECT_TKTYPE_TYPE,
	DEFECT_TKTYPE_VALUE,
	DEFECT_TKVALUE_MISSING,
	DEFECT_TKVALUE_TYPE,
	DEFECT_TKVALUE_BASE64,
	DEFECT_TKVALUE_DER,
	DEFECT_TKVALUE_CANONICAL,
	DEFECT_TKVALUE_ENTRIES,
	DEFECT_TKVALUE_NOT_SPC,
	DEFECT_TKVALUE_SPC,
	DEFECT_CA_TYPE,
	DEFECT_FINGERPRINT_MISSING,
	DEFECT_FINGERPRINT_TYPE,
	DEFECT_FINGERPRINT_FORM,
	DEFECT_SPC_TYPE,
	DEFECT_SPC_FORM,
	DEFECT_CA_LITERAL,
	DEFECT_ATC_TWICE,
	DEFECT_TKTYPE_TWICE,
	DEFECT_TKVALUE_TWICE,
	DEFECT_CA_TWICE,
	DEFECT_FINGERPRINT_TWICE,
	DEFECT_SPC_TWICE,
	DEFECT_COUNT
};

/* The numbers are those that issue_tokens() and grant_tokens() answer (db/migrations) and that
 * token_refusal keeps: append, never renumber.  An order for an SPC token is never answered with
 * one of the last two, which are of ipc/access.h. */
enum verdict {
	VERDICT_ISSUED = 0,
	VERDICT_STRANGER, /* no such credential: unknown, wrong or revoked */
	VERDICT_CREDENTIAL_EXPIRED,
	VERDICT_CLIENT_DISABLED,
	VERDICT_NO_SUCH_ACCOUNT, /* unknown, or not this client's: told alike */
	VERDICT_ACCOUNT_NOT_ACTIVE,
	VERDICT_ACCOUNT_LAPSED,
	VERDICT_MALFORMED,	    /* the order's defect says how */
	VERDICT_FORM_NOT_PERMITTED, /* the 2017 form, where policy does not allow it */
	VERDICT_SPC_AMBIGUOUS, /* 2017 body without spc, account holds several: text names them */
	VERDICT_SPC_NOT_HELD,
	VERDICT_SPC_LAPSED,
	VERDICT_NO_DELEGATION,	     /* ca asked, no delegation in force for client and SPC */
	VERDICT_SIGNER_NOT_ACTIVE,   /* this node's key may not sign now */
	VERDICT_CLOCK,		     /* this node's clock and the database's disagree by over 2 s */
	VERDICT_ADDRESS_NOT_ALLOWED, /* the client may ask from other addresses only */
	VERDICT_FINGERPRINT_NOT_PINNED, /* the client has a list, and this one is not on it */
	VERDICT_INVALID_TOKEN,		/* access token: unknown, expired or revoked */
	VERDICT_INSUFFICIENT_SCOPE,	/* access token: good, and not for this */
	VERDICT_RATE,			/* the client asks too often */
	VERDICT_REPLAYED,		/* the assertion's jti has been used */
	VERDICT_SCOPE_NOT_PERMITTED,	/* the client may not have a scope that it asks for */
	VERDICT_COUNT
};

struct order {
	uint8_t kind;		/* enum order_kind */
	uint8_t form;		/* enum token_form */
	uint8_t defect;		/* enum order_defect */
	uint8_t ca;		/* 0 or 1 */
	uint8_t presented;	/* enum order_presented */
	uint8_t dry_run;	/* 1: judge only; no row, no signature */
	uint8_t credential[32]; /* digest of what was presented; all zero is a stranger's */
	uint8_t peer[16];	/* address asked from, IPv4 as ::ffff:a.b.c.d */
	char request_id[REQUEST_ID_MAX + 1];
	char account[ACCOUNT_REF_MAX + 1];
	char spc[SPC_MAX + 1]; /* of tkvalue, or of the 2017 body; empty: the account's only */
	char tkvalue[TKVALUE_MAX + 1]; /* as received, signed as received; empty in the 2017 form */
	char fingerprint[FINGERPRINT_MAX + 1]; /* as received, signed as received */
};

struct answer {
	int64_t exp;	 /* of the token, or of the one that a dry run would issue; Unix seconds */
	uint8_t verdict; /* enum verdict; with @failed set it says nothing */
	uint8_t defect;	 /* as in the order */
	uint8_t failed;	 /* 1: ERROR_UNAVAILABLE, try again later */
	char spc[SPC_MAX + 1];	  /* the SPC of the token */
	char text[TOKEN_MAX + 1]; /* the compact JWS, empty in a dry run; or, for SPC_AMBIGUOUS,
				   * the SPCs, by comma */
	uint8_t unused[4];
};

static_assert(sizeof(struct order) == 344, "an order has one layout in every process");
static_assert(sizeof(struct answer) == 1568, "an answer has one layout in every process");

#endif
