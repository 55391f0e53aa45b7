/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/certificates.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "edge/services.h"
#include "http/request.h"

#define CHAIN_BYTES_MAX 65536
#define ETAG_LEN	(2 + SHA256_LEN * 2) /* in quotes */

struct certificate {
	struct certificate *next;
	char *name; /* kid.pem */
	char *pem;
	size_t len;
	char etag[ETAG_LEN + 1];
};

struct certificate_store {
	struct certificate *first;
	const struct certificate *signer; /* one of them */
};

/* ---- one file ---- */

static bool read_file(const char *path, char *bytes, size_t size, size_t *len, struct error *error)
{
	FILE *file = fopen(path, "re");
	bool whole;

	if (file == NULL)
		return error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	*len = fread(bytes, 1, size, file);
	whole = !ferror(file) && feof(file);
	fclose(file);
	return whole || error_set(error, ERROR_INVALID, "%s: unreadable or over %d bytes", path,
				  CHAIN_BYTES_MAX);
}

/* One block of PEM.  False at the end of them, or after a fault. */
static bool check_block(BIO *bio, const char *path, struct error *error)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	X509 *x509 = NULL;
	long len;

	if (!PEM_read_bio(bio, &name, &header, &der, &len)) {
		if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
			error_set(error, ERROR_INVALID, "%s: not PEM", path);
		return false;
	}
	p = der;
	if (strcmp(name, PEM_STRING_X509) == 0)
		x509 = d2i_X509(NULL, &p, len);
	if (x509 == NULL || p != der + len)
		error_set(error, ERROR_INVALID, "%s: holds what is not a certificate", path);
	X509_free(x509);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)len);
	return error->kind == ERROR_NONE;
}

/* @pem ends with a NUL. */
static bool check_chain(const char *pem, size_t len, const char *path, struct error *error)
{
	BIO *bio;
	int n = 0;

	if (strlen(pem) != len)
		return error_set(error, ERROR_INVALID, "%s: holds a NUL", path);
	if (strstr(pem, "PRIVATE KEY") != NULL)
		return error_set(error, ERROR_INVALID, "%s: holds a private key", path);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	ERR_set_mark();
	while (check_block(bio, path, error))
		n++;
	ERR_pop_to_mark();
	BIO_free(bio);
	if (error->kind != ERROR_NONE)
		return false;
	return n > 0 || error_set(error, ERROR_INVALID, "%s: no certificate in it", path);
}

static void certificate_free(struct certificate *certificate)
{
	if (certificate == NULL)
		return;
	free(certificate->name);
	free(certificate->pem);
	free(certificate);
}

static void set_etag(struct certificate *certificate)
{
	uint8_t digest[SHA256_LEN];
	char *p = certificate->etag;

	sha256(certificate->pem, certificate->len, digest);
	*p++ = '"';
	for (size_t i = 0; i < SHA256_LEN; i++)
		p += sprintf(p, "%02x", digest[i]);
	*p++ = '"';
}

static struct certificate *certificate_new(const char *name, const char *pem, struct error *error)
{
	struct certificate *certificate = calloc(1, sizeof(*certificate));

	if (certificate != NULL) {
		certificate->name = strdup(name);
		certificate->pem = strdup(pem);
	}
	if (certificate == NULL || certificate->name == NULL || certificate->pem == NULL) {
		certificate_free(certificate);
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	certificate->len = strlen(pem);
	set_etag(certificate);
	return certificate;
}

static struct certificate *certificate_load(const char *path, const char *name, struct error *error)
{
	char *pem = calloc(1, CHAIN_BYTES_MAX + 1);
	struct certificate *certificate = NULL;
	size_t len = 0;

	if (pem == NULL)
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
	else if (read_file(path, pem, CHAIN_BYTES_MAX, &len, error) &&
		 check_chain(pem, len, path, error))
		certificate = certificate_new(name, pem, error);
	free(pem);
	return certificate;
}

/* ---- the store ---- */

static const struct certificate *find(const struct certificate_store *store, const char *name)
{
	const struct certificate *certificate = store->first;

	while (certificate != NULL && strcmp(certificate->name, name) != 0)
		certificate = certificate->next;
	return certificate;
}

static void add(struct certificate_store *store, struct certificate *certificate)
{
	certificate->next = store->first;
	store->first = certificate;
}

/* NAME.pem of what may stand in a URL as it is. */
static bool is_file_name(const char *name)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(".pem") &&
	       strcmp(name + len - strlen(".pem"), ".pem") == 0 && strspn(name, bytes) == len;
}

