/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth_db.h"

#include <stdio.h>
#include <string.h>

static void add_text(struct db_array *array, const char *text)
{
	db_array_add(array, text, strlen(text));
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from == NULL ? "" : from);
}

/* ---- client_keys() ---- */

const struct db_statement oauth_keys = {
	.name = "client_keys",
	.sql = "SELECT n, kid, spki FROM stipa.client_keys($1::text[], $2::text[])",
	.params = 2,
	.result = DB_BINARY,
};

const enum db_type oauth_keys_arrays[] = { DB_TYPE_TEXT, DB_TYPE_TEXT };

void oauth_keys_add(const struct access *access, struct db_array *arrays)
{
	add_text(&arrays[0], access->proof.client);
	add_text(&arrays[1], access->proof.kid);
}

/* The kid may be one that the assertion did not name. */
bool oauth_key_read(struct access *access, const uint8_t **spki, size_t *len)
{
	if (PQgetisnull(access->rows, access->row, 2))
		return false;
	copy_text(access->proof.kid, sizeof(access->proof.kid),
		  db_text(access->rows, access->row, 1));
	*spki = (const uint8_t *)PQgetvalue(access->rows, access->row, 2);
	*len = (size_t)PQgetlength(access->rows, access->row, 2);
	return true;
}

/* ---- login_hash() ---- */

const struct db_statement oauth_hashes = {
	.name = "login_hash",
	.sql = "SELECT n, hash FROM stipa.login_hash($1::text[])",
	.params = 1,
	.result = DB_BINARY,
};

const enum db_type oauth_hashes_arrays[] = { DB_TYPE_TEXT };

void oauth_hashes_add(const struct access *access, struct db_array *arrays)
{
	add_text(&arrays[0], access->proof.client);
}

bool oauth_hash_read(struct access *access)
{
	const char *hash = db_text(access->rows, access->row, 1);

	if (hash == NULL || strlen(hash) > PASSWORD_HASH_MAX)
		return false;
	copy_text(access->hash, sizeof(access->hash), hash);
	return true;
}

/* ---- grant_tokens() ---- */

const struct db_statement oauth_grants = {
	.name = "grant_tokens",
	.sql = "SELECT n, verdict, exp, scopes, client, account"
	       " FROM stipa.grant_tokens(node_clock => $1::timestamptz, methods => $2::int2[],"
	       " digests => $3::bytea[], clients => $4::text[], kids => $5::text[],"
	       " assertion_jtis => $6::text[], assertion_exps => $7::int8[],"
	       " asked_scopes => $8::int2[], token_digests => $9::bytea[], peers => $10::bytea[],"
	       " request_ids => $11::text[])",
	.params = 11,
	.result = DB_BINARY,
};

/* The arrays in the order of the parameters.  Those of the proof come first, here and below. */
enum {
	GRANT_METHODS,
	GRANT_DIGESTS,
	GRANT_CLIENTS,
	GRANT_KIDS,
	GRANT_JTIS,
	GRANT_EXPS,
	GRANT_SCOPES,
	GRANT_TOKENS,
	GRANT_PEERS,
	GRANT_REQUESTS
};

const enum db_type oauth_grants_arrays[] = {
	[GRANT_METHODS] = DB_TYPE_INT2, [GRANT_DIGESTS] = DB_TYPE_BYTEA,
	[GRANT_CLIENTS] = DB_TYPE_TEXT, [GRANT_KIDS] = DB_TYPE_TEXT,
	[GRANT_JTIS] = DB_TYPE_TEXT,	[GRANT_EXPS] = DB_TYPE_INT8,
	[GRANT_SCOPES] = DB_TYPE_INT2,	[GRANT_TOKENS] = DB_TYPE_BYTEA,
	[GRANT_PEERS] = DB_TYPE_BYTEA,	[GRANT_REQUESTS] = DB_TYPE_TEXT,
};

static void add_proof(const struct client_proof *proof, struct db_array *arrays)
{
	db_array_add_int2(&arrays[GRANT_METHODS], proof->method);
	db_array_add(&arrays[GRANT_DIGESTS], proof->credential, sizeof(proof->credential));
	add_text(&arrays[GRANT_CLIENTS], proof->client);
	add_text(&arrays[GRANT_KIDS], proof->kid);
	add_text(&arrays[GRANT_JTIS], proof->jti);
	db_array_add_int8(&arrays[GRANT_EXPS], proof->exp);
}

