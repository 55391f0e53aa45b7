/* SPDX-License-Identifier: Apache-2.0 */
/* accept4() and stream.h.  What is used after its close, or closed twice, is an abort. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4() */
#endif
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../../src/http/stream.h"
#include "fuzz_connection.h"

struct wire wires[WIRES];

void wires_reset(void)
{
	memset(wires, 0, sizeof(wires));
}

static struct wire *wire_of(const struct stream *stream)
{
	int at = stream->fd - WIRE_FD;

	want(at >= 0 && at < WIRES && wires[at].state == WIRE_OPEN);
	return &wires[at];
}

/* Clients come from 10.0.0.x, a proxy's connections from 10.9.0.x. */
static void write_address(const struct wire *wire, struct sockaddr *address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
	uint32_t host = (uint32_t)(wire - wires) + 1;

	ipv4->sin_family = AF_INET;
	ipv4->sin_addr.s_addr =
		htonl((wire->from_proxy ? 0x0a090000 : 0x0a000000) | (wire->from_proxy ? host : 1));
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	want(fd == LISTEN_FD);
	(void)len;
	(void)flags;
	for (int i = 0; i < WIRES; i++) {
		if (wires[i].state != WIRE_KNOCKS)
			continue;
		wires[i].state = WIRE_CLOSED; /* unless it is opened */
		if (address != NULL)
			write_address(&wires[i], address);
		return WIRE_FD + i;
	}
	errno = EAGAIN;
	return -1;
}

/* The listener does not block already; copies of others are not to be had. */
int fcntl(int fd, int command, ...);
int fcntl64(int fd, int command, ...);
int fcntl64(int fd, int command, ...)
{
	(void)command;
	return fd == LISTEN_FD ? 0 : -1;
}

int fcntl(int fd, int command, ...)
{
	return fcntl64(fd, command);
}

bool stream_open(struct stream *stream, int fd, SSL_CTX *tls)
{
	(void)tls;
	want(fd >= WIRE_FD && fd < WIRE_FD + WIRES && wires[fd - WIRE_FD].state == WIRE_CLOSED);
	*stream = (struct stream){ .fd = fd };
	wires[fd - WIRE_FD].state = WIRE_OPEN;
	wires[fd - WIRE_FD].opened_ms = world_ms;
	return true;
}

enum stream_result stream_handshake(struct stream *stream)
{
	struct wire *wire = wire_of(stream);

	if (wire->handshakes == 0)
		return STREAM_OK;
	return wire->handshakes > 0 ? STREAM_WAIT : STREAM_ENDED;
}

static enum stream_result nothing_there(const struct wire *wire)
{
	return wire->left ? STREAM_ENDED : STREAM_WAIT;
}

enum stream_result stream_read_raw(struct stream *stream, void *bytes, size_t size, size_t *n)
{
	struct wire *wire = wire_of(stream);

	*n = wire->in_len < size ? wire->in_len : size;
	stream->drained = *n < size && !wire->left;
	if (*n == 0) {
		want(size > 0);
		return nothing_there(wire);
	}
	memcpy(bytes, wire->in, *n);
	wire->in += *n;
	wire->in_len -= *n;
	return STREAM_OK;
}

enum stream_result stream_read(struct stream *stream, void *bytes, size_t size, size_t *n)
{
	enum stream_result result;

	want(wire_of(stream)->handshakes == 0);
	result = stream_read_raw(stream, bytes, size, n);
	wire_of(stream)->read_total += *n;
	return result;
}

static void keep(struct wire *wire, const uint8_t *bytes, size_t n)
{
	size_t kept = OUT_MAX - wire->out_len < n ? OUT_MAX - wire->out_len : n;

	memcpy(wire->out + wire->out_len, bytes, kept);
	wire->out_len += kept;
	wire->out_total += n;
}

enum stream_result stream_write(struct stream *stream, const void *bytes, size_t len, size_t *n)
{
	struct wire *wire = wire_of(stream);

	want(wire->handshakes == 0 && !wire->shut && len > 0);
	*n = len < wire->room ? len : wire->room;
	if (*n == 0)
		return STREAM_WAIT;
	wire->room -= *n;
	keep(wire, bytes, *n);
	return STREAM_OK;
}

enum stream_result stream_peek(const struct stream *stream)
{
	struct wire *wire = wire_of(stream);

	return wire->in_len > 0 ? STREAM_OK : nothing_there(wire);
}

bool stream_is_drained(const struct stream *stream)
{
	want(!stream->drained || wire_of(stream)->in_len == 0);
	return stream->drained;
}

enum stream_result stream_discard(struct stream *stream, size_t *n)
{
	uint8_t bytes[512];

	return stream_read_raw(stream, bytes, sizeof(bytes), n);
}

const char *stream_server_name(const struct stream *stream)
{
	(void)wire_of(stream);
	return NULL;
}

void stream_shutdown(struct stream *stream)
{
	wire_of(stream)->shut = true;
}

void stream_close(struct stream *stream)
{
	wire_of(stream)->state = WIRE_CLOSED;
	stream->fd = -1;
}
