# SPDX-License-Identifier: Apache-2.0
"""Requests to a node as raw as a test wants them, and the credentials of the test's world."""
import base64
import hashlib
import http.client
import json
import ssl
import time
import urllib.parse
import uuid


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def secret_of(prefix, fill=b"\x5a"):
    """A text in the form of our secrets, checksum and all, that nobody has."""
    text = prefix + b64url(fill * 32)
    return text + b64url(hashlib.sha256(text.encode()).digest())[:6]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def media(self):
        return self.headers.get_content_type() if self.headers["Content-Type"] else None


class Caller:
    """Asks again when it is told 503 and when to come back, as a client does; unless @patient is
    false."""

    def __init__(self, port, ca_file, patient=True):
        self.port = port
        self.base = f"https://127.0.0.1:{port}"
        self.context = ssl.create_default_context(cafile=ca_file)
        self.connection = None
        self.patience = 30 if patient else 0
        self.told_503 = 0

    def ask(self, method, path, headers=(), body=None):
        """Headers are pairs, so that one may stand twice."""
        for _ in range(self.patience + 1):
            answer = self.ask_open(method, path, headers, body)
            if answer.status != 503 or "Retry-After" not in answer.headers:
                break
            self.told_503 += 1
            time.sleep(min(1, int(answer.headers["Retry-After"])) if self.patience else 0)
        return answer

    def ask_open(self, method, path, headers, body):
        for attempt in (1, 2):
            try:
                return self.ask_once(method, path, headers, body)
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                self.close()  # a connection that had lain idle
                if attempt == 2:
                    raise

    def ask_once(self, method, path, headers, body):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=15, context=self.context)
        connection = self.connection
        names = {name.lower() for name, _ in headers}
        connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def post_form(self, path, form, headers=()):
        body = form if isinstance(form, str) else urllib.parse.urlencode(form)
        return self.ask("POST", path, [("Content-Type", "application/x-www-form-urlencoded"),
                                       *headers], body.encode())

    def post_json(self, path, value, headers=()):
        return self.ask("POST", path, [("Content-Type", "application/json"), *headers],
                        json.dumps(value).encode())


def basic(client, secret):
    """RFC 6749 section 2.3.1; our names and secrets need no escapes."""
    return ("Authorization",
            "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode())


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def access_token(caller, client, secret, scope=None):
    form = {"grant_type": "client_credentials"}
    if scope:
        form["scope"] = scope
    answer = caller.post_form("/oauth2/token", form, [basic(client, secret)])
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json()["access_token"]


def assertion(key_file, client, kid, audience, **changed):
    """A client assertion (RFC 7523 section 3), signed by jwcrypto; None takes a claim away, or the
    kid."""
    from jwcrypto import jwk, jws
    with open(key_file, "rb") as file:
        key = jwk.JWK.from_pem(file.read())
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60,
              "jti": str(uuid.uuid4()), **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jws.JWS(json.dumps(claims))
    protected = {"alg": "ES256", "typ": "JWT", **({"kid": kid} if kid else {})}
    token.add_signature(key, None, json.dumps(protected))
    return token.serialize(compact=True)
