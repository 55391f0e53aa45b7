/* SPDX-License-Identifier: Apache-2.0 */
/* The harness, with TLS: files for the server, and clients that speak it. */
#ifndef TESTS_HTTP_HARNESS_TLS_H
#define TESTS_HTTP_HARNESS_TLS_H

#include "harness.h"

struct tls_files {
	char folder[32], chain[64], key[64], other_key[64];
};
extern struct tls_files tls_files;

int tls_files_make(void);
int tls_files_remove(void);

void start_tls(const struct http_limits *limits);
void start_tls_behind(const struct http_limits *limits, const char *proxy);

struct client_tls {
	int version; /* the highest; 0: any */
	const char *ciphers, *groups;
	const char *protocols; /* ALPN, as on the wire */
	const char *server_name;
	SSL_SESSION *session;
	bool old; /* offers TLS 1.1 */
};

/* True when the handshake came to an end. */
bool client_handshake(struct client *c, const struct client_tls *how);
bool client_secure(struct client *c, const struct client_tls *how); /* is connected already */

#endif
