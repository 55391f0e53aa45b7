/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_tls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/tls.h"

struct tls_files tls_files;

static EVP_PKEY *write_key(const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file = fopen(path, "w");

	if (key == NULL || file == NULL)
		abort();
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(path, 0600);
	return key;
}

static void write_certificate(const char *path, EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	FILE *file = fopen(path, "w");

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	if (X509_sign(x509, key, EVP_sha256()) <= 0 || file == NULL)
		abort();
	PEM_write_X509(file, x509);
	fclose(file);
	X509_free(x509);
}

int tls_files_make(void)
{
	EVP_PKEY *key;

	strcpy(tls_files.folder, "/tmp/stipa-test-XXXXXX");
	if (mkdtemp(tls_files.folder) == NULL)
		return 1;
	snprintf(tls_files.chain, sizeof(tls_files.chain), "%s/chain.pem", tls_files.folder);
	snprintf(tls_files.key, sizeof(tls_files.key), "%s/key.pem", tls_files.folder);
	snprintf(tls_files.other_key, sizeof(tls_files.other_key), "%s/other.pem",
		 tls_files.folder);
	EVP_PKEY_free(write_key(tls_files.other_key));
	key = write_key(tls_files.key);
	write_certificate(tls_files.chain, key);
	EVP_PKEY_free(key);
	return 0;
}

int tls_files_remove(void)
{
	unlink(tls_files.chain);
	unlink(tls_files.key);
	unlink(tls_files.other_key);
	return rmdir(tls_files.folder);
}

void start_tls_behind(const struct http_limits *limits, const char *proxy)
{
	static const uint8_t ticket_key[TLS_TICKET_KEY_LEN] = { 1, 2, 3 };
	struct error error = { 0 };
	SSL_CTX *ctx = tls_server_context(tls_files.chain, tls_files.key, ticket_key, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
	start_behind(limits, ctx, proxy);
	SSL_CTX_free(ctx); /* the server has its own reference */
}

void start_tls(const struct http_limits *limits)
{
	start_tls_behind(limits, NULL);
}

bool client_secure(struct client *c, const struct client_tls *how)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, how->old ? TLS1_1_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, how->version);
	if (how->ciphers != NULL)
		SSL_CTX_set_cipher_list(ctx, how->ciphers);
	if (how->groups != NULL)
		SSL_CTX_set1_groups_list(ctx, how->groups);
	if (how->protocols != NULL)
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)how->protocols,
					(unsigned int)strlen(how->protocols));
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (how->server_name != NULL)
		SSL_set_tlsext_host_name(c->ssl, how->server_name);
	if (how->session != NULL)
		SSL_set_session(c->ssl, how->session);
	for (int i = 0; i < 500; i++) {
		rc = SSL_connect(c->ssl);
		if (rc == 1)
			return true;
		if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ)
			break;
		turn(2);
	}
	return false;
}

bool client_handshake(struct client *c, const struct client_tls *how)
{
	client_connect(c);
	return client_secure(c, how);
}