void oauth_grants_add(const struct access *access, struct db_array *arrays)
{
	add_proof(&access->proof, arrays);
	db_array_add_int2(&arrays[GRANT_SCOPES], access->scopes);
	db_array_add(&arrays[GRANT_TOKENS], access->token, sizeof(access->token));
	db_array_add(&arrays[GRANT_PEERS], access->peer, sizeof(access->peer));
	add_text(&arrays[GRANT_REQUESTS], access->request_id);
}

static bool read_verdict(struct access *access, struct error *error)
{
	int64_t verdict;

	if (!db_int(access->rows, access->row, 1, &verdict, error))
		return false;
	if (verdict < 0 || verdict >= VERDICT_COUNT)
		return error_set(error, ERROR_INTERNAL, "unknown verdict %d", (int)verdict);
	access->verdict = (enum verdict)verdict;
	return true;
}

bool oauth_grant_read(struct access *access, struct error *error)
{
	if (!read_verdict(access, error))
		return false;
	copy_text(access->client, sizeof(access->client), db_text(access->rows, access->row, 4));
	copy_text(access->account, sizeof(access->account), db_text(access->rows, access->row, 5));
	if (access->verdict != VERDICT_ISSUED)
		return true;
	if (!db_int(access->rows, access->row, 2, &access->exp, error) ||
	    !db_int(access->rows, access->row, 3, &access->scopes_granted, error))
		return false;
	return (access->scopes_granted > 0 && access->scopes_granted <= SCOPE_ALL) ||
	       error_set(error, ERROR_INTERNAL, "unknown scopes %d", (int)access->scopes_granted);
}

/* ---- revoke_tokens() ---- */

const struct db_statement oauth_revocations = {
	.name = "revoke_tokens",
	.sql = "SELECT n, verdict"
	       " FROM stipa.revoke_tokens(methods => $1::int2[], digests => $2::bytea[],"
	       " clients => $3::text[], kids => $4::text[], assertion_jtis => $5::text[],"
	       " assertion_exps => $6::int8[], token_digests => $7::bytea[],"
	       " peers => $8::bytea[])",
	.params = 8,
	.result = DB_BINARY,
};

enum { REVOKE_TOKENS = GRANT_EXPS + 1, REVOKE_PEERS };

const enum db_type oauth_revocations_arrays[] = {
	[GRANT_METHODS] = DB_TYPE_INT2,	 [GRANT_DIGESTS] = DB_TYPE_BYTEA,
	[GRANT_CLIENTS] = DB_TYPE_TEXT,	 [GRANT_KIDS] = DB_TYPE_TEXT,
	[GRANT_JTIS] = DB_TYPE_TEXT,	 [GRANT_EXPS] = DB_TYPE_INT8,
	[REVOKE_TOKENS] = DB_TYPE_BYTEA, [REVOKE_PEERS] = DB_TYPE_BYTEA,
};

void oauth_revocations_add(const struct access *access, struct db_array *arrays)
{
	add_proof(&access->proof, arrays);
	db_array_add(&arrays[REVOKE_TOKENS], access->token, sizeof(access->token));
	db_array_add(&arrays[REVOKE_PEERS], access->peer, sizeof(access->peer));
}

bool oauth_revocation_read(struct access *access, struct error *error)
{
	return read_verdict(access, error);
}

/* ---- report_secrets() ---- */

const struct db_statement oauth_reports = {
	.name = "report_secrets",
	.sql = "SELECT n, hit::int::int2"
	       " FROM stipa.report_secrets($1::bytea[], $2::bytea[], $3::text[], $4::bytea[])",
	.params = 4,
	.result = DB_BINARY,
};

const enum db_type oauth_reports_arrays[] = { DB_TYPE_BYTEA, DB_TYPE_BYTEA, DB_TYPE_TEXT,
					      DB_TYPE_BYTEA };

void oauth_reports_add(const struct access *access, struct db_array *arrays)
{
	db_array_add(&arrays[0], access->secret, sizeof(access->secret));
	db_array_add(&arrays[1], access->token, sizeof(access->token));
	add_text(&arrays[2], access->request_id);
	db_array_add(&arrays[3], access->peer, sizeof(access->peer));
}

bool oauth_report_read(struct access *access, struct error *error)
{
	int64_t hit;

	if (!db_int(access->rows, access->row, 1, &hit, error))
		return false;
	access->hit = hit != 0;
	return true;
}
