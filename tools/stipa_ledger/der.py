# SPDX-License-Identifier: Apache-2.0
"""DER, as little as is needed: the TNAuthList of a token, key and dates of a certificate."""
from datetime import datetime, timezone

SEQUENCE, INTEGER, BIT_STRING, OID = 0x30, 0x02, 0x03, 0x06
IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x16, 0x17, 0x18
CONTEXT_0 = 0xA0  # constructed

# id-ecPublicKey, prime256v1 (RFC 5480)
P256 = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")


class NotDer(ValueError):
    pass


def read(data, at=0, end=None):
    """One element: its tag, where its content begins, where it ends.  Definite, shortest lengths."""
    end = len(data) if end is None else end
    if at + 2 > end:
        raise NotDer("cut short")
    tag, length = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise NotDer("a tag of several bytes")
    at += 2
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or at + count > end:
            raise NotDer("a length without end, or too long")
        length = int.from_bytes(data[at:at + count], "big")
        if length < 0x80 or data[at] == 0:
            raise NotDer("a length that is not the shortest")
        at += count
    if at + length > end:
        raise NotDer("cut short")
    return tag, at, at + length


def expect(tag, data, at, end):
    """The content of an element that must have this tag."""
    found, begin, stop = read(data, at, end)
    if found != tag:
        raise NotDer(f"tag {found:#x}, not {tag:#x}")
    return begin, stop


def only(tag, data, at, end):
    """The same, and nothing may follow it."""
    begin, stop = expect(tag, data, at, end)
    if stop != end:
        raise NotDer("trailing bytes")
    return begin, stop


def spc_of_tnauthlist(data):
    """RFC 8226 section 9: SEQUENCE OF, with one [0] EXPLICIT IA5String in it."""
    at, end = only(SEQUENCE, data, 0, len(data))
    at, end = only(CONTEXT_0, data, at, end)
    at, end = only(IA5_STRING, data, at, end)
    return data[at:end].decode("ascii")


def time_of(data, tag, begin, end):
    """UTCTime or GeneralizedTime as Unix microseconds (RFC 5280 section 4.1.2.5)."""
    text = data[begin:end].decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != GENERALIZED_TIME:
        raise NotDer("no time")
    moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1000000


def certificate(data):
    """The key (x, y) on P-256 and the dates of an X.509 certificate: RFC 5280 section 4.1."""
    at, end = only(SEQUENCE, data, 0, len(data))
    at, end = expect(SEQUENCE, data, at, end)
    if data[at] == CONTEXT_0:  # version
        at = read(data, at, end)[2]
    for _ in range(3):  # serialNumber, signature, issuer
        at = read(data, at, end)[2]
    begin, stop = expect(SEQUENCE, data, at, end)
    tag, first, middle = read(data, begin, stop)
    not_before = time_of(data, tag, first, middle)
    tag, first, last = read(data, middle, stop)
    not_after = time_of(data, tag, first, last)
    at = read(data, stop, end)[2]  # subject
    begin, stop = expect(SEQUENCE, data, at, end)
    first, last = expect(SEQUENCE, data, begin, stop)
    if data[first:last] != P256:
        raise NotDer("the key is not on P-256")
    first, last = only(BIT_STRING, data, last, stop)
    point = data[first:last]
    if len(point) != 66 or point[:2] != b"\x00\x04":
        raise NotDer("the key is no uncompressed point")
    key = int.from_bytes(point[2:34], "big"), int.from_bytes(point[34:], "big")
    return key, not_before, not_after
