/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* struct ucred */
#include "fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "crypto/openssl.h"

#define HOST_MAX    255
#define REQUEST_MAX 1024
#define NAP_MS	    20

#define SIZE_DIGITS_MAX 15 /* that no size_t runs over */

OPENSSL_AUTO(SSL_CTX, SSL_CTX_free)
#define SSL_CTX_auto SSL_CTX __attribute__((cleanup(SSL_CTX_freep)))

void fetched_clear(struct fetched *fetched)
{
	free(fetched->answer);
	*fetched = (struct fetched){ 0 };
}

/* ---- the answer ---- */

/* Digits of @base, no sign or blank in front; @end: what follows.  False: none, or too many. */
static bool take_size(const char *text, int base, size_t *size, const char **end)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	size_t len = strspn(text, base == 10 ? "0123456789" : digits);

	*end = text + len;
	*size = strtoul(text, NULL, base);
	return len > 0 && len <= SIZE_DIGITS_MAX;
}

static bool is_line_end(const char *text)
{
	text += strspn(text, " \t");
	return text[0] == '\r' && text[1] == '\n';
}

/* The line before a chunk (RFC 9112 section 7.1): its size, perhaps extensions.  Returns the chunk;
 * NULL: no such line. */
static const char *take_chunk_line(const char *line, size_t *size)
{
	const char *end;

	if (!take_size(line, 16, size, &end))
		return NULL;
	if (!is_line_end(end) && end[strspn(end, " \t")] != ';')
		return NULL;
	end = strstr(end, "\r\n");
	return end == NULL ? NULL : end + 2;
}

/* After the last chunk: perhaps fields, an empty line, the end. */
static bool is_trailer(const char *from, const char *end)
{
	return end - from == 2 ? memcmp(from, "\r\n", 2) == 0
			       : end - from > 4 && memcmp(end - 4, "\r\n\r\n", 4) == 0;
}

/* In place; false when it ends too early. */
static bool unchunk(char *body, size_t *len)
{
	const char *from = body, *end = body + *len;
	char *to = body;
	size_t size;

	for (;;) {
		from = take_chunk_line(from, &size);
		if (from == NULL || size == 0)
			break;
		if (size + 2 > (size_t)(end - from) || memcmp(from + size, "\r\n", 2) != 0)
			return false;
		memmove(to, from, size);
		to += size;
		from += size + 2;
	}
	if (from == NULL || !is_trailer(from, end))
		return false;
	*to = '\0';
	*len = (size_t)(to - body);
	return true;
}

/* The value of a field, up to the end of its line; NULL: none of the name. */
static const char *field_of(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	}
	return NULL;
}

static bool take_status(const char *answer, int *status)
{
	static const char form[] = "HTTP/1.";
	const char *version = answer + strlen(form), *digits = version + 2;

	if (strncmp(answer, form, strlen(form)) != 0 || (*version != '0' && *version != '1') ||
	    version[1] != ' ' || digits[0] == '0' || strspn(digits, "0123456789") != 3 ||
	    (digits[3] != ' ' && digits[3] != '\r'))
		return false;
	*status = atoi(digits);
	return true;
}

/* Is the body what the head says?  Chunks are joined. */
static bool take_body(const char *head, struct fetched *fetched)
{
	const char *coding = field_of(head, "Transfer-Encoding");
	const char *length = field_of(head, "Content-Length"), *end;
	size_t size;

	if (coding != NULL)
		return strncasecmp(coding, "chunked", strlen("chunked")) == 0 &&
		       is_line_end(coding + strlen("chunked")) &&
		       unchunk(fetched->body, &fetched->len);
	return length == NULL ||
	       (take_size(length, 10, &size, &end) && is_line_end(end) && size == fetched->len);
}

bool fetched_parse(struct fetched *fetched, size_t len, struct error *error)
{
	char *end = strstr(fetched->answer, "\r\n\r\n");

	if (end == NULL || !take_status(fetched->answer, &fetched->status))
		return error_set(error, ERROR_UNAVAILABLE, "no answer of HTTP");
	end[2] = '\0';
	fetched->body = end + 4;
	fetched->len = len - (size_t)(fetched->body - fetched->answer);
	if (!take_body(fetched->answer, fetched))
		return error_set(error, ERROR_UNAVAILABLE, "the answer is cut short");
	return true;
}

/* ---- one exchange over a BIO that does not block ---- */

static bool wait_for(BIO *bio, time_t until)
{
	return BIO_should_retry(bio) && BIO_wait(bio, until, NAP_MS) > 0;
}

static bool send_all(BIO *bio, const char *text, time_t until)
{
	size_t left = strlen(text);

	while (left > 0) {
		int n = BIO_write(bio, text, (int)left);

		if (n > 0) {
			text += n;
			left -= (size_t)n;
		} else if (!wait_for(bio, until)) {
			return false;
		}
	}
	return true;
}

