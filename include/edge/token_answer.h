/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client gets with its token: {"status","message","token","crl","iss"}, strings only,
 * because deployed clients read it into a map of strings.  RFC 9448 section 5.5 wants token; the
 * rest is ATIS-1000080.
 *
 * Only SPC and token differ from answer to answer.  All else is written as JSON once, at the start:
 * writing all of it each time took a sixth of the edge's work for a token.
 */
#ifndef EDGE_TOKEN_ANSWER_H
#define EDGE_TOKEN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct config;
struct token_answer;

/* NULL with ERROR_INVALID when crl_url, crl_url_download or crl_issuer is not UTF-8: else every
 * answer would fail, after its token has been recorded. */
struct token_answer *token_answer_new(const struct config *config, struct error *error);
void token_answer_free(struct token_answer *answer);

/* The body, which the caller frees, and its length; @deployed says whose URL of the CRL.  NULL when
 * memory is out, or when a text has a byte that JSON would escape: neither SPC nor token has. */
char *token_answer_write(const struct token_answer *answer, bool deployed, const char *spc,
			 const char *token, size_t *len);

#endif
