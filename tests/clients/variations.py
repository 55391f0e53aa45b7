#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The contract that real clients impose, a row each.

usage: variations.py --ca FILE --crl URL --account ID --tkvalue TEXT --user NAME
                     --password-file FILE PORT

Each shape of client must be content with the node.  Then the node's answers are varied as other
STI-PAs vary them, and each shape must say of each variation what the real client said: a shape
that takes what the real one refuses would show nothing.
"""
import argparse
import datetime
import http.client
import json
import ssl
import sys
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from jose_text import decode, encode, part
from shapes import SHAPES, string_map

faults = []


def node_service(port, ca_file):
    context = ssl.create_default_context(cafile=ca_file)

    def ask(method, url, headers, body):
        path = urllib.parse.urlsplit(url).path
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=15, context=context)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type"), answer.read()
        finally:
            connection.close()

    return ask


class Signer:
    """A stand-in's key: whoever varies a token must sign it anew."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "STI-PA stand-in")])
        now = datetime.datetime.utcnow()
        self.pem = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(
            self.key.public_key()).serial_number(1).not_valid_before(now).not_valid_after(
                now + datetime.timedelta(days=1)).sign(self.key, hashes.SHA256()).public_bytes(
                    serialization.Encoding.PEM)

    def sign(self, header, payload):
        signed = ".".join(encode(json.dumps(value, separators=(",", ":")).encode())
                          for value in (header, payload))
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


# ---- variations: each changes login, answer, header, payload in place, or the media or the text ----

def number_in_login(v):
    v.login["expiresIn"] = 3600


def number_in_answer(v):
    v.answer["expiresIn"] = 3600


def no_ca(v):
    del v.payload["atc"]["ca"]


def upper_case(v):
    v.payload["atc"]["fingerprint"] = v.payload["atc"]["fingerprint"].upper()


def no_padding(v):
    v.payload["atc"]["tkvalue"] = v.payload["atc"]["tkvalue"].rstrip("=")


def array_in_header(v):
    v.header["x5c"] = ["MIIB"]


def extra_claims(v):
    v.payload.update(iat=1, iss="https://sti-pa.example")


def other_media_type(v):
    v.media = "application/json"


def no_crl(v):
    del v.answer["crl"]


def other_crl(v):
    v.answer["crl"] = "https://elsewhere.example/crl"


def soon_expired(v):
    v.payload["exp"] = int(datetime.datetime.now().timestamp()) + 100


def other_signer_first(v):
    v.pem = Signer().pem + v.pem


def pretty(v):
    v.indent = 2


ROWS = [  # variation, the shapes that refuse it
    ("baseline", lambda v: None, set()),
    ("a number in the login response", number_in_login, {"VM"}),
    ("a number in the token response", number_in_answer, set()),
    ("token without ca when false", no_ca, {"PH"}),
    ("fingerprint upper-cased by the PA", upper_case, set()),
    ("tkvalue re-encoded without padding", no_padding, {"PH"}),
    ("array-valued JWS header (x5c)", array_in_header, {"RB"}),
    ("extra iat and iss claims", extra_claims, set()),
    ("token response typed application/json whatever Accept was", other_media_type, {"RB"}),
    ("crl absent", no_crl, {"PH", "RB"}),
    ("another crl than the one configured", other_crl, {"PH"}),
    ("exp in 100 s", soon_expired, {"PH"}),
    ("x5u with another certificate first", other_signer_first, {"PH", "VM"}),
    ("pretty-printed JSON", pretty, {"sed"}),
]


class Varied:
    """The node behind a variation."""

    def __init__(self, node, vary):
        self.node, self.vary, self.signer = node, vary, Signer()
        self.login, self.answer, self.header = {}, {}, {}
        self.payload = {"atc": {}, "exp": 0}
        self.media, self.indent, self.pem = None, None, self.signer.pem

    def text(self, value):
        separators = (",", ": ") if self.indent else (",", ":")
        return json.dumps(value, indent=self.indent, separators=separators).encode()

    def varied(self):
        for step in (self.vary,):
            try:
                step(self)
            except KeyError:
                pass  # it is about another answer

    def __call__(self, method, url, headers, body):
        status, media, text = self.node(method, url, headers, body)
        if status != 200:
            return status, media, text
        if "/login" in url:
            self.login = json.loads(text)
            self.varied()
            return status, media, self.text(self.login)
        if "/account/" in url:
            return (status, *self.token(media, json.loads(text)))
        if media and "pem" in media:
            return status, media, self.pem
        return status, media, text

    def token(self, media, answer):
        self.answer, self.media = answer, media
        self.header, self.payload = part(answer["token"], 0), part(answer["token"], 1)
        self.varied()
        self.answer["token"] = self.signer.sign(self.header, self.payload)
        return self.media, self.text(self.answer)


