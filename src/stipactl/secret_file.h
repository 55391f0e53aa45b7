/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret's way to a file: written whole to FILE.new (0600) before the database knows it, named
 * FILE once it is in force.  So neither a full disk nor a refusal costs the old secret.
 */
#ifndef STIPACTL_SECRET_FILE_H
#define STIPACTL_SECRET_FILE_H

#include "crypto/secret.h"

struct secret_file {
	const char *path; /* NULL: none is wanted, and every function does nothing */
	char new_path[4096];
};

bool secret_file_write(struct secret_file *file, const char *path, const struct secret *secret,
		       struct error *error) MUST_CHECK;
bool secret_file_keep(const struct secret_file *file, struct error *error) MUST_CHECK;
void secret_file_drop(const struct secret_file *file);

#endif
