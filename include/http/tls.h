/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS of the public listener: 1.2 and 1.3, ECDHE with AEAD suites only, X25519 before P-256,
 * one stateless ticket under keys made by the monitor, ALPN "http/1.1" only, no compression, no
 * renegotiation, buffers released when idle.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"

#define TLS_TICKET_KEY_LEN 80 /* what SSL_CTX_set_tlsext_ticket_keys() takes */

/* Load the chain and its key (PEM files); the two must match.  @ticket_key is shared by all edges
 * of the node.  Free with SSL_CTX_free(). */
SSL_CTX *tls_server_context(const char *chain_file, const char *key_file,
			    const uint8_t ticket_key[TLS_TICKET_KEY_LEN],
			    struct error *error) MUST_CHECK;

#endif
