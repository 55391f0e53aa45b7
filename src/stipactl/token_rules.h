/* SPDX-License-Identifier: Apache-2.0 */
/* A token judged as a strict STI-CA would, one named rule after the other; asks no network. */
#ifndef STIPACTL_TOKEN_RULES_H
#define STIPACTL_TOKEN_RULES_H

#include "crypto/x509.h"
#include "jose/jws.h"
#include "token_text.h"

struct token_check {
	const struct ctl *ctl;
	char text[TOKEN_TEXT_MAX + 2];
	struct jws_parts parts;
	json_t *header, *payload;
	const char *x5u;
	STACK_OF(X509) * chain, *roots;
	struct tnauthlist list;
};

/* Judge @check->text, with --root and --chain or --certs.  Adds a row for each rule to @rows: step,
 * result, rule, detail.  The first failure is the error. */
bool token_check_judge(struct token_check *check, json_t *rows, struct error *error) MUST_CHECK;
void token_check_clear(struct token_check *check);

#endif
