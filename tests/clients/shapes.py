# SPDX-License-Identifier: Apache-2.0
"""The shapes of clients that are deployed against STI-PAs, with the strictness of each and no more.

A shape speaks to a service: service(method, path or URL, headers, body) -> status, media type, body.
It raises Refused, or falls over as the client itself would.
"""
import json
import re
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jose_text import decode, part

EXP_MIN_S = 180


class Refused(Exception):
    """The client does not take this answer."""


def want(condition, what):
    if not condition:
        raise Refused(what)


def string_map(text):
    """What a decoder into a map of strings takes."""
    value = json.loads(text)
    want(isinstance(value, dict) and all(isinstance(v, str) for v in value.values()),
         "not a map of strings")
    return value


def verify(token, pem):
    """ES256 by the first certificate of a PEM text."""
    key = x509.load_pem_x509_certificate(pem).public_key()
    signed, _, signature = token.rpartition(".")
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused("x5u: the first certificate is not the signer's") from None


class Shape:
    """Log in, ask for a token with the access token bare, log out."""
    token_path = "/api/v1/account/{id}/token"
    accept = "application/json"
    fingerprint = "SHA256 " + ":".join(f"{byte:02X}" for byte in range(32))

    def __init__(self, service, account, tkvalue, crl):
        self.service, self.account, self.tkvalue, self.crl = service, account, tkvalue, crl

    def read_login(self, text):
        return json.loads(text)

    def read_answer(self, media, text):
        return json.loads(text)

    def login(self, user, password):
        status, _, text = self.service(
            "POST", "/api/v1/auth/login", {"Content-Type": "application/json"},
            json.dumps({"userId": user, "password": password}).encode())
        want(status == 200, f"login {status} {text!r}")
        answer = self.read_login(text)
        want(answer["status"] == "success", "login: status")
        return answer["accessToken"]

    def request(self, access):
        status, media, text = self.service(
            "POST", self.token_path.replace("{id}", self.account),
            {"Authorization": access, "Accept": self.accept, "Content-Type": "application/json"},
            json.dumps({"atc": {"tktype": "TNAuthList", "tkvalue": self.tkvalue, "ca": False,
                                "fingerprint": self.fingerprint}}).encode())
        want(status == 200, f"token {status} {text!r}")
        return media, text

    def logout(self, access):
        status, _, text = self.service("POST", "/api/v1/auth/logout",
                                       {"Authorization": access}, b"")
        want(status == 200, f"logout {status}")
        want(json.loads(text)["status"] == "success", "logout: status")

    def check(self, answer):
        raise NotImplementedError

    def run(self, user, password):
        access = self.login(user, password)
        media, text = self.request(access)
        self.check(self.read_answer(media, text))
        self.logout(access)


class Ph(Shape):
    """Compares everything with what it sent and with its settings; ends the path with a slash."""
    token_path = "/api/v1/account/{id}/token/"

    def check(self, answer):
        want(answer["status"] == "success", "status")
        want(answer.get("crl") == self.crl, f"crl {answer.get('crl')}, not the one configured")
        header, payload = part(answer["token"], 0), part(answer["token"], 1)
        atc = payload["atc"]
        want(atc["tktype"] == "TNAuthList", "tktype")
        want(atc["tkvalue"] == self.tkvalue, "tkvalue: not as sent")
        want(atc["fingerprint"] == self.fingerprint, "fingerprint: not as sent")
        want(atc.get("ca") is False, "ca: not the literal false")
        want(type(payload["exp"]) is int and payload["exp"] >= time.time() + EXP_MIN_S, "exp")
        want(isinstance(payload["jti"], str) and payload["jti"], "jti")
        status, _, pem = self.service("GET", header["x5u"],
                                      {"Accept": "application/pkix-cert"}, None)
        want(status == 200, f"x5u {status}")
        verify(answer["token"], pem)


class Rb(Shape):
    """Wants the media type it asked for, crl as a string, a header that is a map of strings."""
    token_path = "/api/v1/account/{id}/token/"
    accept = "application/jose+json"
    fingerprint = Shape.fingerprint.lower().replace("sha256", "SHA256")

    def read_answer(self, media, text):
        want("application/jose+json" in (media or ""), f"media type {media}")
        return json.loads(text)

    def check(self, answer):
        want(isinstance(answer["crl"], str), "crl")  # absent: it falls over
        header = part(answer["token"], 0)
        want(all(isinstance(value, str) for value in header.values()), "header: not strings")
        want(header["typ"] == "JWT" and header["x5u"], "header")


class Vm(Shape):
    """Reads the login into a map of strings; fetches x5u without Accept."""
    accept = "application/jose+json"

    def read_login(self, text):
        return string_map(text)

    def check(self, answer):
        want(answer["status"] == "success", "status")
        want(part(answer["token"], 1)["exp"] > time.time(), "exp")
        status, _, pem = self.service("GET", part(answer["token"], 0)["x5u"], {}, None)
        want(status == 200, f"x5u {status}")
        verify(answer["token"], pem)


class Sed(Shape):
    """A shell script that cuts members out of compact JSON."""

    @staticmethod
    def cut(text, name):
        found = re.search(rf'"{name}":"([^"]*)"', text.decode())
        want(found, f"{name}: not found")
        return found.group(1)

    def read_login(self, text):
        return {name: self.cut(text, name) for name in ("status", "accessToken")}

    def read_answer(self, media, text):
        return {name: self.cut(text, name) for name in ("status", "token")}

    def check(self, answer):
        want(answer["status"] == "success" and answer["token"].count(".") == 2, "answer")


SHAPES = {"PH": Ph, "RB": Rb, "VM": Vm, "sed": Sed}
