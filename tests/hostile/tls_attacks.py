# SPDX-License-Identifier: Apache-2.0
"""The rows of cases.py that are about TLS.  Each function makes a connection and returns it with
the moment from which its deadline counts."""
import os
import socket
import ssl
import struct
import time

import libssl
import wire

FLOOD = 20000
ALERT, HANDSHAKE, DATA, HEARTBEAT, CCS = 21, 22, 23, 24, 20


def run(place, row):
    return globals()[row.tls](place)


def record(kind, data, version=0x0303):
    return struct.pack("!BHH", kind, version, len(data)) + data


def client_hello(made=None, name="localhost"):
    """As OpenSSL makes it."""
    memory = ssl.MemoryBIO()
    try:
        (made or wire.context()).wrap_bio(ssl.MemoryBIO(), memory,
                                          server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return memory.read()


def bare(place, *parts):
    """Bytes in place of a handshake."""
    connection = wire.Plain(place.address)
    for part in parts:
        if not connection.raw(part):
            break
    return connection, time.monotonic()


def from_the_start(connection):
    return connection, connection.begun


def good(place):
    return place.expand(None, "{GOOD}")


def hidden(place):
    return place.expand(None, "{HIDDEN}")


def secured(place, **settings):
    connection = wire.Tls(place.address, **settings)
    if not connection.handshake():
        raise ConnectionError(f"no handshake: {connection.alert}")
    return connection


def refused(place, **settings):
    """A handshake that must not come to an end."""
    connection = wire.Tls(place.address, wire.context(**settings))
    if connection.handshake():
        connection.send(hidden(place))
    return connection, time.monotonic()


# ---- before the handshake ----

def plain_http(place):
    return bare(place, good(place))


def silence(place):
    return bare(place)


def handshake_drip(place):
    connection = wire.Plain(place.address)
    for byte in client_hello() * 10:
        if not connection.raw(bytes([byte])) or not connection.read(0.05):
            break
    return from_the_start(connection)


def half_hello(place):
    hello = client_hello()
    connection, _ = bare(place, hello[:len(hello) // 2])
    return from_the_start(connection)


def one_byte_records(place):
    connection = wire.Tls(place.address)
    try:
        connection.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = connection.records()[5:]
    connection.raw(b"".join(record(HANDSHAKE, bytes([byte]), 0x0301) for byte in hello))
    connection.more()
    if not connection.handshake():
        return connection, time.monotonic()
    connection.send(good(place).replace(b"Content-Type", b"Connection: close\r\nContent-Type"))
    connection.until(1.0, lambda c: c.answers())
    return connection, time.monotonic()


def huge_hello(place):
    body = struct.pack("!H", 0x0303) + bytes(32) + b"\0" + os.urandom(65535 - 35)
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    parts = [record(HANDSHAKE, message[at:at + 16000], 0x0301)
             for at in range(0, len(message), 16000)]
    connection, _ = bare(place, *parts)
    return from_the_start(connection)


def long_record(place):
    return bare(place, struct.pack("!BHH", HANDSHAKE, 0x0301, 65535) + bytes(65535))


def garbage(place):
    return bare(place, b"\xff" * 512)


def ssl2(place):
    return bare(place, bytes.fromhex("802e0100020015000000100100800200800300800400800500800600"
                                     "400700c0") + os.urandom(16))


def old_hello(version):
    hello = bytearray(client_hello(wire.context(ciphers="ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
                                                maximum_version=ssl.TLSVersion.TLSv1_2)))
    hello[1:3] = hello[9:11] = struct.pack("!H", version)
    return bytes(hello)


def ssl3(place):
    return bare(place, old_hello(0x0300))


def tls10(place):
    return bare(place, old_hello(0x0301))


def tls11(place):
    return bare(place, old_hello(0x0302))


def only_of(place, ciphers):
    return refused(place, ciphers=ciphers, maximum_version=ssl.TLSVersion.TLSv1_2)


def only_cbc(place):
    return only_of(place, "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256:"
                          "ECDHE-RSA-AES128-SHA:AES128-SHA")


def only_rsa(place):
    return only_of(place, "AES128-GCM-SHA256:AES256-GCM-SHA384")


def only_anonymous(place):
    return only_of(place, "aNULL:@SECLEVEL=0")


def no_cipher(place):
    return only_of(place, "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")


def only_h2(place):
    return refused(place, alpn=["h2"])


def early_alert(place):
    return bare(place, record(ALERT, b"\2\x28"))


def early_application_data(place):
    return bare(place, client_hello(), record(DATA, hidden(place)))


def ccs_flood(place):
    connection, _ = bare(place, client_hello(), record(CCS, b"\1") * FLOOD)
    return from_the_start(connection)


def hello_twice(place):
    return bare(place, client_hello() + client_hello())


def leave_in_handshake(place):
    connection, begun = bare(place, client_hello())
    connection.half_close()
    return connection, begun


def proxy_header(place):
    return bare(place, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2"
                + client_hello())


# ---- after it ----

def other_sni(place):
    connection = secured(place, name="other.example.com")
    connection.send(good(place))
    connection.until(1.0, lambda c: c.answers())
    return connection, time.monotonic()


def other_sni_resumed(place):
    made = wire.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    first = secured(place, made=made, name="other.example.com")
    session = first.tls.session
    first.close()
    connection = secured(place, made=made, name="other.example.com", session=session)
    if not connection.tls.session_reused:
        raise ConnectionError("the session was not resumed")
    connection.send(good(place))
    connection.until(1.0, lambda c: c.answers())
    return connection, time.monotonic()


def plain_after_handshake(place):
    connection = secured(place)
    connection.raw(good(place))
    return connection, time.monotonic()


def broken_record(place):
    connection = secured(place)
    connection.tls.write(good(place))
    data = bytearray(connection.records())
    data[len(data) // 2] ^= 1
    connection.raw(bytes(data))
    return connection, time.monotonic()


def heartbeat(place):
    connection = secured(place, made=wire.context(maximum_version=ssl.TLSVersion.TLSv1_2))
    connection.raw(record(HEARTBEAT, b"\1\x40\0"))
    return connection, time.monotonic()


def request_after_goodbye(place):
    connection = secured(place)
    connection.tls.write(hidden(place))
    data = connection.records()
    try:
        connection.tls.unwrap()
    except ssl.SSLError:
        pass
    connection.raw(connection.records() + data)
    return connection, time.monotonic()


def request_by_records(place):
    connection = secured(place)
    text = good(place).replace(b"Content-Type", b"Connection: close\r\nContent-Type")
    for byte in text:
        connection.tls.write(bytes([byte]))
    connection.flush()
    connection.until(2.0, lambda c: c.answers())
    return connection, time.monotonic()


def empty_records(place):
    """TLS 1.2, where a record with nothing in it takes a key to make: those of a broken length."""
    connection = secured(place, made=wire.context(maximum_version=ssl.TLSVersion.TLSv1_2))
    connection.raw(record(DATA, b"") * FLOOD)
    return connection, time.monotonic()


# ---- by libssl itself ----

def timeouts(connection, seconds):
    """libssl reads the socket itself: Python's timeout would make it non-blocking."""
    connection.sock.settimeout(None)
    wait = struct.pack("ll", int(seconds), int(seconds % 1 * 1000000))
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)


def by_libssl(place, version):
    connection = wire.Plain(place.address)
    timeouts(connection, 2)
    client = libssl.Client(connection.sock, version)
    if not client.handshake():
        raise ConnectionError("no handshake by libssl")
    return connection, client


def renegotiate_times(place, times):
    connection, client = by_libssl(place, "1.2")
    begun = time.monotonic()
    for _ in range(times):
        if client.renegotiate():
            client.send(hidden(place))
            raise ConnectionError("renegotiated")
    client.close()
    return connection, begun


def renegotiate(place):
    return renegotiate_times(place, 1)


def renegotiate_flood(place):
    return renegotiate_times(place, 1000)


def key_update_flood(place):
    connection, client = by_libssl(place, "1.3")
    for _ in range(FLOOD):
        if not client.update_key():
            break
    client.close()
    return connection, time.monotonic()


def early_data(place):
    first, client = by_libssl(place, "1.3")
    client.send(good(place).replace(b"Content-Type", b"Connection: close\r\nContent-Type"))
    client.read()
    session = client.session()
    client.close()
    first.close()
    connection = wire.Plain(place.address)
    timeouts(connection, 2)
    client = libssl.Client(connection.sock, "1.3", session)
    sent = client.send_early(session, hidden(place))
    begun = time.monotonic()
    done = client.handshake()
    taken = client.early_data_was_taken()
    client.close()
    libssl.lib.SSL_SESSION_free(session)
    if not sent or not done or taken:
        raise ConnectionError(f"early data: sent {sent}, handshake {done}, taken {taken}")
    return connection, begun