/* Up to the end; 0 when it is too long or takes too long. */
static size_t receive_all(BIO *bio, char *into, size_t max, time_t until)
{
	size_t len = 0;

	while (len < max) {
		int n = BIO_read(bio, into + len, (int)(max - len));

		if (n > 0)
			len += (size_t)n;
		else if (!BIO_should_retry(bio))
			break;
		else if (!wait_for(bio, until))
			return 0;
	}
	into[len] = '\0';
	return len < max ? len : 0;
}

static bool exchange(BIO *bio, const char *host, const char *path, struct fetched *fetched,
		     struct error *error)
{
	time_t until = time(NULL) + FETCH_SECONDS;
	char request[REQUEST_MAX];
	size_t len;

	fetched->answer = malloc(FETCH_MAX + 1);
	if (fetched->answer == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	if (snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
		     host) >= (int)sizeof(request))
		return error_set(error, ERROR_INVALID, "the URL is too long");
	if (!send_all(bio, request, until))
		return error_openssl(error, ERROR_UNAVAILABLE, "the request is not taken");
	len = receive_all(bio, fetched->answer, FETCH_MAX, until);
	ERR_clear_error(); /* peers that just hang up are no fault here: the length tells */
	if (len == 0)
		return error_set(error, ERROR_UNAVAILABLE, "no whole answer within %d s",
				 FETCH_SECONDS);
	return fetched_parse(fetched, len, error);
}

/* ---- https ---- */

struct place {
	char host[HOST_MAX + 1];      /* without brackets */
	char authority[HOST_MAX + 9]; /* as the URL has it */
	char port[6];
	const char *path;
};

static bool url_split(const char *url, struct place *place, struct error *error)
{
	static const char scheme[] = "https://";
	const char *host = url + strlen(scheme), *end, *port;
	size_t len;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return error_set(error, ERROR_INVALID, "%s: want https://", url);
	len = strcspn(host, "/");
	if (len == 0 || len >= sizeof(place->authority))
		return error_set(error, ERROR_INVALID, "%s: no host", url);
	memcpy(place->authority, host, len);
	place->authority[len] = '\0';
	place->path = host[len] == '/' ? host + len : "/";
	host = place->authority + (place->authority[0] == '[');
	end = host + strcspn(host, place->authority[0] == '[' ? "]" : ":");
	port = strchr(end, ':');
	if (snprintf(place->host, sizeof(place->host), "%.*s", (int)(end - host), host) >=
		    (int)sizeof(place->host) ||
	    snprintf(place->port, sizeof(place->port), "%s", port != NULL ? port + 1 : "443") >=
		    (int)sizeof(place->port))
		return error_set(error, ERROR_INVALID, "%s: no host and port", url);
	return true;
}

static SSL_CTX *client_context(const char *ca_file, struct error *error)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    (ca_file != NULL ? SSL_CTX_load_verify_file(context, ca_file)
			     : SSL_CTX_set_default_verify_paths(context)) == 1) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		return context;
	}
	error_openssl(error, ERROR_INVALID, "%s", ca_file != NULL ? ca_file : "TLS");
	SSL_CTX_free(context);
	return NULL;
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Whom we want to speak with. */
static bool expect(SSL *ssl, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool not_verified(const SSL *ssl, struct error *error)
{
	long why = SSL_get_verify_result(ssl);

	if (why == X509_V_OK)
		return false;
	ERR_clear_error();
	error_set(error, ERROR_UNAVAILABLE, "the server's certificate: %s",
		  X509_verify_cert_error_string(why));
	return true;
}

bool fetch_https(const char *url, const char *ca_file, struct fetched *fetched, struct error *error)
{
	struct place place;
	SSL_CTX_auto *context = NULL;
	BIO_auto *bio = NULL;
	SSL *ssl = NULL;

	if (!url_split(url, &place, error))
		return false;
	context = client_context(ca_file, error);
	if (context == NULL)
		return false;
	bio = BIO_new_ssl_connect(context);
	if (bio == NULL || BIO_get_ssl(bio, &ssl) != 1 || !expect(ssl, place.host) ||
	    BIO_set_conn_hostname(bio, place.host) != 1 || BIO_set_conn_port(bio, place.port) != 1)
		return error_openssl(error, ERROR_UNAVAILABLE, "%s", url);
	if (BIO_do_connect_retry(bio, FETCH_SECONDS, NAP_MS) != 1)
		return not_verified(ssl, error)
			       ? false
			       : error_openssl(error, ERROR_UNAVAILABLE, "%s", place.authority);
	return exchange(bio, place.authority, place.path, fetched, error);
}

/* ---- a local socket ---- */

static int connect_local(const char *path, struct fetched *fetched)
{
	const struct timeval patience = { .tv_sec = FETCH_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		fetched->pid = peer.pid;
	return fd;
}

bool fetch_local(const char *socket_path, const char *path, struct fetched *fetched,
		 struct error *error)
{
	int fd = connect_local(socket_path, fetched);
	BIO_auto *bio = NULL;

	if (fd < 0)
		return error_set(error, ERROR_UNAVAILABLE, "%s: %s", socket_path, strerror(errno));
	bio = BIO_new_socket(fd, BIO_CLOSE);
	if (bio == NULL) {
		close(fd);
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	}
	return exchange(bio, "localhost", path, fetched, error);
}
