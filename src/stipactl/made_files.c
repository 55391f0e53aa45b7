/* SPDX-License-Identifier: Apache-2.0 */
#include "made_files.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/key_file.h"
#include "crypto/x509.h"

static void made_add(struct made_files *made, const char *path, bool is_folder)
{
	snprintf(made->path[made->n], PATH_MAX, "%s", path);
	made->is_folder[made->n++] = is_folder;
}

void made_files_remove(const struct made_files *made)
{
	for (int i = made->n - 1; i >= 0; i--)
		if (made->is_folder[i])
			rmdir(made->path[i]);
		else
			unlink(made->path[i]);
}

bool path_make(char path[PATH_MAX], struct error *error, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(path, PATH_MAX, fmt, ap);
	va_end(ap);
	return (len >= 0 && len < PATH_MAX) || error_set(error, ERROR_INVALID, "path is too long");
}

bool make_folder(struct made_files *made, const char *path, mode_t mode, struct error *error)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		made_add(made, path, true);
		return true;
	}
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
}

bool make_key_file(struct made_files *made, const char *path, EVP_PKEY *key,
		   const struct secret *passphrase, struct error *error)
{
	if (!key_file_write(path, key, passphrase, error))
		return false;
	made_add(made, path, false);
	return true;
}

bool make_certificate_file(struct made_files *made, const char *path, X509 *first, X509 *second,
			   struct error *error)
{
	STACK_OF(X509) *chain = sk_X509_new_null(); /* of borrowed certificates */
	bool ok = chain != NULL && sk_X509_push(chain, first) > 0 &&
		  (second == NULL || sk_X509_push(chain, second) > 0);

	ok = ok ? x509_chain_write(path, chain, error)
		: error_set(error, ERROR_UNAVAILABLE, "no memory");
	sk_X509_free(chain);
	if (ok)
		made_add(made, path, false);
	return ok;
}
