/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* What a client may still send of handshakes after the first: key updates, and in TLS 1.2 wishes to
 * renegotiate.  None of ours needs any. */
#define LATE_HANDSHAKES_MAX 32

/* What read(2) got for OpenSSL. */
static long on_bio(BIO *bio, int what, const char *bytes, size_t size, int argi, long argl, int rc,
		   size_t *got)
{
	struct stream *stream = (struct stream *)BIO_get_callback_arg(bio);

	(void)bytes;
	(void)argi;
	(void)argl;
	if (what == (BIO_CB_READ | BIO_CB_RETURN))
		stream->drained = rc <= 0 || *got < size;
	return rc;
}

bool stream_open(struct stream *stream, int fd, SSL_CTX *tls)
{
	*stream = (struct stream){ .fd = fd };
	if (tls == NULL)
		return true;
	stream->ssl = SSL_new(tls);
	if (stream->ssl == NULL || !SSL_set_fd(stream->ssl, fd)) {
		stream->broken = true;
		stream_close(stream);
		return false;
	}
	BIO_set_callback_ex(SSL_get_rbio(stream->ssl), on_bio);
	BIO_set_callback_arg(SSL_get_rbio(stream->ssl), (char *)stream);
	SSL_set_accept_state(stream->ssl);
	return true;
}

static enum stream_result result_of_tls(struct stream *stream, int rc)
{
	int code;

	if (rc > 0)
		return STREAM_OK;
	code = SSL_get_error(stream->ssl, rc);
	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
		return STREAM_WAIT;
	stream->broken = stream->broken || code != SSL_ERROR_ZERO_RETURN;
	return STREAM_ENDED;
}

static enum stream_result result_of_socket(ssize_t rc)
{
	if (rc > 0)
		return STREAM_OK;
	return rc < 0 && (errno == EAGAIN || errno == EINTR) ? STREAM_WAIT : STREAM_ENDED;
}

/* OpenSSL heeds such messages within one SSL_read(), for as long as more of them come, and
 * meanwhile nobody else is served.  Without a source it has to fail. */
static void on_late_message(int written, int version, int type, const void *bytes, size_t len,
			    SSL *ssl, void *arg)
{
	struct stream *stream = arg;

	(void)version;
	(void)bytes;
	(void)len;
	if (!written && type == SSL3_RT_HANDSHAKE &&
	    ++stream->late_handshakes == LATE_HANDSHAKES_MAX)
		SSL_set0_rbio(ssl, NULL);
}

enum stream_result stream_handshake(struct stream *stream)
{
	enum stream_result result;

	if (stream->ssl == NULL)
		return STREAM_OK;
	ERR_clear_error();
	result = result_of_tls(stream, SSL_do_handshake(stream->ssl));
	if (result == STREAM_OK) {
		SSL_set_msg_callback(stream->ssl, on_late_message);
		SSL_set_msg_callback_arg(stream->ssl, stream);
	}
	return result;
}

enum stream_result stream_read_raw(struct stream *stream, void *bytes, size_t size, size_t *n)
{
	ssize_t rc;

	do
		rc = recv(stream->fd, bytes, size, 0);
	while (rc < 0 && errno == EINTR);
	*n = rc > 0 ? (size_t)rc : 0;
	stream->drained = *n < size;
	return result_of_socket(rc);
}

enum stream_result stream_read(struct stream *stream, void *bytes, size_t size, size_t *n)
{
	if (stream->ssl == NULL)
		return stream_read_raw(stream, bytes, size, n);
	*n = 0;
	ERR_clear_error();
	return result_of_tls(stream, SSL_read_ex(stream->ssl, bytes, size, n));
}

enum stream_result stream_write(struct stream *stream, const void *bytes, size_t len, size_t *n)
{
	ssize_t rc;

	*n = 0;
	if (stream->ssl != NULL) {
		ERR_clear_error();
		return result_of_tls(stream, SSL_write_ex(stream->ssl, bytes, len, n));
	}
	do
		rc = send(stream->fd, bytes, len, MSG_NOSIGNAL);
	while (rc < 0 && errno == EINTR);
	*n = rc > 0 ? (size_t)rc : 0;
	return result_of_socket(rc);
}

enum stream_result stream_peek(const struct stream *stream)
{
	char byte;
	ssize_t rc;

	if (stream->ssl != NULL && SSL_has_pending(stream->ssl))
		return STREAM_OK;
	do
		rc = recv(stream->fd, &byte, 1, MSG_PEEK);
	while (rc < 0 && errno == EINTR);
	return result_of_socket(rc);
}

bool stream_is_drained(const struct stream *stream)
{
	return stream->drained && (stream->ssl == NULL || !SSL_has_pending(stream->ssl));
}

enum stream_result stream_discard(struct stream *stream, size_t *n)
{
	char bytes[4096];

	return stream_read_raw(stream, bytes, sizeof(bytes), n);
}

const char *stream_server_name(const struct stream *stream)
{
	return stream->ssl == NULL ? NULL
				   : SSL_get_servername(stream->ssl, TLSEXT_NAMETYPE_host_name);
}

void stream_shutdown(struct stream *stream)
{
	if (stream->ssl != NULL && !stream->broken && SSL_is_init_finished(stream->ssl)) {
		ERR_clear_error();
		SSL_shutdown(stream->ssl); /* sends; the peer's answer is not waited for */
		stream->broken = true;
	}
	shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
	SSL_free(stream->ssl);
	stream->ssl = NULL;
	close(stream->fd);
	stream->fd = -1;
}
