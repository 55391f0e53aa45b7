/* SPDX-License-Identifier: Apache-2.0 */
/* A node's mark as texts. */
#ifndef STIPACTL_MARK_TEXT_H
#define STIPACTL_MARK_TEXT_H

#include "base/uuid.h"
#include "mark/mark.h"

#define MARK_AT_MAX 32

struct mark_text {
	char jti[UUID_TEXT_LEN + 1];	/* empty: no token yet */
	char ledger[UUID_TEXT_LEN + 1]; /* empty: none yet */
	char at[MARK_AT_MAX];		/* when that token was made; empty: none */
};

/* Of the node's state folder.  ERROR_NOT_FOUND: it has no mark. */
bool mark_text_read(const char *folder, struct mark_text *text, struct error *error) MUST_CHECK;

/* NULL instead of an empty text: for SQL. */
const char *mark_text_or_null(const char *text);

#endif
