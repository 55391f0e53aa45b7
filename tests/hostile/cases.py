# SPDX-License-Identifier: Apache-2.0
"""Raw requests that a trust anchor must refuse, as one table.

A row is a name, the bytes, what has to come back, and how the bytes are sent.  In the bytes stand
parts in braces: {POST} {HOST} {AUTH} {TYPE} {LEN} are the lines of a request that is well formed,
{BODY} its body, {GOOD} all of it, and {HIDDEN} a whole second request, of another client, whose
effect would be seen: it is never run.

What comes back is the list of statuses up to the end of the connection; [] is a close without an
answer.  `judged` says what had to be looked at first: rows of "head" are refused alike wherever
they are sent; the others need a host, a route or a body, which a local socket does not have.
"""
from typing import NamedTuple


class Row(NamedTuple):
    name: str
    raw: str
    want: list
    judged: str = "head"
    how: str = "at once"
    deadline: str = ""   # the one that ends it; else it ends at once
    tls: str = ""        # only over TLS, done by this function of tls_attacks.py


REST = "{HOST}{AUTH}{TYPE}{LEN}\r\n{BODY}{HIDDEN}"
PATH = "/sti-pa/account/sp-a/token"


def line(name, text, status):
    return Row("line: " + name, text + "\r\n" + REST, [status])


def target(name, text, status=400, judged="head"):
    return Row("target: " + name, f"POST {text} HTTP/1.1\r\n" + REST, [status], judged)


def field(name, text, status=400, judged="head"):
    """One more field, in front of the others."""
    return Row("field: " + name, "{POST}" + text + "\r\n" + REST, [status], judged)


def length(name, text, status=400, judged="head"):
    """Instead of Content-Length."""
    lines = text + "\r\n" if text else ""
    return Row("framing: " + name, "{POST}{HOST}{AUTH}{TYPE}" + lines + "\r\n{BODY}{HIDDEN}",
               [status], judged)


def host(name, text, status=400, judged="head"):
    """Instead of Host."""
    lines = text + "\r\n" if text else ""
    return Row("host: " + name, "{POST}" + lines + "{AUTH}{TYPE}{LEN}\r\n{BODY}{HIDDEN}",
               [status], judged)


def whole(name, text, want, judged="head", how="at once", deadline=""):
    return Row(name, text, want, judged, how, deadline)


def tls(name, how, want, deadline=""):
    return Row("tls: " + name, "", want, "tls", "tls", deadline, how)


CONTROLS = [
    whole("control: a request", "{GOOD}", [200], "ok", "at once", "idle"),
    whole("control: a request, byte by byte", "{GOOD}", [200], "ok", "bytes", "idle"),
    whole("control: the client expects to be told to go on",
          "{POST}{HOST}{AUTH}{TYPE}Expect: 100-continue\r\n{LEN}\r\n{BODY}", [100, 200], "ok",
          "after head", "idle"),
    whole("control: the client wants to close",
          "{POST}{HOST}{AUTH}{TYPE}{LEN}Connection: close\r\n\r\n{BODY}", [200], "ok"),
    whole("control: two requests, one after the other", "{GOOD}", [200, 200], "ok", "twice",
          "idle"),
]

