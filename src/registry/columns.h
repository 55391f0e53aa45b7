/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as people and scripts read them, where more than one query shows them. */
#ifndef REGISTRY_COLUMNS_H
#define REGISTRY_COLUMNS_H

/* The bits of optional_claims by name, as an array. */
#define CLAIMS_COLUMN                                                                              \
	"array_remove(ARRAY[CASE WHEN optional_claims::int & 1 <> 0 THEN 'iss' END,"               \
	" CASE WHEN optional_claims::int & 2 <> 0 THEN 'iat' END,"                                 \
	" CASE WHEN optional_claims::int & 4 <> 0 THEN 'nbf' END], NULL) AS claims"

#define POLICY_COLUMNS                                                                             \
	"version, begins, token_life, " CLAIMS_COLUMN ", issuer, form_2017, access_life"

#endif
