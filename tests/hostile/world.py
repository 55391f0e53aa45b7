# SPDX-License-Identifier: Apache-2.0
"""What the parts in braces of a row stand for, by where the row is sent."""
import base64
import json
import re

import wire

FINGERPRINT = "SHA256 " + ":".join(f"{(i * 7 + 3) % 256:02X}" for i in range(32))
GRACE_S = 1.0


def basic(client, secret):
    return base64.b64encode(f"{client}:{secret}".encode()).decode()


def order(spc):
    der = bytes([0x30, 8, 0xa0, 6, 0x16, 4]) + spc.encode()
    return json.dumps({"atc": {"tktype": "TNAuthList", "tkvalue": base64.b64encode(der).decode(),
                               "ca": False, "fingerprint": FINGERPRINT}})


class Place:
    """Somewhere that the battery can be sent to."""

    has_tls = False

    def __init__(self, address, deadlines):
        self.address, self.deadlines = address, deadlines

    def parts(self, ok):
        """The parts; `ok` for rows that are well formed."""
        raise NotImplementedError

    def expand(self, row, bytes_of=None):
        parts = self.parts(row is None or row.judged == "ok")

        def part(match):
            return parts.get(match.group(1), match.group(0))

        text = bytes_of if bytes_of is not None else row.raw
        return re.sub(r"\{([A-Z]+)\}", part, text).encode("latin-1")

    def connect(self):
        return wire.Plain(self.address)

    def wants(self, row):
        return row.want

    def deadline(self, row):
        """How long the other end may keep it, in seconds."""
        return self.deadlines.get(row.deadline, 0) / 1000 + GRACE_S


class Node(Place):
    """The public port of a node: sp-a asks for its own SPC, sp-hidden is the hidden request."""

    has_tls = True

    def __init__(self, port, deadlines, secret, hidden):
        super().__init__(("127.0.0.1", port), deadlines)
        self.secret, self.hidden = secret, hidden

    def request(self, who, secret, spc):
        body = order(spc)
        return {"POST": f"POST /sti-pa/account/sp-{who}/token HTTP/1.1\r\n",
                "HOST": "Host: localhost\r\n",
                "AUTH": f"Authorization: Basic {basic('client-' + who, secret)}\r\n",
                "TYPE": "Content-Type: application/json\r\n",
                "LENGTH": f"Content-Length: {len(body)}",
                "LEN": f"Content-Length: {len(body)}\r\n",
                "BODY": body, "BODYCUT": body[:-1]}

    def parts(self, ok):
        return with_whole(self.request("a", self.secret, "1001"),
                          self.request("hidden", self.hidden, "1002"))

    def connect(self):
        connection = wire.Tls(self.address)
        if not connection.handshake():
            raise ConnectionError(f"no handshake: {connection.alert}")
        return connection


class Local(Place):
    """A plain socket, whose routes are GET only: /livez is asked, /readyz is the hidden request."""

    def parts(self, ok):
        good = {"POST": "GET /livez HTTP/1.1\r\n" if ok else "POST /livez HTTP/1.1\r\n",
                "HOST": "Host: localhost\r\n",
                "AUTH": "" if ok else "Authorization: Basic eDp5\r\n",
                "TYPE": "" if ok else "Content-Type: application/json\r\n",
                "LENGTH": "Content-Length: 3", "LEN": "" if ok else "Content-Length: 3\r\n",
                "BODY": "" if ok else "{}\n", "BODYCUT": "{}"}
        hidden = dict(good, POST="GET /readyz HTTP/1.1\r\n", AUTH="", TYPE="", LEN="", BODY="")
        return with_whole(good, hidden)

    def wants(self, row):
        if row.judged in ("host", "route", "local 404"):
            return [[404], [405]]
        return [status for status in row.want if status != 100]


def with_whole(good, hidden):
    order_of = ("POST", "HOST", "AUTH", "TYPE", "LEN")
    parts = dict(good)
    parts["GOOD"] = "".join(good[name] for name in order_of) + "\r\n" + good["BODY"]
    parts["HIDDEN"] = "".join(hidden[name] for name in order_of) + "\r\n" + hidden["BODY"]
    parts["LENHIDDEN"] = f"Content-Length: {len(parts['HIDDEN'])}\r\n"
    return parts
