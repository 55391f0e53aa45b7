/* SPDX-License-Identifier: Apache-2.0 */
/* Lists by comma, as an operator writes them. */
#ifndef STIPACTL_LISTS_H
#define STIPACTL_LISTS_H

#include <stddef.h>

#include "base/error.h"

#define FINGERPRINTS_MAX      64
#define FINGERPRINTS_TEXT_MAX (FINGERPRINTS_MAX * 65)

/* Fingerprints in any spelling that clients use ("SHA256 AA:BB:…", the same without the word, 64
 * hexadecimals, the 43 characters of a thumbprint) to hexadecimals by comma. */
bool fingerprints_read(const char *list, char hex[FINGERPRINTS_TEXT_MAX],
		       struct error *error) MUST_CHECK;

/* "spc-token,revoke" or "none" to the sum of the bits; -1 when it is neither. */
int scopes_read(const char *list);

bool check_fingerprints(const char *text, struct error *error); /* or "any" */
bool check_networks(const char *text, struct error *error);	/* or "everywhere" */
bool check_scopes(const char *text, struct error *error);

#endif
