#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every face of a live node: tokens, access tokens, logins, dry runs, leak reports, limits.

usage: faces.py WORLD STEP

WORLD is the folder that faces.sh has made; STEP is one of the functions below.
"""
import base64
import calendar
import concurrent.futures
import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

from jwcrypto import jwk, jwt

WORLD = sys.argv[1]
FINGERPRINT = "SHA256 " + ":".join(["A0"] * 32)
FORM = "application/x-www-form-urlencoded"
FACES = ["/sti-pa", "/account", "/at", "/api/v1"]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def read(name):
    with open(f"{WORLD}/{name}", encoding="ascii") as file:
        return file.read().strip()


PORT = int(read("port"))
BASE = f"https://127.0.0.1:{PORT}"


def ask(method, path, body=None, **headers):
    """Status, fields and body of one request, which is sent again when it is told 503, as by any
    client."""
    for _ in range(30):
        answer = ask_once(method, path, body, **headers)
        if answer[0] != 503:
            break
        time.sleep(1)
    return answer


def ask_once(method, path, body=None, **headers):
    context = ssl.create_default_context(cafile=f"{WORLD}/tls/ca.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", PORT, timeout=30, context=context)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    if text and "json" in (response.headers["Content-Type"] or ""):
        text = json.loads(text)
    return response.status, response.headers, text


def want(condition, *what):
    if not condition:
        print("  FAULT:", *what)
        sys.exit(1)


def basic(client, secret=None):
    secret = secret or read(f"secret-{client[7:]}")
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def token_path(face, account, tail=""):
    return f"{'' if face == '/account' else face}/account/{account}/token{tail}"


def token_body(spc="1234", ca=False, fingerprint=FINGERPRINT):
    der = bytes([0x30, 4 + len(spc), 0xa0, 2 + len(spc), 0x16, len(spc)]) + spc.encode()
    return json.dumps({"atc": {"tktype": "TNAuthList", "tkvalue": base64.b64encode(der).decode(),
                               "ca": ca, "fingerprint": fingerprint}})


def ask_token(face, authorization, account="sp-a", tail="", **more):
    headers = {"Content_Type": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    return ask("POST", token_path(face, account, tail), token_body(**more), **headers)


def grant(authorization=None, **form):
    headers = {"Content_Type": FORM}
    if authorization:
        headers["Authorization"] = authorization
    form = {"grant_type": "client_credentials", **form}
    return ask("POST", "/oauth2/token", urllib.parse.urlencode(form), **headers)


def access_token(client="client-a", **form):
    status, _, answer = grant(basic(client), **form)
    want(status == 200, status, answer)
    return answer["access_token"]


def login(user, password):
    return ask("POST", "/api/v1/auth/login", json.dumps({"userId": user, "password": password}),
               Content_Type="application/json")


def sql(statement):
    return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement], check=True,
                          capture_output=True, text=True).stdout.strip()


# ---- the steps ----

def faces_issue():
    """A token on each face, by each credential, with each spelling of the path."""
    token = access_token()
    for face in FACES:
        for authorization in (basic("client-a"), "Bearer " + token, token):
            for tail in ("", "/") if face == "/api/v1" else ("",):
                status, fields, answer = ask_token(face, authorization, tail=tail)
                want(status == 200, face, status, answer)
                want(set(answer) == {"status", "message", "token", "crl", "iss"}, answer)
                want(all(isinstance(v, str) for v in answer.values()), answer)
                want("no-store" in fields["Cache-Control"], fields)
                crl = "/download/v1/crl" if face == "/api/v1" else "/sti-pa/crl"
                want(answer["crl"] == BASE + crl, answer["crl"])


def faces_refuse():
    """The cases of design section 3, by face."""
    good, token = basic("client-a"), access_token()
    wrong = basic("client-a", "stipa_demo_" + "A" * 49)
    nobody = "stipa_demo_at_" + "A" * 49
    cases = [  # authorization, account, spc: status (on /at), code
        (None, "sp-a", "1234", 401, 401, "no-credentials"),
        (wrong, "sp-a", "1234", 403, 403, "invalid-credentials"),
        ("Bearer " + nobody, "sp-a", "1234", 401, 403, "invalid-token"),
        (nobody, "sp-a", "1234", 401, 403, "invalid-token"),
        (good, "sp-b", "1234", 404, 403, "no-such-account"),
        (good, "sp-nobody", "1234", 404, 403, "no-such-account"),
        (token, "sp-nobody", "1234", 404, 403, "no-such-account"),
        (good, "sp-a", "9999", 403, 403, "spc-not-held"),
        (basic("client-a", "stipa_prod_" + "A" * 49), "sp-a", "1234", 403, 403,
         "foreign-environment"),
    ]
    for face in FACES:
        for authorization, account, spc, status, status_at, code in cases:
            got, fields, answer = ask_token(face, authorization, account, spc=spc)
            status = status_at if face == "/at" else status
            told = answer["errorCode" if face == "/api/v1" else "code"]
            want((got, told) == (status, code), face, account, got, answer)
            kind = "application/json" if face == "/api/v1" else "application/problem+json"
            want(fields["Content-Type"] == kind, fields["Content-Type"])
            want(got != 401 or "WWW-Authenticate" in fields, face, code)
            if code == "invalid-token":
                want('error="invalid_token"' in fields["WWW-Authenticate"], fields)


def foreign_and_absent_are_alike():
    for face in FACES:
        told = set()
        for account in ("sp-b", "sp-nobody", "5678", "9999", "x" * 63):
            status, fields, answer = ask("POST", token_path(face, account), token_body(),
                                         Content_Type="application/json",
                                         Authorization=basic("client-a"), X_Request_Id="cell")
            told.add((status, json.dumps(answer), str(sorted(
                (k, v) for k, v in fields.items() if k != "Date"))))
        want(len(told) == 1, face, told)


def the_server_speaks_the_faces_words():
    """404, 405, 411 and 413 below /api/v1 have three strings."""
    for method, path, body, status in (("GET", "/api/v1/account/x/token", None, 405),
                                       ("GET", "/api/v1/nothing", None, 404),
                                       ("POST", "/api/v1/auth/login", "x" * 5000, 413)):
        got, fields, answer = ask(method, path, body)
        want(got == status and fields["Content-Type"] == "application/json", got, fields)
        want(set(answer) == {"status", "message", "errorCode"}, answer)
    want(ask("GET", "/oauth2/token")[2]["error"] == "invalid_request", "oauth")
    want(ask("GET", "/nothing")[2]["status"] == 404, "problem")


def oauth_grants():
    """client_secret_basic, with escapes, and client_secret_post."""
    secret = read("secret-a")
    escaped = "Basic " + base64.b64encode(
        ("client%2Da:" + "".join(f"%{ord(c):02X}" for c in secret)).encode()).decode()
    for status, fields, answer in (
            grant(basic("client-a")), grant(escaped),
            grant(client_id="client-a", client_secret=secret)):
        want(status == 200, status, answer)
        want(set(answer) == {"access_token", "token_type", "expires_in", "scope"}, answer)
        want(answer["token_type"] == "Bearer" and 3590 <= answer["expires_in"] <= 3600, answer)
        want(answer["scope"] == "spc-token spc-token:ca revoke", answer)
        want(fields["Cache-Control"] == "no-store" and fields["Pragma"] == "no-cache", fields)
        want(ask_token("/sti-pa", "Bearer " + answer["access_token"])[0] == 200, "not of use")
    status, _, answer = grant(basic("client-a"), scope="revoke")
    want(status == 200 and answer["scope"] == "revoke", answer)
    status, fields, answer = ask_token("/sti-pa", "Bearer " + answer["access_token"])
    want((status, answer["code"]) == (403, "insufficient-scope"), answer)
    want('error="insufficient_scope", scope="spc-token"' in fields["WWW-Authenticate"], fields)


def oauth_errors():
    """RFC 6749 section 5.2, one by one."""
    good = basic("client-a")
    wrong = basic("client-a", "stipa_demo_" + "A" * 49)

    def raw(body, authorization=good, kind=FORM):
        headers = {"Content_Type": kind}
        if authorization:
            headers["Authorization"] = authorization
        return ask("POST", "/oauth2/token", body, **headers)

    cases = [
        (raw("scope=spc-token"), 400, "invalid_request"),
        (raw("grant_type=client_credentials&grant_type=client_credentials"), 400,
         "invalid_request"),
        (raw("{}", kind="application/json"), 400, "invalid_request"),
        (raw("grant_type=password&username=a&password=b"), 400, "unsupported_grant_type"),
        (raw("grant_type=client_credentials&scope=everything"), 400, "invalid_scope"),
        (raw("grant_type=client_credentials&client_id=client-a&client_secret=x"), 400,
         "invalid_request"),
        (raw("grant_type=client_credentials", wrong), 401, "invalid_client"),
        (raw("grant_type=client_credentials", None), 401, "invalid_client"),
        (raw("grant_type=client_credentials&client_id=nobody&client_secret=x", None), 401,
         "invalid_client"),
    ]
    for (status, fields, answer), want_status, error in cases:
        want((status, answer["error"]) == (want_status, error), status, answer)
        want(set(answer) <= {"error", "error_description"}, answer)
        want(fields["Cache-Control"] == "no-store", fields)
        want(status != 401 or fields["WWW-Authenticate"].startswith("Basic "), fields)


def assertion(key, **claims):
    now = int(time.time())
    claims = {"iss": "client-a", "sub": "client-a", "aud": BASE + "/oauth2/token",
              "exp": now + 300, "iat": now, "jti": str(uuid.uuid4()), **claims}
    token = jwt.JWT({"alg": "ES256", "typ": "JWT", "kid": "k-1"}, claims)
    token.make_signed_token(key)
    return token.serialize()


def private_key_jwt():
    key = jwk.JWK.from_pem(read("client.key").encode())
    other = jwk.JWK.generate(kty="EC", crv="P-256")

    def by(text):
        return grant(client_assertion_type=ASSERTION, client_assertion=text)

    text = assertion(key)
    status, _, answer = by(text)
    want(status == 200, status, answer)
    want(ask_token("/sti-pa", answer["access_token"])[0] == 200, "not of use")
    want(by(assertion(key, aud=BASE))[0] == 200, "the issuer is an audience")
    for name, bad in (("replayed", text), ("another key", assertion(other)),
                      ("another audience", assertion(key, aud="https://x.example")),
                      ("expired", assertion(key, exp=int(time.time()) - 1)),
                      ("too far ahead", assertion(key, exp=int(time.time()) + 3700)),
                      ("another client", assertion(key, iss="client-b", sub="client-b")),
                      ("no jti", assertion(key, jti=""))):
        status, fields, answer = by(bad)
        want((status, answer["error"]) == (401, "invalid_client"), name, status, answer)
        want("WWW-Authenticate" in fields, name)


def revocation():
    token = access_token()
    body = {"token": token, "token_type_hint": "access_token"}

    def revoke(authorization, **form):
        headers = {"Content_Type": FORM}
        if authorization:
            headers["Authorization"] = authorization
        return ask("POST", "/oauth2/revoke", urllib.parse.urlencode(form), **headers)

    want(ask_token("/sti-pa", token)[0] == 200, "before")
    want(revoke(basic("client-b"), **body)[0] == 200, "another client's is told nothing")
    want(ask_token("/sti-pa", token)[0] == 200, "and ends nothing")
    want(revoke(None, **body)[2]["error"] == "invalid_client", "nobody")
    want(revoke(basic("client-a"), **body)[0] == 200, "ours")
    want(ask_token("/sti-pa", token)[0] == 401, "after")
    want(revoke(basic("client-a"), **body)[0] == 200, "again")
    want(revoke(basic("client-a"), token="unknown")[0] == 200, "unknown")
    spc_token = ask_token("/sti-pa", basic("client-a"))[2]["token"]
    want(revoke(basic("client-a"), token=spc_token)[2]["error"] == "unsupported_token_type", "SPC")


def metadata():
    status, _, answer = ask("GET", "/.well-known/oauth-authorization-server")
    want(status == 200 and answer["issuer"] == BASE, answer)
    want(answer["token_endpoint"] == BASE + "/oauth2/token", answer)
    want(answer["response_types_supported"] == [], answer)


def logins():
    """By a password of ours and by a chosen one; strings only; out again."""
    for user, password in (("user-ours", read("password")), ("user-chosen", "correct horse")):
        status, fields, answer = login(user, password)
        want(status == 200, user, status, answer)
        want(all(isinstance(v, str) for v in answer.values()), answer)
        want(answer["status"] == "success" and answer["refreshToken"] == "", answer)
        token = answer["accessToken"]
        want(ask_token("/api/v1", token)[0] == 200, "not of use")
        status, fields, answer = ask("POST", "/api/v1/auth/logout", None, Authorization=token,
                                     Accept="application/jose+json", Content_Length="0")
        want((status, answer["status"]) == (200, "success"), status, answer)
        want(fields["Content-Type"] == "application/json", fields)
        want(ask_token("/api/v1", token)[0] == 401, "still of use")


def logins_are_refused_alike():
    """Unknown user, wrong password of either kind: alike in bytes."""
    told = set()
    for user in ("user-ours", "user-chosen", "nobody", "a user \u00e9", "x" * 100):
        for password in ("wrong", "stipa_demo_pw_" + "A" * 49):
            status, _, answer = login(user, password)
            told.add((status, json.dumps(answer)))
    want(told == {(403, json.dumps({"status": "error", "message": "the credentials are not valid",
                                    "errorCode": "invalid-credentials"}))}, told)


def dry_runs():
    before = sql("SELECT count(*) FROM stipa.token") + sql("SELECT count(*) FROM stipa.token_refusal")
    spellings = {"SHA256 " + ":".join(["A0"] * 32): "sha256-hex-upper",
                 "SHA256 " + ":".join(["a0"] * 32): "sha256-hex-lower",
                 "SHA256 " + ":".join(["a0", "A0"] * 16): "sha256-hex-mixed",
                 "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U": "jwk-thumbprint"}
    for face in FACES:
        for fingerprint, name in spellings.items():
            status, _, answer = ask_token(face, basic("client-a"), tail="/dry-run",
                                          fingerprint=fingerprint)
            want(status == 200 and answer["status"] == "would-issue", status, answer)
            want(answer["fingerprint_form"] == name, answer)
            want(answer["spc"] == "1234" and answer["ca"] == "false", answer)
            expires = calendar.timegm(time.strptime(answer["expires"], "%Y-%m-%dT%H:%M:%SZ"))
            want(expires > time.time() + 3600, answer)
        status, _, answer = ask_token(face, basic("client-a"), tail="/dry-run", ca=True)
        code = answer["errorCode" if face == "/api/v1" else "code"]
        want((status, code) == (403, "no-delegation"), answer)
        want(answer["dry_run"] in (True, "true"), answer)
        want(answer["fingerprint_form"] == "sha256-hex-upper", answer)
    after = sql("SELECT count(*) FROM stipa.token") + sql("SELECT count(*) FROM stipa.token_refusal")
    want(before == after, "a dry run has left a row", before, after)


def report(secret):
    return ask("POST", "/secrets/report", json.dumps({"secret": secret}),
               Content_Type="application/json")


def leaks():
    """Whatever is reported is answered alike; what is real is of no use afterwards."""
    token, secret = access_token("client-leak"), read("secret-leak")
    told = {json.dumps(report(text)[::2]) for text in
            ("x", "stipa_demo_" + "A" * 49, "stipa_prod_" + "A" * 49, token, secret)}
    want(len(told) == 1 and told.pop().startswith("[202,"), told)
    want(ask_token("/sti-pa", token, "sp-leak", spc="4321")[0] == 401, "token")
    want(ask_token("/sti-pa", basic("client-leak"), "sp-leak", spc="4321")[0] == 403, "secret")


def addresses():
    """A client that may not ask from here is told which address was seen."""
    sql("SELECT stipa.client_allow('test', 'test', 'client-b', ARRAY['192.0.2.0/24'])")
    for face in FACES:
        status, _, answer = ask_token(face, basic("client-b"), "sp-b", spc="5678")
        text = answer["message" if face == "/api/v1" else "detail"]
        want(status == 403 and "127.0.0.1" in text, answer)
    status, _, answer = grant(basic("client-b"))
    want(status == 403 and "127.0.0.1" in answer["error_description"], answer)
    sql("SELECT stipa.client_allow('test', 'test', 'client-b', ARRAY['127.0.0.0/8'])")
    want(ask_token("/sti-pa", basic("client-b"), "sp-b", spc="5678")[0] == 200, "allowed")


def pins():
    sql("SELECT stipa.client_pin('test', 'test', 'client-b', "
        "ARRAY[decode(repeat('a1', 32), 'hex')])")
    status, _, answer = ask_token("/sti-pa", basic("client-b"), "sp-b", spc="5678")
    want((status, answer["code"]) == (403, "fingerprint-not-pinned"), answer)
    pinned = "SHA256 " + ":".join(["a1"] * 32)
    status, _, answer = ask_token("/sti-pa", basic("client-b"), "sp-b", spc="5678",
                                  fingerprint=pinned)
    want(status == 200, answer)


def certificates():
    kid = read("kid")
    status, fields, text = ask("GET", f"/download/v1/certificate/{kid}.crt",
                               Accept="application/pkix-cert")
    want(status == 200 and text.startswith("-----BEGIN CERTIFICATE-----"), status)
    want(text == ask("GET", f"/sti-pa/certs/{kid}.pem")[2], "another chain")
    want(ask("GET", f"/download/v1/certificate/{kid}.pem")[0] == 404, "another name")


def ask_side_by_side(n, source, authorization):
    """The answers to @n requests for tokens that are sent at once, each on its connection."""
    context = ssl.create_default_context(cafile=f"{WORLD}/tls/ca.pem")
    together = threading.Barrier(n)

    def ask_one(_):
        connection = http.client.HTTPSConnection("127.0.0.1", PORT, timeout=20, context=context,
                                                 source_address=(source, 0))
        connection.connect()
        together.wait()
        connection.request("POST", token_path("/sti-pa", "sp-a"), token_body(),
                           {"Content-Type": "application/json", "Authorization": authorization})
        response = connection.getresponse()
        connection.close()
        return response

    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(ask_one, range(n)))


def what_is_asked_side_by_side_is_owed():
    """Of those that come at once more may be judged than there are tries left, and each costs its
    minute."""
    wrong = basic("client-a", "stipa_demo_" + "B" * 49)
    told = [answer.status for answer in ask_side_by_side(24, "127.0.0.5", wrong)]
    judged = told.count(403)
    want(judged >= 3 and judged + told.count(429) == 24, told)
    last = ask_side_by_side(1, "127.0.0.5", wrong)[0]
    wait = int(last.headers["Retry-After"])
    want(last.status == 429 and (judged - 2) * 60 - 20 < wait <= (judged - 2) * 60, judged, wait)
    want(ask_side_by_side(1, "127.0.0.6", basic("client-a"))[0].status == 200, "another address")


def limits():
    """On a node that bears three wrong secrets at once, and one more a minute, whichever of its
    edges is asked."""
    wrong = basic("client-a", "stipa_demo_" + "A" * 49)
    told = [ask_token("/api/v1", wrong)[0] for _ in range(12)]
    want(told == [403] * 3 + [429] * 9, told)
    status, fields, answer = ask_token("/api/v1", wrong)
    want(answer["errorCode"] == "too-many-requests", answer)
    want(40 <= int(fields["Retry-After"]) <= 60, "one a minute", fields["Retry-After"])
    status, fields, answer = grant(basic("client-a"))
    want((status, answer["error"]) == (429, "temporarily_unavailable"), answer)
    want(ask("GET", "/.well-known/oauth-authorization-server")[0] == 200, "no limit there")


globals()[sys.argv[2]]()