static void load_entry(struct certificate_store *store, const char *folder, const char *name,
		       const struct log *log)
{
	struct error error = { 0 };
	struct certificate *certificate;
	char path[4096];

	if (name[0] == '.')
		return;
	if (!is_file_name(name)) {
		log_warning(log, "a file of the certificates folder is not served: its name",
			    LOG_TEXT("name", name));
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	certificate = certificate_load(path, name, &error);
	if (certificate == NULL)
		log_error(log, "a certificate is not served", LOG_TEXT("why", error.detail));
	else
		add(store, certificate);
}

static bool load_folder(struct certificate_store *store, const char *folder, const struct log *log,
			struct error *error)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return error_set(error, ERROR_INVALID, "%s: %s", folder, strerror(errno));
	while ((entry = readdir(dir)) != NULL)
		load_entry(store, folder, entry->d_name, log);
	closedir(dir);
	return true;
}

/* Two chains under one name would be one x5u with two meanings. */
static bool load_signer(struct certificate_store *store, const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct certificate *certificate;
	bool same;

	if (!is_file_name(name))
		return error_set(error, ERROR_INVALID, "%s: want NAME.pem", path);
	certificate = certificate_load(path, name, error);
	if (certificate == NULL)
		return false;
	store->signer = find(store, name);
	if (store->signer == NULL) {
		add(store, certificate);
		store->signer = certificate;
		return true;
	}
	same = strcmp(store->signer->etag, certificate->etag) == 0;
	certificate_free(certificate);
	return same ||
	       error_set(error, ERROR_CONFLICT, "%s: the folder to be served has another", path);
}

struct certificate_store *certificate_store_load(const char *folder, const char *signer,
						 const struct log *log, struct error *error)
{
	struct certificate_store *store = calloc(1, sizeof(*store));

	if (store == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	if ((folder != NULL && !load_folder(store, folder, log, error)) ||
	    !load_signer(store, signer, error)) {
		certificate_store_free(store);
		return NULL;
	}
	return store;
}

size_t certificate_store_size(const struct certificate_store *store)
{
	size_t n = 0;

	for (const struct certificate *c = store->first; c != NULL; c = c->next)
		n++;
	return n;
}

void certificate_store_free(struct certificate_store *store)
{
	struct certificate *next;

	if (store == NULL)
		return;
	for (struct certificate *c = store->first; c != NULL; c = next) {
		next = c->next;
		certificate_free(c);
	}
	free(store);
}

/* ---- requests ---- */

/* RFC 9110 section 13.1.2: "*", or tags by comma; a weak one compares like a strong one. */
static bool etag_matches(const char *list, const char *etag)
{
	if (list == NULL)
		return false;
	while (*list != '\0') {
		size_t len = strcspn(list, ", \t");

		if (len == 1 && *list == '*')
			return true;
		if (len > 2 && strncmp(list, "W/", 2) == 0) {
			list += 2;
			len -= 2;
		}
		if (len == strlen(etag) && strncmp(list, etag, len) == 0)
			return true;
		list += len;
		list += strspn(list, ", \t");
	}
	return false;
}

/* A day at least is what public checks of certificate repositories want.  Whatever Accept says,
 * there is one representation. */
static void reply_certificate(struct http_request *http, const struct certificate *certificate)
{
	const struct http_field fields[] = {
		{ "ETag", certificate->etag },
		{ "Cache-Control", "public, max-age=86400" },
		{ 0 },
	};
	struct http_reply reply = { .status = 304, .fields = fields, .store = true };

	if (!etag_matches(http_header(http, "if-none-match"), certificate->etag)) {
		reply.status = 200;
		reply.media_type = "application/pem-certificate-chain";
		reply.body = certificate->pem;
		reply.len = certificate->len;
	}
	http_reply(http, &reply);
}

static void reply_named(struct http_request *http, const struct services *services,
			const char *name)
{
	const struct certificate *certificate = find(services->certificates, name);
	struct error error = { 0 };

	if (certificate != NULL) {
		reply_certificate(http, certificate);
		return;
	}
	error_set_code(&error, ERROR_NOT_FOUND, "no-such-certificate", "no such certificate");
	http_reply_problem(http, &error, NULL);
}

void certificate_handle(struct http_request *http, void *arg)
{
	reply_named(http, arg, http_path_param(http, "name"));
}

/* What deployed clients call NAME.crt is our NAME.pem. */
void certificate_download_handle(struct http_request *http, void *arg)
{
	static const char crt[] = ".crt", pem[] = ".pem";
	const char *asked = http_path_param(http, "name");
	size_t len = strlen(asked);
	char name[256] = "";

	if (len > strlen(crt) && len < sizeof(name) &&
	    strcmp(asked + len - strlen(crt), crt) == 0) {
		memcpy(name, asked, len - strlen(crt));
		strcpy(name + len - strlen(crt), pem);
	}
	reply_named(http, arg, name);
}

void certificate_signer_handle(struct http_request *http, void *arg)
{
	const struct services *services = arg;

	reply_certificate(http, services->certificates->signer);
}
