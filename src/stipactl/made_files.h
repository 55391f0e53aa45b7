/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command makes, so that one that fails leaves none.  Nothing is overwritten. */
#ifndef STIPACTL_MADE_FILES_H
#define STIPACTL_MADE_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include <openssl/x509.h>

#include "base/error.h"
#include "crypto/secret.h"

enum { MADE_MAX = 6 };

struct made_files {
	char path[MADE_MAX][PATH_MAX];
	bool is_folder[MADE_MAX];
	int n;
};

bool path_make(char path[PATH_MAX], struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) MUST_CHECK;

/* One that is there already will do, and stays. */
bool make_folder(struct made_files *made, const char *path, mode_t mode,
		 struct error *error) MUST_CHECK;
bool make_key_file(struct made_files *made, const char *path, EVP_PKEY *key,
		   const struct secret *passphrase, struct error *error) MUST_CHECK;
/* @second may be NULL. */
bool make_certificate_file(struct made_files *made, const char *path, X509 *first, X509 *second,
			   struct error *error) MUST_CHECK;

void made_files_remove(const struct made_files *made);

#endif
