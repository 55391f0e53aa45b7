# SPDX-License-Identifier: Apache-2.0
"""The token's text: base64url, a JSON of few words, and the bytes that a ledger row stands for."""
import base64
import re

URL_TEXT = re.compile(r"[A-Za-z0-9_-]*\Z")
SCANNER = re.compile(r'"([ !#-\[\]-~]*)"|(-?(?:0|[1-9][0-9]*))(?![0-9.eE])|(true|false)|([{}\[\],:])')


class BadToken(ValueError):
    pass


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """Unpadded base64url in its one spelling."""
    if not URL_TEXT.match(text) or len(text) % 4 == 1:
        raise BadToken("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise BadToken("base64url with unused bits")
    return data


def decode_any(text):
    """Standard or URL alphabet, padded or not, never both; unused bits are zero."""
    bare = text.rstrip("=")
    padding = len(text) - len(bare)
    if padding and (len(text) % 4 or padding > 2):
        raise BadToken("wrong padding")
    if set(bare) & set("+/") and set(bare) & set("-_"):
        raise BadToken("two alphabets")
    return decode(bare.replace("+", "-").replace("/", "_"))


class Scanner:
    """JSON without blanks, escapes, fractions, null, and without a member twice."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def take(self):
        found = SCANNER.match(self.text, self.at)
        if not found:
            raise BadToken(f"no JSON of ours at byte {self.at}")
        self.at = found.end()
        string, number, word, mark = found.groups()
        if string is not None:
            return "string", string
        if number is not None:
            return "value", int(number)
        if word is not None:
            return "value", word == "true"
        return "mark", mark

    def want(self, mark):
        if self.take() != ("mark", mark):
            raise BadToken(f"no {mark} before byte {self.at}")

    def value(self):
        kind, token = self.take()
        if kind != "mark":
            return token
        if token == "{":
            return self.members()
        if token == "[":
            return self.elements()
        raise BadToken(f"{token} before byte {self.at}")

    def members(self):
        found = {}
        while True:
            kind, name = self.take()
            if kind != "string" or name in found:
                raise BadToken(f"no name, or one twice, before byte {self.at}")
            self.want(":")
            found[name] = self.value()
            mark = self.take()
            if mark == ("mark", "}"):
                return found
            if mark != ("mark", ","):
                raise BadToken(f"no , before byte {self.at}")

    def elements(self):
        found = []
        while True:
            found.append(self.value())
            mark = self.take()
            if mark == ("mark", "]"):
                return found
            if mark != ("mark", ","):
                raise BadToken(f"no , before byte {self.at}")


def scan(data):
    try:
        scanner = Scanner(data.decode("ascii"))
    except UnicodeDecodeError as error:
        raise BadToken("not ASCII") from error
    found = scanner.value()
    if scanner.at != len(scanner.text) or not isinstance(found, dict):
        raise BadToken("more than one object, or none")
    return found


def split(token):
    """The signing input, the claims and the signature of a compact JWS (RFC 7515 section 7.1)."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("not three parts")
    header, claims = scan(decode(parts[0])), scan(decode(parts[1]))
    if set(header) != {"alg", "typ", "x5u"}:
        raise BadToken(f"header members {sorted(header)}")
    if header["alg"] != "ES256":
        raise BadToken(f"alg {header['alg']}")
    signature = decode(parts[2])
    if len(signature) != 64:  # RFC 7518 section 3.4
        raise BadToken("the signature is not of 64 bytes")
    return parts[0] + "." + parts[1], claims, signature


def claims_text(row):
    """RFC 9448 section 5, or ATIS-1000080 of 2017 section 6.3.4.1: the members in their order."""
    iat, exp = row.issued_at // 1000000, row.expires_at // 1000000
    if row.form == 2:
        return (f'{{"sub":["{row.spc}"],"iat":{iat},"nbf":{iat},"exp":{exp},'
                f'"fingerprint":"{row.fingerprint}","jti":"{row.jti}"}}')
    optional = ""
    if row.optional_claims & 1:
        optional += f'"iss":"{row.iss}",'
    if row.optional_claims & 2:
        optional += f'"iat":{iat},'
    if row.optional_claims & 4:
        optional += f'"nbf":{iat},'
    ca = "true" if row.ca else "false"
    return (f'{{{optional}"exp":{exp},"jti":"{row.jti}","atc":{{"tktype":"TNAuthList",'
            f'"tkvalue":"{row.tkvalue}","ca":{ca},"fingerprint":"{row.fingerprint}"}}}}')


def signing_input(row, x5u):
    header = f'{{"alg":"ES256","typ":"JWT","x5u":"{x5u}"}}'
    return encode(header.encode()) + "." + encode(claims_text(row).encode())
