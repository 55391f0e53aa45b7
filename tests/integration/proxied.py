#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A node behind proxies: headers of PROXY protocol version 2 by hand.

usage: proxied.py WORLD STEP

WORLD is the folder that proxy.sh has made; STEP is one of the functions below.
"""
import base64
import http.client
import ipaddress
import json
import socket
import ssl
import struct
import subprocess
import sys
import time

WORLD = sys.argv[1]
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6, UDP4, UNIX, UNSPEC = 0x11, 0x21, 0x12, 0x31, 0x00
A_PROXY, ANOTHER_PROXY, NO_PROXY = "127.0.0.1", "127.0.0.2", "127.0.0.9"


def read(name):
    with open(f"{WORLD}/{name}", encoding="ascii") as file:
        return file.read().strip()


PORT = int(read("port"))
CONTEXT = ssl.create_default_context(cafile=f"{WORLD}/tls/ca.pem")


def want(condition, *what):
    if not condition:
        print("  FAULT:", *what)
        sys.exit(1)


def frame(command, family, rest):
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def addresses(source):
    source = ipaddress.ip_address(source)
    target = "192.0.2.1" if source.version == 4 else "2001:db8::1"
    return source.packed + ipaddress.ip_address(target).packed + struct.pack("!HH", 40000, 443)


def header(source, tlvs=b"", command=PROXY):
    family = TCP4 if ipaddress.ip_address(source).version == 4 else TCP6
    return frame(command, family, addresses(source) + tlvs)


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def patiently(ask):
    """Once more, as by any client, when it is told 503."""
    for _ in range(30):
        status, answer = ask()
        if status != 503:
            break
        time.sleep(1)
    return status, answer


class Behind(http.client.HTTPSConnection):
    """A connection that begins with @first, from @peer."""

    def __init__(self, first, peer=A_PROXY):
        super().__init__("127.0.0.1", PORT, timeout=30, context=CONTEXT)
        self.first, self.peer = first, peer

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", PORT), 30, (self.peer, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.first:
            plain.sendall(self.first)
        self.sock = CONTEXT.wrap_socket(plain, server_hostname="127.0.0.1")


def post(connection, path, value, authorization=None):
    fields = {"Content-Type": "application/json"}
    if authorization:
        fields["Authorization"] = authorization
    connection.request("POST", path, json.dumps(value), fields)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if text else None


def basic(name, secret=None):
    secret = secret or read(f"secret-{name}")
    return "Basic " + base64.b64encode(f"client-{name}:{secret}".encode()).decode()


def token(first, name="a", spc="1234", peer=A_PROXY, secret=None):
    der = bytes([0x30, 8, 0xa0, 6, 0x16, 4]) + spc.encode()
    atc = {"tktype": "TNAuthList", "tkvalue": base64.b64encode(der).decode(), "ca": False,
           "fingerprint": "SHA256 " + ":".join(["A0"] * 32)}
    return patiently(lambda: post(Behind(first, peer), f"/sti-pa/account/sp-{name}/token",
                                  {"atc": atc}, basic(name, secret)))


def sql(statement):
    return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement], check=True,
                          capture_output=True, text=True).stdout.strip()


def last_peer(table, at):
    return sql(f"SELECT stipa.peer_text(peer) FROM stipa.{table} ORDER BY {at} DESC LIMIT 1")


def failed_handshakes():
    local = http.client.HTTPConnection("localhost", timeout=30)
    local.sock = socket.socket(socket.AF_UNIX)
    local.sock.connect(f"{WORLD}/a.sock")
    local.request("GET", "/metrics")
    text = local.getresponse().read().decode()
    local.close()
    return int(text.split("\nstipa_handshakes_failed_total ")[1].split("\n")[0])


# ---- the steps ----

def the_address_is_the_headers():
    for source in ("10.1.2.3", "10.1.255.255"):
        status, answer = token(header(source))
        want(status == 200, source, answer)
        want(last_peer("token", "issued_at") == source, "ledger")
    for source in ("10.2.0.1", "127.0.0.1"):
        status, answer = token(header(source))
        want((status, answer["code"]) == (403, "address-not-allowed"), source, answer)
        want(source in answer["detail"], answer)
        want(last_peer("token_refusal", "id") == source, "refusals")
    status, answer = post(Behind(header("10.9.8.7")), "/secrets/report",
                          {"secret": read("secret-leak")})
    want(status == 202, answer)
    want(sql("SELECT evidence->>'peer' FROM stipa.audit_event WHERE action = 'secret_reported'")
         == "10.9.8.7", "audit")


def ipv6():
    for source, text in (("2001:db8:1::7", "2001:db8:1::7"), ("::ffff:10.1.4.4", "10.1.4.4")):
        status, answer = token(header(source))
        want(status == 200, source, answer)
        want(last_peer("token", "issued_at") == text, "ledger")
    status, answer = token(header("2001:db8:2::7"))
    want(status == 403 and "2001:db8:2::7" in answer["detail"], answer)


def local_command():
    for first in (frame(LOCAL, UNSPEC, b""), frame(LOCAL, TCP4, addresses("10.1.2.3")),
                  frame(LOCAL, TCP6, addresses("2001:db8:1::7")), frame(LOCAL, UNIX, b"x" * 216)):
        for peer in (A_PROXY, ANOTHER_PROXY):
            status, answer = token(first, peer=peer)
            want(status == 403 and peer in answer["detail"], first, answer)


def tlvs():
    authority, unique = tlv(0x02, b"sti-pa.example"), tlv(0x05, b"u" * 128)
    room = 536 - len(header("10.1.2.3"))
    for more in (authority, authority + unique, tlv(0x04, b"\0" * (room - 3)), b"\xff" * 5):
        want(token(header("10.1.2.3", more))[0] == 200, len(more))
    cut = header("10.1.2.3", authority)
    behind = Behind(b"")
    plain = socket.create_connection(("127.0.0.1", PORT), 30, (A_PROXY, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(cut)):
        plain.sendall(cut[i:i + 1])
    behind.sock = CONTEXT.wrap_socket(plain, server_hostname="127.0.0.1")
    want(post(behind, "/secrets/report", {"secret": "x"})[0] == 202, "byte by byte")


def limits():
    told = [token(header("10.7.0.1"), "limited", "5678", secret="x" * 43)[0] for _ in range(5)]
    want(told == [403] * 4 + [429], told)
    want(token(header("10.7.0.2"), "limited", "5678")[0] == 200, "another address")
    want(token(frame(LOCAL, UNSPEC, b""), "limited", "5678")[0] == 200, "the proxy itself")
    want(token(header("10.7.0.1", ), "limited", "5678", peer=ANOTHER_PROXY)[0] == 429,
         "by another proxy")
    opened = [Behind(header("10.8.0.1")) for _ in range(8)]
    for connection in opened:
        connection.connect()
    want(is_closed(header("10.8.0.1")), "more connections than an address may have")
    want(token(header("10.8.0.2"), "limited", "5678")[0] == 200, "another address")
    for connection in opened:
        connection.close()


def begin(first, peer=A_PROXY):
    plain = socket.create_connection(("127.0.0.1", PORT), 30, (peer, 0))
    plain.sendall(first)
    return plain


def closes(plain, within):
    """Without a byte."""
    plain.settimeout(within)
    try:
        return plain.recv(4096) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    finally:
        plain.close()


def is_closed(first):
    """Before the deadline of the handshake, 6 s, could have closed it."""
    return closes(begin(first), 5)


def bad_headers():
    good = header("10.1.2.3")
    bad = {
        "version 1": b"PROXY TCP4 10.1.2.3 192.0.2.1 40000 443\r\n",
        "version 1 of IPv6": b"PROXY TCP6 2001:db8:1::7 2001:db8::1 40000 443\r\n",
        "version 3": header("10.1.2.3", command=0x31),
        "neither LOCAL nor PROXY": header("10.1.2.3", command=0x22),
        "UDP": frame(PROXY, UDP4, addresses("10.1.2.3")),
        "a UNIX socket": frame(PROXY, UNIX, b"x" * 216),
        "no family": frame(PROXY, UNSPEC, b""),
        "IPv4 addresses cut": frame(PROXY, TCP4, addresses("10.1.2.3")[:-1]),
        "IPv6 addresses cut": frame(PROXY, TCP6, addresses("2001:db8:1::7")[:-1]),
        "one byte too long": frame(PROXY, TCP4, addresses("10.1.2.3") + b"\0" * 509),
        "the longest there is": frame(PROXY, TCP4, addresses("10.1.2.3") + b"\0" * 65000),
        "LOCAL, one byte too long": frame(LOCAL, UNSPEC, b"\0" * 521),
        "nobody's address": header("0.0.0.0"),
        "nobody's IPv6 address": header("::"),
        "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "one byte of the signature wrong": b"\r\n\r\n\x01" + good[5:],
    }
    before = failed_handshakes()
    for what, first in bad.items():
        want(is_closed(first), what)
    want(failed_handshakes() == before + len(bad), "not all of them are counted")
    begun = time.monotonic()
    cuts = [begin(good[:cut]) for cut in (1, 12, 15, len(good) - 1)]
    want(not is_closed(good), "control: a good header is closed at once")
    for cut in cuts:
        want(closes(cut, 60), "a part of a header, and then nothing")
    want(time.monotonic() - begun > 5.9, "closed before the deadline")


def who_may_send_it():
    before = failed_handshakes()
    for what, first, peer in (("a proxy without its header", b"", A_PROXY),
                              ("two headers", header("10.1.2.3") * 2, A_PROXY),
                              ("a header from nobody's proxy", header("10.1.2.3"), NO_PROXY)):
        try:
            token(first, peer=peer)
            want(False, what, "is served")
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            pass
    want(failed_handshakes() >= before + 3, "not counted")
    status, answer = token(b"", peer=NO_PROXY)
    want(status == 403 and NO_PROXY in answer["detail"], "no proxy", answer)
    want(token(b"", "limited", "5678", peer=NO_PROXY)[0] == 200, "no proxy")


globals()[sys.argv[2]]()
