#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Get everything that is secret in a run, and write it down; then send each of these secrets where
it does not belong, and write down what is answered.

usage: canary_requests.py TESTS-API FOLDER PORT

FOLDER has secrets/… (a file for each, its name the secret's), key.pem, and gets "secrets" lines in
secrets.tsv and the answers in answers.
"""
import base64
import json
import os
import socket
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import caller as calls  # noqa: E402
from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: E402

FOLDER, PORT = sys.argv[2], int(sys.argv[3])
node = calls.Caller(PORT, f"{FOLDER}/tls/ca.pem")
ATC = {"tktype": "TNAuthList", "tkvalue": "MAigBhYEMTAwNQ==", "ca": False,
       "fingerprint": "SHA256 " + ":".join(["5A"] * 32)}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = "/sti-pa/account/sp-1/token"


def read(name):
    with open(f"{FOLDER}/{name}", "rb") as file:
        return file.read()


def files():
    """What was made before: passwords and client secrets, and the numbers of the keys."""
    for name in sorted(os.listdir(f"{FOLDER}/secrets")):
        yield name, read(f"secrets/{name}").split(b"\n")[0].strip()
    passphrase = read("passphrase").strip()
    yield "passphrase", passphrase
    for name, path, phrase in (("key-tls", "tls/server.key", None),
                               ("key-client", "key.pem", None),
                               *((f"key-pa-{path}", f"pki/{path}", passphrase)
                                 for path in os.listdir(f"{FOLDER}/pki") if path.endswith(".key"))):
        key = load_pem_private_key(read(path), phrase)
        yield name, key.private_numbers().private_value.to_bytes(32, "big")


def assertion():
    return calls.assertion(f"{FOLDER}/key.pem", "client-1", "key-1", f"{node.base}/oauth2/token")


def grant(**form):
    answer = node.post_form("/oauth2/token", {"grant_type": "client_credentials", **form})
    return answer.json()["access_token"]


def login(user, secret):
    answer = node.post_json("/api/v1/auth/login", {"userId": user, "password": secret})
    return answer.json()["accessToken"]


def spc_token(authorization):
    answer = node.post_json(TOKEN, {"atc": ATC}, [authorization])
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json()["token"]


def use(known):
    """Each way once: pairs of a name and what nobody else may know."""
    by_secret = calls.basic("client-1", known["client-1"])
    yield "spc-token-1", spc_token(by_secret)
    for number in range(3):
        text = assertion()
        yield f"assertion-{number}", text
        token = grant(client_assertion_type=JWT_BEARER, client_assertion=text)
        yield f"access-token-key-{number}", token
        yield f"spc-token-key-{number}", spc_token(calls.bearer(token))
    token = grant(client_id="client-1", client_secret=known["client-1"])
    yield "access-token-posted", token
    yield "spc-token-posted", spc_token(calls.bearer(token))
    for user in ("user-made", "user-chosen"):
        token = login(user, known[user])
        yield f"access-token-{user}", token
        yield f"spc-token-{user}", spc_token(calls.bearer(token))


def post(path, body, *headers):
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in headers)
            + f"Content-Length: {len(body)}\r\n\r\n{body}")


FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


def misplaced(secret, good):
    """Requests in which a secret stands where it does not belong."""
    wrong = "Basic " + base64.b64encode(f"{secret}:client-1".encode()).decode()
    twice = "Basic " + base64.b64encode(f"{secret}:{secret}".encode()).decode()
    atc = json.dumps({"atc": ATC})
    for who in (("Authorization", good), ("Authorization", wrong)):
        yield post(f"/sti-pa/account/{secret}/token", atc, JSON, who)
        yield post(f"/at/account/{secret}/token", atc, JSON, who)
        yield post(f"/api/v1/account/{secret}/token", atc, JSON, who)
        yield post(f"/account/{secret}/token/dry-run", atc, JSON, who)
        yield post(f"{TOKEN}?secret={secret}", atc, JSON, who)
        yield post(f"/{secret}", atc, JSON, who)
        yield post(TOKEN, atc, ("Content-Type", secret), who)
        yield post(TOKEN, atc, JSON, who, ("Accept", secret))
        yield post(TOKEN, atc, JSON, who, ("X-Secret", secret), ("User-Agent", secret))
        yield post(TOKEN, atc, JSON, who, ("Transfer-Encoding", secret))
        yield post(TOKEN, secret, JSON, who)
        yield post(TOKEN, json.dumps({secret: 1}), JSON, who)
        yield post(TOKEN, json.dumps(secret), JSON, who)
        for member in ATC:
            yield post(TOKEN, json.dumps({"atc": {**ATC, member: secret}}), JSON, who)
        yield post(TOKEN, json.dumps({"fingerprint": secret, "spc": secret}), JSON, who)
        yield post(TOKEN, '{"atc":{"ca":' + secret + "}}", JSON, who)
        yield post(TOKEN, atc[:-1] + f',"{secret}":1,"{secret}":2}}', JSON, who)
    for scheme in ("", "Bearer ", "Basic ", "Digest ", f"{secret} ", "Bearer  "):
        yield post(TOKEN, atc, JSON, ("Authorization", scheme + secret))
    yield post(TOKEN, atc, JSON, ("Authorization", twice))
    yield post(TOKEN, atc, JSON, ("Authorization", wrong), ("Authorization", wrong))
    for member in ("grant_type", "client_id", "client_secret", "client_assertion", "scope",
                   "client_assertion_type", "token", "token_type_hint", secret):
        form = f"grant_type=client_credentials&client_id=client-1&{member}={secret}"
        yield post("/oauth2/token", form, FORM)
        yield post("/oauth2/token", form, FORM, ("Authorization", wrong))
        yield post("/oauth2/revoke", form, FORM, ("Authorization", good))
    yield post(f"/oauth2/token?client_secret={secret}", "", FORM)
    yield post("/api/v1/auth/login", json.dumps({"userId": secret, "password": secret}), JSON)
    yield post("/api/v1/auth/login", json.dumps({"userId": "user-made", "password": secret + "x"}),
               JSON)
    yield post("/api/v1/auth/login", json.dumps({"userId": "user-chosen",
                                                 "password": secret + "x"}), JSON)
    yield post("/api/v1/auth/logout", secret, JSON, ("Authorization", f"Bearer {secret}x"))
    yield post("/secrets/report", json.dumps({"secret": secret + "x"}), JSON)
    yield post("/secrets/report", json.dumps({secret: "x"}), JSON)
    yield f"{secret} / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield f"GET /sti-pa/certs/{secret} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    yield f"GET /sti-pa/cert.crt HTTP/1.1\r\nHost: {secret}\r\nConnection: close\r\n\r\n"
    yield f"GET /sti-pa/cert.crt {secret}\r\n\r\n"
    yield f"GET /sti-pa/cert.crt HTTP/1.1\r\n{secret}\r\n\r\n"
    yield f"GET /sti-pa/cert.crt HTTP/1.1\r\nHost: x\r\n{secret[:40]}: {secret}\r\n {secret}\r\n\r\n"


def send(request, out):
    raw = socket.create_connection(("127.0.0.1", PORT), 15)
    with raw, node.context.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
        try:
            connection.sendall(request.encode())
            while True:
                got = connection.recv(65536)
                if not got:
                    break
                out.write(got)
        except (ConnectionError, ssl.SSLError):
            pass
    out.write(b"\n")


def main():
    known = {name: data.decode("latin-1") for name, data in files()}
    got = dict(use(known))
    with open(f"{FOLDER}/secrets.tsv", "w", encoding="ascii") as file:
        for name, text in {**known, **got}.items():
            file.write(f"{name}\t{text.encode('latin-1').hex()}\n")
    good = calls.basic("client-1", known["client-1"])[1]
    count = 0
    with open(f"{FOLDER}/answers", "wb") as out:
        for name in ("client-1", "user-chosen", "access-token-posted", "assertion-1",
                     "spc-token-1"):
            secret = {**known, **got}[name]
            for request in misplaced(secret, good):
                send(request, out)
                count += 1
    print(f"  {len(known) + len(got)} secrets; {count} requests with one where it does not belong")


main()
