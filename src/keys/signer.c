/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/signer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "crypto/x509.h"

STAILQ_HEAD(job_queue, signer_job);

struct signer {
	struct es256_key *key;
	struct es256_key *certified; /* the public key of the certificate */
	struct event *turn;	     /* activated while jobs wait */
	struct job_queue jobs;
	uint8_t certificate_sha256[32];
	char kid[SIGNER_KID_MAX + 1];
};

static bool sign_all(struct signer *signer, struct signer_job *job, struct error *error)
{
	for (unsigned int i = job->from; i < job->n; i++)
		if (!es256_sign(signer->key, job->digest[i], job->sig[i], error))
			return false;
	if (job->from > 0 || es256_verify(signer->certified, job->digest[0], job->sig[0], error))
		return true;
	error->kind = ERROR_INTERNAL; /* nobody sent it: our key or our memory is broken */
	return error_context(error, "own signature of %s", signer->kid);
}

/* The next turn of the loop, when input and output have been looked after. */
static void turn_soon(struct signer *signer)
{
	event_add(signer->turn, &(const struct timeval){ 0 });
}

/* One job for each turn.  The last act is done(), after which the signer may be gone. */
static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct signer *signer = arg;
	struct signer_job *job = STAILQ_FIRST(&signer->jobs);
	struct error error = { 0 };

	(void)fd;
	(void)what;
	STAILQ_REMOVE_HEAD(&signer->jobs, link);
	if (!STAILQ_EMPTY(&signer->jobs))
		turn_soon(signer);
	if (!sign_all(signer, job, &error))
		memset(job->sig, 0, sizeof(job->sig));
	job->done(job->arg, &error);
}

void signer_sign_start(struct signer *signer, struct signer_job *job, done_fn done, void *arg)
{
	assert(job->from < job->n && job->n <= SIGNER_BATCH_MAX);
	job->done = done;
	job->arg = arg;
	STAILQ_INSERT_TAIL(&signer->jobs, job, link);
	turn_soon(signer);
}

/* The kid is part of a URL and of a file name. */
bool signer_kid_from_file(const char *chain_file, char kid[SIGNER_KID_MAX + 1], struct error *error)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";
	const char *slash = strrchr(chain_file, '/');
	const char *name = slash == NULL ? chain_file : slash + 1;
	size_t len = strlen(name);

	if (len <= 4 || len - 4 > SIGNER_KID_MAX || strcmp(name + len - 4, ".pem") != 0)
		return error_set(error, ERROR_INVALID, "%s: want a file name <kid>.pem",
				 chain_file);
	if (strspn(name, allowed) != len - 4)
		return error_set(error, ERROR_INVALID,
				 "%s: a kid may hold only letters, digits, _ and -", chain_file);
	memcpy(kid, name, len - 4);
	kid[len - 4] = '\0';
	return true;
}

static bool open_certificate(struct signer *signer, const char *chain_file, struct error *error)
{
	X509_stack_auto *chain = x509_chain_read(chain_file, error);
	X509 *certificate;

	if (chain == NULL)
		return false;
	certificate = sk_X509_value(chain, 0);
	if (!signer_kid_from_file(chain_file, signer->kid, error))
		return false;
	if (!x509_may_sign_tokens(certificate, error) ||
	    !x509_chain_holds(chain, time(NULL), error) ||
	    !x509_sha256(certificate, signer->certificate_sha256, error))
		return error_context(error, "%s", chain_file);
	signer->certified = es256_key_public(X509_get0_pubkey(certificate), error);
	if (signer->certified == NULL)
		return error_context(error, "%s", chain_file);
	if (!es256_key_matches(signer->key, certificate))
		return error_set(error, ERROR_INVALID, "%s: not the certificate of this key",
				 chain_file);
	return true;
}

static bool open_key(struct signer *signer, const char *key_file, const char *passphrase_file,
		     struct error *error)
{
	secret_auto passphrase = { 0 };

	if (!secret_read_file(&passphrase, passphrase_file, error))
		return error_context(error, "passphrase of the signing key");
	signer->key = es256_key_load(key_file, &passphrase, error);
	return signer->key != NULL;
}

struct signer *signer_open(struct event_base *base, const char *key_file,
			   const char *passphrase_file, const char *chain_file, struct error *error)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	if (signer == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the signer");
		return NULL;
	}
	STAILQ_INIT(&signer->jobs);
	signer->turn = evtimer_new(base, on_turn, signer);
	if (signer->turn == NULL)
		error_set(error, ERROR_UNAVAILABLE, "no event for the signer");
	else if (open_key(signer, key_file, passphrase_file, error) &&
		 open_certificate(signer, chain_file, error))
		return signer;
	signer_free(signer);
	return NULL;
}

const char *signer_kid(const struct signer *signer)
{
	return signer->kid;
}

const uint8_t *signer_certificate_sha256(const struct signer *signer)
{
	return signer->certificate_sha256;
}

void signer_free(struct signer *signer)
{
	if (signer == NULL)
		return;
	assert(STAILQ_EMPTY(&signer->jobs));
	if (signer->turn != NULL)
		event_free(signer->turn);
	es256_key_free(signer->key);
	es256_key_free(signer->certified);
	free(signer);
}
