/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What x5u names: the PEM chains of the signers, signer first.  Read once at start and served from
 * memory, byte for byte; verifiers keep them as long as they are told to.
 */
#ifndef EDGE_CERTIFICATES_H
#define EDGE_CERTIFICATES_H

#include <stddef.h>

#include "base/error.h"

struct certificate_store;
struct http_request;
struct log;

/* Load every NAME.pem of @folder (NULL: none) and @signer, the chain of the token signer, which is
 * served under its own file name as well.  A file that is not a chain of certificates, holds a
 * private key or has an odd name is left out with a line in the log; the signer's is an error. */
struct certificate_store *certificate_store_load(const char *folder, const char *signer,
						 const struct log *log,
						 struct error *error) MUST_CHECK;
size_t certificate_store_size(const struct certificate_store *store);
void certificate_store_free(struct certificate_store *store);

/* GET …/certs/{name}, where name is kid.pem; GET …/certificate/{name}, where it is kid.crt; GET
 * …/cert.crt, the current signer's. */
void certificate_handle(struct http_request *http, void *services);
void certificate_download_handle(struct http_request *http, void *services);
void certificate_signer_handle(struct http_request *http, void *services);

#endif
