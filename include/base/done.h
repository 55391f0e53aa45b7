/* SPDX-License-Identifier: Apache-2.0 */
/* The one shape of a completion callback.  error->kind is ERROR_NONE on success;
 * the error belongs to the caller and lives for the length of the call. */
#ifndef BASE_DONE_H
#define BASE_DONE_H

#include "base/error.h"

typedef void (*done_fn)(void *arg, const struct error *error);

#endif
