/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold, or stand beside, secrets. */
#ifndef CRYPTO_FILES_H
#define CRYPTO_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Open a regular file that nobody but its owner may read (or a systemd credential).  Returns the
 * descriptor, or -1 with ERROR_INVALID. */
int private_file_open(const char *path, struct error *error) MUST_CHECK;

/* Make a file that is not there yet, and sync it and its folder.  A failure leaves no file. */
bool new_file_write(const char *path, const void *bytes, size_t len, mode_t mode,
		    struct error *error) MUST_CHECK;

#endif
