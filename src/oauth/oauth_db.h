/* SPDX-License-Identifier: Apache-2.0 */
/* All SQL about access tokens: what is asked, an array for each parameter, and how rows are read.
 */
#ifndef OAUTH_OAUTH_DB_H
#define OAUTH_OAUTH_DB_H

#include "access.h"

extern const struct db_statement oauth_keys, oauth_hashes, oauth_grants, oauth_revocations,
	oauth_reports;
extern const enum db_type oauth_keys_arrays[], oauth_hashes_arrays[], oauth_grants_arrays[],
	oauth_revocations_arrays[], oauth_reports_arrays[];

/* Parameters before the arrays: grant_tokens() has this node's clock. */
#define OAUTH_GRANTS_SCALARS 1

void oauth_keys_add(const struct access *access, struct db_array *arrays);
void oauth_hashes_add(const struct access *access, struct db_array *arrays);
void oauth_grants_add(const struct access *access, struct db_array *arrays);
void oauth_revocations_add(const struct access *access, struct db_array *arrays);
void oauth_reports_add(const struct access *access, struct db_array *arrays);

/* The rows of the access: false without a key, without a hash. */
bool oauth_key_read(struct access *access, const uint8_t **spki, size_t *len);
bool oauth_hash_read(struct access *access);
bool oauth_grant_read(struct access *access, struct error *error) MUST_CHECK;
bool oauth_revocation_read(struct access *access, struct error *error) MUST_CHECK;
bool oauth_report_read(struct access *access, struct error *error) MUST_CHECK;

#endif
