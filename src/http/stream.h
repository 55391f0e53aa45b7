/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to and from a client, by TLS or plain; never blocks.  The OpenSSL error queue is cleared
 * before every call, so that one connection's failure is not read as another's. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

struct stream {
	int fd;
	SSL *ssl;		      /* NULL: plain */
	bool broken;		      /* TLS failed: it may not even be shut down */
	bool drained;		      /* the last read(2) got less than it asked for */
	unsigned int late_handshakes; /* messages that came when it was over */
};

enum stream_result {
	STREAM_OK,
	STREAM_WAIT,  /* for the next event of the descriptor */
	STREAM_ENDED, /* the peer has closed, or the connection has failed */
};

/* Takes @fd also when it fails.  @stream stays where it is until stream_close(). */
bool stream_open(struct stream *stream, int fd, SSL_CTX *tls);
enum stream_result stream_handshake(struct stream *stream);

/* Below TLS, for what comes before its handshake. */
enum stream_result stream_read_raw(struct stream *stream, void *bytes, size_t size, size_t *n);

enum stream_result stream_read(struct stream *stream, void *bytes, size_t size, size_t *n);
enum stream_result stream_write(struct stream *stream, const void *bytes, size_t len, size_t *n);

/* STREAM_OK: bytes wait to be read, in TLS perhaps of no request. */
enum stream_result stream_peek(const struct stream *stream);

/* All that had arrived when it was last read has been taken; whatever comes later is an event of
 * its own (epoll(7): a read of a stream that gets less than it asked for). */
bool stream_is_drained(const struct stream *stream);

/* Read and throw away what has arrived, below TLS. */
enum stream_result stream_discard(struct stream *stream, size_t *n);

const char *stream_server_name(const struct stream *stream); /* SNI, or NULL */

void stream_shutdown(struct stream *stream); /* the last byte has been written: say so */
void stream_close(struct stream *stream);

#endif