LINES = [
    line("HTTP/1.0", f"POST {PATH} HTTP/1.0", 505),
    line("HTTP/1.2", f"POST {PATH} HTTP/1.2", 505),
    line("HTTP/2.0", f"POST {PATH} HTTP/2.0", 505),
    line("HTTP/0.9 by name", f"POST {PATH} HTTP/0.9", 505),
    line("no version", f"POST {PATH}", 400),
    line("http in small letters", f"POST {PATH} http/1.1", 505),
    line("version with a leading zero", f"POST {PATH} HTTP/01.1", 505),
    line("version with two digits", f"POST {PATH} HTTP/1.10", 505),
    line("version beyond 32 bits", f"POST {PATH} HTTP/4294967297.1", 505),
    line("version with a sign", f"POST {PATH} HTTP/+1.1", 505),
    line("version with a comma", f"POST {PATH} HTTP/1,1", 505),
    line("another protocol", f"POST {PATH} ICY/1.1", 505),
    line("blank after the version", f"POST {PATH} HTTP/1.1 ", 400),
    line("tab after the version", f"POST {PATH} HTTP/1.1\t", 505),
    line("two blanks after the method", f"POST  {PATH} HTTP/1.1", 400),
    line("two blanks before the version", f"POST {PATH}  HTTP/1.1", 400),
    line("tabs for blanks", f"POST\t{PATH}\tHTTP/1.1", 400),
    line("a blank first", f" POST {PATH} HTTP/1.1", 400),
    line("a blank in the target", "POST /sti-pa/account/sp-a /token HTTP/1.1", 400),
    line("vertical tab for a blank", f"POST\x0b{PATH} HTTP/1.1", 400),
    line("no method", f" {PATH} HTTP/1.1", 400),
    line("method in small letters", f"post {PATH} HTTP/1.1", 501),
    line("method that nobody knows", f"FETCH {PATH} HTTP/1.1", 501),
    line("CONNECT", "CONNECT localhost:443 HTTP/1.1", 501),
    line("TRACE", f"TRACE {PATH} HTTP/1.1", 501),
    line("OPTIONS *", "OPTIONS * HTTP/1.1", 501),
    line("TRACK", f"TRACK {PATH} HTTP/1.1", 501),
    line("a colon in the method", f"PO:ST {PATH} HTTP/1.1", 400),
    line("NUL in the method", f"PO\0ST {PATH} HTTP/1.1", 400),
    line("8-bit byte in the method", f"PO\xe9ST {PATH} HTTP/1.1", 400),
    line("GET with nothing else", "GET", 400),
    line("HTTP/2 preface", "PRI * HTTP/2.0", 501),
    line("bare CR in the line", f"POST {PATH}\rX HTTP/1.1", 400),
    whole("line: an empty line first", "\r\n{GOOD}{HIDDEN}", [400]),
    whole("line: a bare LF first", "\n{GOOD}{HIDDEN}", [400]),
    whole("line: bare LF after the request line",
          f"POST {PATH} HTTP/1.1\n" + REST, [400]),
    whole("line: bare CR after the request line",
          f"POST {PATH} HTTP/1.1\r" + REST, [400]),
    whole("line: HTTP/0.9", "GET /sti-pa/cert.crt\r\n", [400]),
    whole("line: TLS on top of it", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
    whole("line: SMTP", "EHLO localhost\r\n{HIDDEN}", [400]),
    whole("line: PROXY protocol version 1",
          "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n{GOOD}", [501]),
    whole("line: PROXY protocol version 2",
          "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2{GOOD}", [400]),
]

TARGETS = [
    target("absolute form", f"http://localhost{PATH}"),
    target("absolute form of another host", f"http://example.com{PATH}"),
    target("authority form", "localhost:443"),
    target("asterisk", "*"),
    target("no leading slash", PATH[1:]),
    target("nothing", ""),
    target("dot segment", "/sti-pa/../sti-pa/account/sp-a/token"),
    target("single dot segment", "/sti-pa/./account/sp-a/token"),
    target("dot segment at the end", f"{PATH}/.."),
    target("empty segment", "/sti-pa//account/sp-a/token"),
    target("empty segment first", "//sti-pa/account/sp-a/token"),
    target("%00", "/sti-pa/account/sp-a%00/token"),
    target("%2f", "/sti-pa/account%2fsp-a/token"),
    target("%2F", "/sti-pa/account%2Fsp-a/token"),
    target("%5c", "/sti-pa/account/sp-a%5ctoken"),
    target("%2e%2e", "/sti-pa/%2e%2e/sti-pa/account/sp-a/token"),
    target("%2E", "/sti-pa/account/sp%2Ea/token"),
    target("escaped twice", "/sti-pa/account/sp%252da/token"),
    target("%zz", "/sti-pa/account/sp%zza/token"),
    target("cut escape", f"{PATH}%2"),
    target("lone per cent sign", f"{PATH}%"),
    target("%0d%0a", "/sti-pa/account/sp-a%0d%0aX:%20y/token"),
    target("%7f", "/sti-pa/account/sp-a%7f/token"),
    target("%ff", "/sti-pa/account/sp-a%ff/token"),
    target("overlong UTF-8", "/sti-pa/%c0%ae%c0%ae/account/sp-a/token"),
    target("IIS escape", "/sti-pa/account/sp%u002da/token"),
    target("backslash", "/sti-pa\\account\\sp-a\\token"),
    target("fragment", f"{PATH}#x"),
    target("8-bit byte", "/sti-pa/account/sp\xe9/token"),
    target("NUL", "/sti-pa/account/sp-a\0/token"),
    target("quotation mark", "/sti-pa/account/\"sp-a\"/token"),
    target("angle brackets", "/sti-pa/account/<sp-a>/token"),
    target("brackets", "/sti-pa/account/[sp-a]/token"),
    target("braces", "/sti-pa/account/%7bid}/token"),
    target("pipe", "/sti-pa/account/sp-a|b/token"),
    target("NUL escaped in the query", f"{PATH}?a=%00"),
    target("fragment in the query", f"{PATH}?a#b"),
    target("malformed escape in the query", f"{PATH}?a=%q1"),
    target("8-bit byte in the query", f"{PATH}?a=\xff"),
    target("a path that is not there", "/hidden/marker", 404, "route"),
    target("a path too many", f"{PATH}/x", 404, "route"),
    target("a slash too many", f"{PATH}/", 404, "route"),
    target("in capital letters", PATH.upper(), 404, "route"),
    target("with path parameters", "/sti-pa;x=1/account/sp-a/token", 404, "route"),
    target("longer than the head may be", "/" + "a" * 8200, 431),
]

HOSTS = [
    host("none", ""),
    host("two", "Host: localhost\r\nHost: localhost"),
    host("two that differ", "Host: localhost\r\nHost: example.com"),
    host("twice in other letters", "Host: localhost\r\nhOST: localhost"),
    host("empty", "Host:"),
    host("a comma", "Host: localhost, example.com"),
    host("a blank inside", "Host: local host"),
    host("user information", "Host: user@localhost"),
    host("a path", "Host: localhost/x"),
    host("a scheme", "Host: https://localhost"),
    host("a port that is no number", "Host: localhost:http"),
    host("a port beyond 16 bits", "Host: localhost:65536"),
    host("an empty port", "Host: localhost:"),
    host("two ports", "Host: localhost:1:2"),
    host("NUL", "Host: localhost\0.example.com"),
    host("escape", "Host: localhos%74"),
    host("brackets without end", "Host: [::1"),
    host("another name", "Host: example.com", 421, "host"),
    host("a name that begins alike", "Host: localhost.example.com", 421, "host"),
    host("a final dot", "Host: localhost.", 421, "host"),
    host("an address that is not ours", "Host: 127.0.0.2", 421, "host"),
    host("the address as one number", "Host: 2130706433", 421, "host"),
    host("the other form of the address", "Host: [::ffff:127.0.0.1]", 421, "host"),
]

FRAMING = [
    length("no length", "", 411),
    length("chunked", "Transfer-Encoding: chunked", 501),
    length("chunked beside a length", "Transfer-Encoding: chunked\r\n{LENGTH}", 501),
    length("a length beside chunked", "{LENGTH}\r\nTransfer-Encoding: chunked", 501),
    length("identity", "Transfer-Encoding: identity", 501),
    length("gzip", "Transfer-Encoding: gzip", 501),
    length("gzip, chunked", "Transfer-Encoding: gzip, chunked", 501),
    length("xchunked", "Transfer-Encoding: xchunked\r\n{LENGTH}", 501),
    length("chunked in capital letters", "TRANSFER-ENCODING: CHUNKED\r\n{LENGTH}", 501),
    length("chunked after a vertical tab", "Transfer-Encoding:\x0bchunked\r\n{LENGTH}"),
    length("chunked, blank before the colon", "Transfer-Encoding : chunked\r\n{LENGTH}"),
    length("chunked, tab before the colon", "Transfer-Encoding\t: chunked\r\n{LENGTH}"),
    length("chunked on a folded line", "X: y\r\n Transfer-Encoding: chunked\r\n{LENGTH}"),
    length("chunked, folded after the colon", "Transfer-Encoding:\r\n chunked\r\n{LENGTH}", 501),
    length("empty Transfer-Encoding", "Transfer-Encoding:\r\n{LENGTH}", 501),
    length("Transfer-Encoding with an underscore", "Transfer_Encoding: chunked\r\n{LENGTH}"),
    length("chunked behind a bare CR", "X: y\rTransfer-Encoding: chunked\r\n{LENGTH}"),
    length("chunked behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n{LENGTH}"),
    length("chunked behind NUL", "X: y\0Transfer-Encoding: chunked\r\n{LENGTH}"),
    length("TE", "TE: trailers\r\n{LENGTH}", 501),
    length("Trailer", "Trailer: Authorization\r\n{LENGTH}", 501),
    length("Upgrade", "Upgrade: websocket\r\nConnection: upgrade\r\n{LENGTH}", 501),
    length("Upgrade to h2c",
           "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
           "AARAAAAAAAIAAAAA\r\n{LENGTH}", 501),
    length("two lengths", "Content-Length: 0\r\n{LENGTH}"),
    length("two equal lengths", "{LENGTH}\r\n{LENGTH}"),
    length("two lengths, the second in small letters", "{LENGTH}\r\ncontent-length: 0"),
    length("two lengths in one", "Content-Length: 0, 3"),
    length("twice the same in one", "Content-Length: 3, 3"),
    length("+", "Content-Length: +3"),
    length("-0", "Content-Length: -0"),
    length("negative", "Content-Length: -1"),
    length("empty", "Content-Length:"),
    length("hexadecimal", "Content-Length: 0x3"),
    length("a fraction", "Content-Length: 3.0"),
    length("a power", "Content-Length: 3e0"),
    length("a leading zero", "Content-Length: 03"),
    length("eight digits", "Content-Length: 10000000", 413),
    length("beyond 64 bits", "Content-Length: 18446744073709551619", 413),
    length("seven digits", "Content-Length: 9999999", 413, "route"),
    length("one more than the route takes", "Content-Length: 4097", 413, "route"),
    length("a blank inside", "Content-Length: 1 0"),
    length("blank before the colon", "Content-Length : 3"),
    length("vertical tab before the number", "Content-Length: \x0b3"),
    length("NUL after the number", "Content-Length: 3\0"),
    length("a quoted number", 'Content-Length: "3"'),
    length("a semicolon", "Content-Length: 3;x"),
    length("Arabic digits", "Content-Length: \xd9\xa3"),
    length("on a folded line", "X: y\r\n Content-Length: 3"),
    length("an underscore", "Content_Length: 3"),
    length("shorter than the body", "Content-Length: 0", 400, "route"),
    length("expects something else", "Expect: 200-ok\r\n{LENGTH}", 417),
    length("expects twice", "Expect: 100-continue\r\nExpect: 100-continue\r\n{LENGTH}"),
    length("expects much", "Expect: 100-continue, x\r\n{LENGTH}", 417),
    whole("framing: GET with a body",
          "GET /sti-pa/cert.crt HTTP/1.1\r\n{HOST}{LEN}\r\n{HIDDEN}", [400]),
    whole("framing: HEAD with a body",
          "HEAD /sti-pa/cert.crt HTTP/1.1\r\n{HOST}{LEN}\r\n{HIDDEN}", [400]),
    whole("framing: DELETE with a body",
          "DELETE /sti-pa/cert.crt HTTP/1.1\r\n{HOST}{LEN}\r\n{HIDDEN}", [400]),
    whole("framing: GET, chunked",
          "GET /sti-pa/cert.crt HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
          "{HIDDEN}", [501]),
    whole("framing: chunked with a chunk",
          "{POST}{HOST}{AUTH}{TYPE}Transfer-Encoding: chunked\r\n\r\n3\r\n{}a\r\n0\r\n\r\n"
          "{HIDDEN}", [501]),
    whole("framing: chunk size with a sign",
          "{POST}{HOST}{AUTH}{TYPE}Transfer-Encoding: chunked\r\n\r\n+3\r\n{}a\r\n0\r\n\r\n"
          "{HIDDEN}", [501]),
    whole("framing: chunk size beyond 64 bits",
          "{POST}{HOST}{AUTH}{TYPE}Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\n{}a"
          "\r\n0\r\n\r\n{HIDDEN}", [501]),
    whole("framing: the body of the first is the second",
          "{POST}{HOST}{AUTH}{TYPE}{LENHIDDEN}\r\n{HIDDEN}", [400], "route", "at once", "idle"),
    whole("framing: the body ends early", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r\n{", [], "route",
          "half"),
]

FIELDS = [
    field("folded line", "X: y\r\n z"),
    field("folded by a tab", "X: y\r\n\tz"),
    whole("field: folded line first", "{POST} X: y\r\n" + REST, [400]),
    field("no colon", "X"),
    field("empty name", ": y"),
    field("blank in the name", "X Y: z"),
    field("blank before the colon", "X : y"),
    field("underscore in the name", "X_Y: z"),
    field("8-bit byte in the name", "X\xe9: y"),
    field("NUL in the name", "X\0Y: z"),
    field("parenthesis in the name", "X(Y): z"),
    field("NUL in a value", "X: y\0z"),
    field("bell in a value", "X: y\az"),
    field("DEL in a value", "X: y\x7fz"),
    field("8-bit byte in a value", "X: y\xffz"),
    field("UTF-8 in a value", "X: \xc3\xa9"),
    field("bare CR in a value", "X: y\rHost: example.com"),
    field("bare LF in a value", "X: y\nHost: example.com"),
    field("CR CR LF", "X: y\r"),
    field("form feed in a value", "X: \x0cy"),
    field("a line that begins with NUL", "\0X: y"),
    field("two Authorization", "Authorization: Basic eA=="),
    field("two Content-Type", "Content-Type: text/plain"),
    field("two Cookie", "Cookie: a=b\r\nCookie: c=d"),
    field("two Origin", "Origin: null\r\nOrigin: https://example.com"),
    field("two Connection", "Connection: close\r\nConnection: keep-alive"),
    field("two Idempotency-Key", "Idempotency-Key: 1\r\nIdempotency-Key: 2"),
    field("49 fields", "\r\n".join(f"X-{i}: y" for i in range(48)), 431),
    field("1,000 fields", "\r\n".join("X: y" for i in range(1000)), 431),
    field("a long value", "X: " + "y" * 8192, 431),
    field("a long name", "X" * 8192 + ": y", 431),
    field("a name without an end", "X" * 20000, 431),
    whole("field: a megabyte of head", "{POST}" + "X: " + "y" * 1000000, [431]),
    whole("field: a head that ends with LF LF",
          f"POST {PATH} HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n" + "{HIDDEN}", [400]),
    whole("field: the empty line is a bare LF", "{POST}{HOST}{AUTH}{TYPE}{LEN}\n{BODY}{HIDDEN}",
          [400]),
    whole("field: the empty line is a bare CR", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r{BODY}{HIDDEN}",
          [400]),
    whole("field: the empty line has a blank",
          "{POST}{HOST}{AUTH}{TYPE}{LEN} \r\n\r\n{BODY}{HIDDEN}", [400]),
    whole("field: the empty line has NUL",
          "{POST}{HOST}{AUTH}{TYPE}{LEN}\0\r\n\r\n{BODY}{HIDDEN}", [400]),
    field("hop-by-hop Host", "Connection: Host, Content-Length", 200, "ok"),
    field("another method", "X-HTTP-Method-Override: DELETE", 200, "ok"),
    field("another path", "X-Original-URL: /sti-pa/account/sp-hidden/token", 200, "ok"),
    field("another host", "X-Forwarded-Host: example.com", 200, "ok"),
    field("another address", "X-Forwarded-For: 127.0.0.1", 200, "ok"),
]

ROUTES = [
    whole("route: another method", f"GET {PATH} HTTP/1.1\r\n" + "{HOST}{AUTH}\r\n{HIDDEN}", [405],
          "local 404"),
    whole("route: PUT", f"PUT {PATH} HTTP/1.1\r\n" + REST, [405], "local 404"),
    whole("route: DELETE", f"DELETE {PATH} HTTP/1.1\r\n" + "{HOST}{AUTH}\r\n{HIDDEN}", [405],
          "local 404"),
    whole("route: the local routes are not public",
          "GET /metrics HTTP/1.1\r\n{HOST}\r\n{HIDDEN}", [404], "public"),
    whole("route: /readyz is not public", "GET /readyz HTTP/1.1\r\n{HOST}\r\n{HIDDEN}", [404],
          "public"),
]

SLOW = [
    whole("slow: nothing at all", "", [], "head", "silent", "head"),
    whole("slow: one byte", "P", [408], "head", "silent", "head"),
    whole("slow: a byte of the request line at a time", f"POST /{'a' * 4000}", [408], "head",
          "drip", "head"),
    whole("slow: a field at a time", "{POST}" + "X: y\r\n" * 4000, [408], "head", "drip", "head"),
    whole("slow: all but the last byte of the head", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r", [408],
          "head", "silent", "head"),
    whole("slow: a head and no body", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r\n", [408], "route",
          "silent", "body"),
    whole("slow: a byte of the body at a time",
          "{POST}{HOST}{AUTH}{TYPE}Content-Length: 4000\r\n\r\n" + " " * 4000, [408], "route",
          "drip body", "body"),
    whole("slow: all but the last byte of the body", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r\n{BODYCUT}",
          [408], "route", "silent", "body"),
    whole("slow: told to go on, and does not",
          "{POST}{HOST}{AUTH}{TYPE}Expect: 100-continue\r\n{LEN}\r\n", [100, 408], "route",
          "silent", "body"),
    whole("slow: a second request by the byte", "{GOOD}", [200, 408], "ok", "then drip", "head"),
]

GREEDY = [
    whole("pipelined: two at once", "{GOOD}{HIDDEN}", [200], "ok"),
    whole("pipelined: a hundred at once", "{GOOD}" + "{HIDDEN}" * 100, [200], "ok"),
    whole("pipelined: half of a second", "{GOOD}POST /hidden", [200], "ok"),
    whole("pipelined: a second that is malformed", "{GOOD}\0\0\0", [200], "ok"),
    whole("pipelined: an empty line after the body", "{GOOD}\r\n", [200], "ok"),
    whole("pipelined: a second behind a refusal", "{POST}\r\n{HIDDEN}", [400]),
    whole("pipelined: without end, never read", "{GOOD}{HIDDEN}", [200], "ok", "flood"),
    whole("half-closed: before a byte", "", [], "head", "half"),
    whole("half-closed: in the request line", "POST /", [], "head", "half"),
    whole("half-closed: in the head", "{POST}{HOST}", [], "head", "half"),
    whole("half-closed: behind a refusal", "\0", [400], "head", "half"),
    whole("reset: before a byte", "", [], "head", "reset"),
    whole("reset: in the head", "{POST}", [], "head", "reset"),
    whole("reset: in the body", "{POST}{HOST}{AUTH}{TYPE}{LEN}\r\n{", [], "head", "reset"),
    whole("reset: after a request", "{GOOD}", [], "head", "reset"),
]

TLS = [
    tls("plain HTTP", "plain_http", [], ""),
    tls("silence before the handshake", "silence", [], "handshake"),
    tls("a byte of the handshake at a time", "handshake_drip", [], "handshake"),
    tls("half a ClientHello", "half_hello", [], "handshake"),
    tls("records of one byte", "one_byte_records", [200], ""),
    tls("a ClientHello of 64 KiB in records", "huge_hello", [], "handshake"),
    tls("a record longer than a record", "long_record", [], ""),
    tls("garbage", "garbage", [], ""),
    tls("SSL 2.0", "ssl2", [], ""),
    tls("SSL 3.0", "ssl3", [], ""),
    tls("TLS 1.0", "tls10", [], ""),
    tls("TLS 1.1", "tls11", [], ""),
    tls("only CBC", "only_cbc", [], ""),
    tls("only without forward secrecy", "only_rsa", [], ""),
    tls("only anonymous", "only_anonymous", [], ""),
    tls("no cipher that both have", "no_cipher", [], ""),
    tls("only HTTP/2", "only_h2", [], ""),
    tls("another name than Host", "other_sni", [421], ""),
    tls("another name, resumed", "other_sni_resumed", [421], ""),
    tls("renegotiation", "renegotiate", [], "head"),
    tls("renegotiation without end", "renegotiate_flood", [], "head"),
    tls("key updates without end", "key_update_flood", [], ""),
    tls("a request as early data", "early_data", [], "head"),
    tls("alert before the handshake", "early_alert", [], ""),
    tls("application data before the handshake", "early_application_data", [], ""),
    tls("change cipher spec without end", "ccs_flood", [], "handshake"),
    tls("handshake, then plain HTTP", "plain_after_handshake", [], ""),
    tls("handshake, then a broken record", "broken_record", [], ""),
    tls("handshake, then a heartbeat", "heartbeat", [], ""),
    tls("goodbye, then a request", "request_after_goodbye", [], ""),
    tls("a request in records of one byte", "request_by_records", [200], ""),
    tls("empty records without end", "empty_records", [], ""),
    tls("the handshake twice", "hello_twice", [], ""),
    tls("closed in the handshake", "leave_in_handshake", [], ""),
    tls("PROXY protocol from nobody's proxy", "proxy_header", [], ""),
]

ROWS = CONTROLS + LINES + TARGETS + HOSTS + FRAMING + FIELDS + ROUTES + SLOW + GREEDY + TLS