def outcome(service, kind, args, password):
    try:
        SHAPES[kind](service, args.account, args.tkvalue, args.crl).run(args.user, password)
        return None
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__}: {error}"


def node_is_taken(node, args, password):
    for kind in SHAPES:
        told = outcome(node, kind, args, password)
        if told:
            faults.append(f"the node: {kind} refuses: {told}")
        else:
            print(f"  ok: the node: {kind} is content")


def table_holds(node, args, password):
    for name, vary, refusing in ROWS:
        told = {kind: outcome(Varied(node, vary), kind, args, password) for kind in SHAPES}
        refused = {kind for kind, why in told.items() if why}
        if refused != refusing:
            faults.append(f"{name}: refused by {sorted(refused)}, real: {sorted(refusing)}: {told}")
        else:
            print(f"  ok: {name}: refused by {', '.join(sorted(refusing)) or 'none'}")


def every_answer_is_strings(node, args, password):
    """More than any one shape asks for."""
    login = {"Content-Type": "application/json"}
    status, _, text = node("POST", "/api/v1/auth/login", login, json.dumps(
        {"userId": args.user, "password": password}).encode())
    access = string_map(text)["accessToken"]
    token = {**login, "Authorization": access}
    path = f"/api/v1/account/{args.account}/token"
    asked = json.dumps({"atc": {"tktype": "TNAuthList", "tkvalue": args.tkvalue, "ca": False,
                                "fingerprint": SHAPES["PH"].fingerprint}}).encode()
    rows = [
        ("a token", 200, "POST", path, token, asked),
        ("a wrong password", 403, "POST", "/api/v1/auth/login", login,
         b'{"userId":"nobody","password":"wrong"}'),
        ("no credentials", 401, "POST", path, login, asked),
        ("a wrong body", 400, "POST", path, token, b'{"atc":{"ca":False}}'),
        ("another account", 404, "POST", "/api/v1/account/sp-nobody/token", token, asked),
        ("another method", 405, "GET", path, {}, None),
        ("another path", 404, "GET", "/api/v1/nowhere", {}, None),
        ("too much", 413, "POST", path, token, b" " * 5000),
        ("logout", 200, "POST", "/api/v1/auth/logout", {"Authorization": access}, b""),
        ("after the logout", 401, "POST", path, token, asked),
    ]
    for name, want, method, url, headers, body in rows:
        status, media, text = node(method, url, headers, body)
        try:
            value = string_map(text)
        except Exception as error:  # pylint: disable=broad-except
            value = {"status": f"{error}: {text[:100]}"}
        wrong = status != want or not (media or "").startswith("application/json")
        names = {"status", "message"} | ({"errorCode"} if want != 200 else set())
        if wrong or not names <= set(value) or \
                value["status"] != ("success" if want == 200 else "error"):
            faults.append(f"strings only: {name}: {status} {media} {value}")
        else:
            print(f"  ok: strings only: {name}: {status}")


def header_is_exact(node, args, password):
    shape = SHAPES["VM"](node, args.account, args.tkvalue, args.crl)
    _, text = shape.request(shape.login(args.user, password))
    token = json.loads(text)["token"]
    if list(part(token, 0)) != ["alg", "typ", "x5u"] or set(part(token, 1)) != {
            "exp", "jti", "atc"} or len(decode(token.split(".")[2])) != 64:
        faults.append(f"the token: {part(token, 0)} {part(token, 1)}")
    if len(token) > 1535:
        faults.append("the token is too long")


def main():
    parser = argparse.ArgumentParser()
    for name in ("ca", "crl", "account", "tkvalue", "user", "password-file"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    with open(args.password_file, encoding="ascii") as file:
        password = file.readline().rstrip("\n")
    node = node_service(args.port, args.ca)
    node_is_taken(node, args, password)
    table_holds(node, args, password)
    every_answer_is_strings(node, args, password)
    header_is_exact(node, args, password)
    for fault in faults:
        print("  FAULT:", fault)
    sys.exit(bool(faults))


main()
