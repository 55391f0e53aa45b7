/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as it is sent.  Not json_dumps(): where that has no memory to write a member's name, it
 * leaves the name out and goes on, and what it returns is not JSON (jansson issue 655).
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <jansson.h>

/* An object or array without white space; free() it.  NULL: no memory, or @json is NULL. */
char *json_text(const json_t *json);

#endif
