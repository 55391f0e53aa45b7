/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/openssl.h"

#define SUITES_1_2                                                                                 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                               \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                               \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
#define GROUPS	   "X25519:P-256"

static bool error_tls(struct error *error, const char *what, const char *file)
{
	char reason[128];

	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return error_set(error, ERROR_INVALID, "%s%s%s: %s", what, file != NULL ? " " : "",
			 file != NULL ? file : "", reason);
}

/* Judged is the file that is read, by its descriptor. */
static bool key_file_is_private(FILE *file, const char *name, struct error *error)
{
	struct stat st;

	if (fstat(fileno(file), &st) != 0)
		return error_set(error, ERROR_INVALID, "TLS key %s: %s", name, strerror(errno));
	if (st.st_mode & S_IRWXO)
		return error_set(error, ERROR_INVALID,
				 "TLS key %s: others may read it (mode %04o), make it 0640 or less",
				 name, (unsigned int)st.st_mode & 07777);
	return true;
}

static bool read_key(FILE *file, const char *name, EVP_PKEY **key, struct error *error)
{
	if (!key_file_is_private(file, name, error))
		return false;
	/* an encrypted key has no place here */
	*key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	return *key != NULL || error_tls(error, "TLS key", name);
}

static bool use_key(SSL_CTX *ctx, const char *name, struct error *error)
{
	FILE *file = fopen(name, "re");
	EVP_PKEY *key = NULL;
	bool ok;

	if (file == NULL)
		return error_set(error, ERROR_INVALID, "TLS key %s: %s", name, strerror(errno));
	ok = read_key(file, name, &key, error);
	fclose(file);
	if (ok && (!SSL_CTX_use_PrivateKey(ctx, key) || !SSL_CTX_check_private_key(ctx)))
		ok = error_tls(error, "TLS key is not of the certificate:", name);
	EVP_PKEY_free(key);
	return ok;
}

/* RFC 7301: only "http/1.1" is spoken; who offers only others would not understand us. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *offered, unsigned int offered_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Takes every name: which ones are served is told with the request.  But only a name that was taken
 * is kept in a session of TLS 1.2, where SSL_get_servername() looks for it when one is resumed. */
static int take_server_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *ctx, const uint8_t ticket_key[TLS_TICKET_KEY_LEN],
		      struct error *error)
{
	static const unsigned char id[] = "stipa";

	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record in one read(2) */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, take_server_name);
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(ctx, SUITES_1_2) ||
	    !SSL_CTX_set_ciphersuites(ctx, SUITES_1_3) || !SSL_CTX_set1_groups_list(ctx, GROUPS) ||
	    !SSL_CTX_set_num_tickets(ctx, 1) ||
	    !SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) ||
	    !SSL_CTX_set_tlsext_ticket_keys(ctx, (void *)(uintptr_t)ticket_key, TLS_TICKET_KEY_LEN))
		return error_tls(error, "TLS settings", NULL);
	return true;
}

SSL_CTX *tls_server_context(const char *chain_file, const char *key_file,
			    const uint8_t ticket_key[TLS_TICKET_KEY_LEN], struct error *error)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok;

	ERR_clear_error();
	if (ctx == NULL) {
		error_tls(error, "TLS context", NULL);
		return NULL;
	}
	ok = set_rules(ctx, ticket_key, error);
	if (ok && SSL_CTX_use_certificate_chain_file(ctx, chain_file) != 1)
		ok = error_tls(error, "TLS certificate", chain_file);
	if (ok && use_key(ctx, key_file, error))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}
