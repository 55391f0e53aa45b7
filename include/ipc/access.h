/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about access tokens and secrets: grant one, log in for one, take one back, report a
 * secret that has leaked.
 *
 * The rules of ipc/order.h hold: fixed size, no pointer, what is not used is zero, texts are
 * printable ASCII.  Who proves to be a client does so with a digest of a secret, or with an
 * assertion that the edge has parsed and the authority verifies: it never sees the JSON.
 */
#ifndef IPC_ACCESS_H
#define IPC_ACCESS_H

#include <assert.h>
#include <stdint.h>

#include "ipc/order.h"

#define CLIENT_ID_MAX	 64
#define KEY_ID_MAX	 64
#define ASSERTION_ID_MAX 64
#define USER_NAME_MAX	 64
#define PASSWORD_MAX	 128
#define ACCESS_TOKEN_MAX 63 /* stipa_<env>_at_, 43 characters, checksum */

/* Bits.  None of them in an order: whatever the client may have. */
enum scope {
	SCOPE_SPC_TOKEN = 1,	/* spc-token */
	SCOPE_SPC_TOKEN_CA = 2, /* spc-token:ca */
	SCOPE_REVOKE = 4,	/* revoke */
	SCOPE_ALL = 7,
};

/* How somebody says who he is; the numbers are those of grant_tokens() and revoke_tokens(). */
enum access_method {
	METHOD_SECRET = 1, /* a client: client_secret_basic, client_secret_post */
	METHOD_ASSERTION,  /* a client: private_key_jwt */
	METHOD_LOGIN,	   /* an API user, by the digest of a password that we made */
	METHOD_PASSWORD,   /* an API user, by a password of his own */
	METHOD_TOKEN,	   /* whoever holds the access token that is to be revoked */
};

/* A client's proof.  METHOD_SECRET has @credential; METHOD_ASSERTION has the rest, @kid empty when
 * the assertion names none; METHOD_TOKEN has nothing.  The members of the other methods are
 * zero. */
struct client_proof {
	int64_t exp;		  /* of the assertion, Unix seconds */
	uint8_t method;		  /* enum access_method */
	uint8_t credential[32];	  /* as in struct order */
	uint8_t input_digest[32]; /* SHA-256 of the assertion's signing input */
	uint8_t signature[64];	  /* ES256: r, s */
	char client[CLIENT_ID_MAX + 1];
	char kid[KEY_ID_MAX + 1];
	char jti[ASSERTION_ID_MAX + 1];
	uint8_t unused[4];
};

struct grant_order {
	struct client_proof proof; /* METHOD_SECRET or METHOD_ASSERTION */
	uint8_t scopes;		   /* enum scope; 0: none named */
	uint8_t unused[7];
	uint8_t peer[16];
	char request_id[REQUEST_ID_MAX + 1];
};

/* The method follows from the form of the password alone, never from the user.  A user's name with
 * bytes that are not printable ASCII, or too long, is nobody's, and is left empty. */
struct login_order {
	uint8_t method;	    /* METHOD_LOGIN or METHOD_PASSWORD */
	uint8_t digest[32]; /* METHOD_LOGIN: SHA-256("login" 0x00 user 0x00 password), else zero */
	uint8_t peer[16];
	char user[USER_NAME_MAX + 1];
	char request_id[REQUEST_ID_MAX + 1];
	uint8_t password_len;		/* METHOD_PASSWORD, else 0 */
	uint8_t password[PASSWORD_MAX]; /* any bytes */
};

/* To a grant and to a login. */
struct grant_answer {
	int64_t exp;	 /* of the access token, Unix seconds */
	uint8_t verdict; /* enum verdict; 0: granted.  With @failed set it says nothing */
	uint8_t scopes;	 /* that it has */
	uint8_t failed;	 /* 1: ERROR_UNAVAILABLE, try again later */
	char text[ACCESS_TOKEN_MAX + 1]; /* the access token */
	uint8_t unused[5];
};

struct revoke_order {
	struct client_proof proof; /* METHOD_SECRET, METHOD_ASSERTION or METHOD_TOKEN */
	uint8_t token[32];	   /* SHA-256("token" 0x00 token): what is to be revoked */
	uint8_t peer[16];
	char request_id[REQUEST_ID_MAX + 1];
};

/* One text that may be a secret of ours: those digests that its form allows, at least one; the
 * others are zero. */
struct report_order {
	uint8_t secret[32];   /* SHA-256("secret" 0x00 text): a client's secret */
	uint8_t token[32];    /* SHA-256("token" 0x00 text): an access token */
	uint8_t password[32]; /* SHA-256("secret" 0x00 text): a password that we made */
	uint8_t peer[16];
	char request_id[REQUEST_ID_MAX + 1];
};

/* To a revocation and to a report.  Whether there was such a token or secret is not told: an edge
 * that does not know it answers alike. */
struct access_answer {
	uint8_t verdict; /* enum verdict; 0: done.  With @failed set it says nothing */
	uint8_t failed;	 /* 1: ERROR_UNAVAILABLE, try again later */
};

static_assert(sizeof(struct client_proof) == 336, "a proof has one layout in every process");
static_assert(sizeof(struct grant_order) == 424, "a grant has one layout in every process");
static_assert(sizeof(struct login_order) == 307, "a login has one layout in every process");
static_assert(sizeof(struct grant_answer) == 80, "an answer has one layout in every process");
static_assert(sizeof(struct revoke_order) == 448, "a revocation has one layout in every process");
static_assert(sizeof(struct report_order) == 176, "a report has one layout in every process");
static_assert(sizeof(struct access_answer) == 2, "an answer has one layout in every process");

#endif
