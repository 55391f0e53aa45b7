# SPDX-License-Identifier: Apache-2.0
"""Connections that say exactly the bytes they are told to, plain or through TLS."""
import re
import socket
import ssl
import struct
import time

PATIENCE_S = 0.02  # between looks for what has come


class Plain:
    """A socket; `address` is (host, port) or the path of a unix socket."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(address)
        if family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begun = time.monotonic()
        self.got = b""
        self.ended = None  # when
        self.failed = False

    def raw(self, data):
        """False when the other end does not take it."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            self.failed = True
            return False

    send = raw

    def take(self, data):
        self.got += data

    def read(self, wait_s):
        """What comes within a time; False when that was the end."""
        if self.ended is not None:
            return False
        self.sock.settimeout(max(wait_s, 0.0001))
        try:
            data = self.sock.recv(65536)
        except (TimeoutError, BlockingIOError):
            return True
        except OSError:
            data = b""
        finally:
            self.sock.settimeout(30)
        if not data:
            self.ended = time.monotonic()
            return False
        self.take(data)
        return True

    def until(self, seconds, done=lambda self: False):
        """Read until the end, or something is there; False when time is over first."""
        stop = time.monotonic() + seconds
        while not done(self):
            left = stop - time.monotonic()
            if left <= 0:
                return False
            if not self.read(min(left, 0.2)):
                return True
        return True

    def answers(self):
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.got)]

    def half_close(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self.ended = time.monotonic()

    def close(self):
        self.sock.close()


def context(**settings):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    for name, value in settings.items():
        if name == "ciphers":
            made.set_ciphers(value)
        elif name == "alpn":
            made.set_alpn_protocols(value)
        else:
            setattr(made, name, value)
    return made


class Tls(Plain):
    """TLS over memory, so that records can be cut, broken and made up."""

    def __init__(self, address, made=None, name=None, session=None):
        super().__init__(address)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (made or context()).wrap_bio(self.incoming, self.outgoing,
                                                server_hostname=name, session=session)
        self.alert = None

    def records(self):
        """What TLS wants to have sent."""
        return self.outgoing.read()

    def flush(self):
        return super().raw(self.records())

    def handshake(self):
        """False when the other end does not want to."""
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                if not self.flush() or not self.more():
                    return False
            except ssl.SSLError as error:
                self.alert = error.reason
                self.flush()
                return False

    def more(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.ended = time.monotonic()
            return False
        self.incoming.write(data)
        return True

    def send(self, data):
        for at in range(0, len(data), 16384):
            try:
                self.tls.write(data[at:at + 16384])
            except ssl.SSLError:
                return False
            if not self.flush():
                return False
        return True

    def take(self, data):
        self.incoming.write(data)
        try:
            while True:
                text = self.tls.read(65536)
                if not text:
                    return
                self.got += text
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError as error:
            self.alert = error.reason
