/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only code that touches a private key of the STI-PA.  A batch of digests in, signatures out
 * through a completion: a key file signs inline, an HSM will sign off the loop, and nothing above
 * sees the difference.
 */
#ifndef KEYS_SIGNER_H
#define KEYS_SIGNER_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/done.h"
#include "crypto/es256.h"

#define SIGNER_KID_MAX	 63
#define SIGNER_BATCH_MAX 256

struct event_base;
struct signer;

/* Open a key file and its certificate chain (PEM, signer first).  The two must match, and the
 * chain must hold together now.  The kid is the name of the certificate file without ".pem". */
struct signer *signer_open(struct event_base *base, const char *key_file,
			   const char *passphrase_file, const char *chain_file,
			   struct error *error) MUST_CHECK;
const char *signer_kid(const struct signer *signer);
/* SHA-256 of the signer certificate's DER: what signer_certificate.sha256 holds. */
const uint8_t *signer_certificate_sha256(const struct signer *signer);
void signer_free(struct signer *signer); /* after every job is done */

/* The kid that a chain file's name says: letters, digits, _ and -, then ".pem". */
bool signer_kid_from_file(const char *chain_file, char kid[SIGNER_KID_MAX + 1],
			  struct error *error) MUST_CHECK;

struct signer_job {
	unsigned int from, n; /* those to sign: @from to @n - 1, of up to SIGNER_BATCH_MAX */
	uint8_t digest[SIGNER_BATCH_MAX][32];
	uint8_t sig[SIGNER_BATCH_MAX][ES256_SIG_LEN]; /* all zero after a failure */

	done_fn done; /* from here on the signer's own, so that starting cannot fail */
	void *arg;
	STAILQ_ENTRY(signer_job) link;
};

/* Sign digests of @job, then call @done from the loop, never before this returns, and after other
 * input and output had their turn.  A job may be given in pieces, one after the other; the first
 * signature of all is verified against the certificate before done.  @job lives until done.
 */
void signer_sign_start(struct signer *signer, struct signer_job *job, done_fn done, void *arg);

#endif
