/* SPDX-License-Identifier: Apache-2.0 */
/* The Accept field (RFC 9110 section 12.5.1), as far as a server that never answers 406 reads it.
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include <stdbool.h>

/* True when the value @accept names @media_type itself, in any case, with a q above 0.  Wildcards
 * and parameters other than q do not count. */
bool accept_names(const char *accept, const char *media_type);

#endif
