/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL in the manner of the house: handles that free themselves, failures as struct error. */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/error.h"

/* Report @kind with the reason that OpenSSL gives, empty its error queue, return false.  No
 * reason of OpenSSL's holds a secret. */
#define error_openssl(e, kind, ...)                                                                \
	error_openssl_at((e), (kind), __FILE__ ":" ERROR_STR(__LINE__), __VA_ARGS__)

bool error_openssl_at(struct error *e, enum error_kind kind, const char *where, const char *fmt,
		      ...) __attribute__((format(printf, 4, 5)));

/* For PEM_read_…(): what is encrypted in the old form of PEM is refused, nobody is asked. */
int no_passphrase(char *buf, int size, int writing, void *arg);

#define OPENSSL_AUTO(type, free_fn)                                                                \
	static inline void free_fn##p(type **handle)                                               \
	{                                                                                          \
		free_fn(*handle);                                                                  \
	}

static inline void X509_stack_free(STACK_OF(X509) * stack)
{
	sk_X509_pop_free(stack, X509_free);
}

OPENSSL_AUTO(BIO, BIO_free_all)
OPENSSL_AUTO(EVP_PKEY, EVP_PKEY_free)
OPENSSL_AUTO(X509, X509_free)
OPENSSL_AUTO(STACK_OF(X509), X509_stack_free)

#define BIO_auto	BIO __attribute__((cleanup(BIO_free_allp)))
#define EVP_PKEY_auto	EVP_PKEY __attribute__((cleanup(EVP_PKEY_freep)))
#define X509_auto	X509 __attribute__((cleanup(X509_freep)))
#define X509_stack_auto STACK_OF(X509) __attribute__((cleanup(X509_stack_freep)))

#endif
