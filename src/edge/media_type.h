/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Type, as far as this service reads it. */
#ifndef EDGE_MEDIA_TYPE_H
#define EDGE_MEDIA_TYPE_H

#include <stdbool.h>

/* Is @content_type @wanted, in any case, with nothing more than charset=utf-8? */
bool media_type_is(const char *content_type, const char *wanted);

#endif
