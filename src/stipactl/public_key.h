/* SPDX-License-Identifier: Apache-2.0 */
/* A client's public key on P-256 from a file: PEM ("BEGIN PUBLIC KEY") or one JWK. */
#ifndef STIPACTL_PUBLIC_KEY_H
#define STIPACTL_PUBLIC_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/client.h"

#define PUBLIC_KEY_KID_MAX 64

struct public_key {
	uint8_t spki[CLIENT_KEY_SPKI_LEN];
	char kid[PUBLIC_KEY_KID_MAX + 1]; /* the JWK's, or else the thumbprint of RFC 7638 */
};

/* ERROR_INVALID also for a private key: it does not belong here. */
bool public_key_read(const char *path, struct public_key *key, struct error *error) MUST_CHECK;
/* The same from its text, which ends with a NUL. */
bool public_key_parse(const char *text, struct public_key *key, struct error *error) MUST_CHECK;

#endif
