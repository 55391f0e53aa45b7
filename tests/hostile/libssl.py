# SPDX-License-Identifier: Apache-2.0
"""What Python's ssl cannot be made to do, by libssl itself: renegotiation, key updates and early
data.  A blocking client on a socket of wire.Plain."""
import ctypes
import ctypes.util

lib = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
pointer, integer, number = ctypes.c_void_p, ctypes.c_int, ctypes.c_long

for name, result, arguments in (
        ("TLS_client_method", pointer, []),
        ("SSL_CTX_new", pointer, [pointer]),
        ("SSL_CTX_free", None, [pointer]),
        ("SSL_CTX_ctrl", number, [pointer, integer, number, pointer]),
        ("SSL_new", pointer, [pointer]),
        ("SSL_free", None, [pointer]),
        ("SSL_set_fd", integer, [pointer, integer]),
        ("SSL_connect", integer, [pointer]),
        ("SSL_do_handshake", integer, [pointer]),
        ("SSL_write", integer, [pointer, ctypes.c_char_p, integer]),
        ("SSL_read", integer, [pointer, ctypes.c_char_p, integer]),
        ("SSL_renegotiate", integer, [pointer]),
        ("SSL_key_update", integer, [pointer, integer]),
        ("SSL_set_shutdown", None, [pointer, integer]),
        ("SSL_get1_session", pointer, [pointer]),
        ("SSL_set_session", integer, [pointer, pointer]),
        ("SSL_SESSION_set_max_early_data", integer, [pointer, ctypes.c_uint32]),
        ("SSL_SESSION_free", None, [pointer]),
        ("SSL_write_early_data", integer,
         [pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)]),
        ("SSL_get_early_data_status", integer, [pointer])):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments

SET_MIN, SET_MAX = 123, 124
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
EARLY_DATA_ACCEPTED = 2
SENT_AND_RECEIVED = 3


class Client:
    """TLS on a socket that is connected.  Whoever uses it sets a timeout on the socket's reads by
    SO_RCVTIMEO, as libssl knows no other."""

    def __init__(self, sock, version, session=None):
        self.ctx = lib.SSL_CTX_new(lib.TLS_client_method())
        for what in (SET_MIN, SET_MAX):
            lib.SSL_CTX_ctrl(self.ctx, what, VERSIONS[version], None)
        self.ssl = lib.SSL_new(self.ctx)
        lib.SSL_set_fd(self.ssl, sock.fileno())
        if session is not None:
            lib.SSL_set_session(self.ssl, session)

    def handshake(self):
        return lib.SSL_connect(self.ssl) == 1

    def send(self, data):
        return lib.SSL_write(self.ssl, data, len(data)) == len(data)

    def read(self):
        buffer = ctypes.create_string_buffer(65536)
        n = lib.SSL_read(self.ssl, buffer, len(buffer))
        return buffer.raw[:max(n, 0)]

    def renegotiate(self):
        """False when the other end does not want to."""
        return lib.SSL_renegotiate(self.ssl) == 1 and lib.SSL_do_handshake(self.ssl) == 1

    def update_key(self):
        """Asks for the other's new key, too; goes out with the next bytes or the handshake."""
        return lib.SSL_key_update(self.ssl, 1) == 1 and lib.SSL_do_handshake(self.ssl) == 1

    def session(self):
        """It would not be resumed after an end that looks like a failure."""
        lib.SSL_set_shutdown(self.ssl, SENT_AND_RECEIVED)
        return lib.SSL_get1_session(self.ssl)

    def send_early(self, session, data):
        lib.SSL_SESSION_set_max_early_data(session, 16384)
        lib.SSL_set_session(self.ssl, session)
        written = ctypes.c_size_t()
        return lib.SSL_write_early_data(self.ssl, data, len(data), ctypes.byref(written)) == 1

    def early_data_was_taken(self):
        return lib.SSL_get_early_data_status(self.ssl) == EARLY_DATA_ACCEPTED

    def close(self):
        lib.SSL_free(self.ssl)
        lib.SSL_CTX_free(self.ctx)
