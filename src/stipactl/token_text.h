/* SPDX-License-Identifier: Apache-2.0 */
/* A token as it was given, its parts, and the SPC in either form of it. */
#ifndef STIPACTL_TOKEN_TEXT_H
#define STIPACTL_TOKEN_TEXT_H

#include <jansson.h>
#include <stdint.h>

#include "asn1/tnauthlist.h"
#include "command.h"

#define TOKEN_TEXT_MAX	4096
#define TOKEN_WORDS_MAX 80

/* The operand TOKEN, or for "-" standard input; white space around it is not part of it. */
bool token_text_read(const struct ctl *ctl, char text[TOKEN_TEXT_MAX + 2],
		     struct error *error) MUST_CHECK;

/* A decoded part, by its @name for the error.  Gives to the caller. */
json_t *token_part_load(const char *name, const char *text, struct error *error) MUST_CHECK;

bool token_is_2017(const json_t *payload);
/* The SPC of either form; the atc form's list in canonical DER. */
bool token_spc(const json_t *payload, struct tnauthlist *list, struct error *error) MUST_CHECK;

/* "in 23 hours 12 minutes", "3 days 1 hour ago" */
void token_time_words(int64_t seconds, char words[TOKEN_WORDS_MAX]);

#endif
