#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong inputs of OAuth, a row each: the status, the error and the headers that RFC 6749, 6750,
7009, 7523 and 8414 ask for, by raw requests.

Environment: PORT, CA, CLIENT, SECRET, OTHER_CLIENT, OTHER_SECRET, KEY_FILE, KID, ACCOUNT, BODY.
"""
import json
import os
import re
import sys
import time

import caller as calls

ENV = os.environ
CLIENT, SECRET = ENV["CLIENT"], ENV["SECRET"]
node = calls.Caller(int(ENV["PORT"]), ENV["CA"])
ENDPOINT = f"{node.base}/oauth2/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BASIC = [calls.basic(CLIENT, SECRET)]
WRONG = [calls.basic(CLIENT, calls.secret_of("stipa_demo_"))]
GRANT = "grant_type=client_credentials"
BASIC_CHALLENGE = 'Basic realm="sti-pa", charset="UTF-8"'
# RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E
DESCRIPTION = re.compile(r"[ !#-\[\]-~]*")
faults = []


def fault(name, what):
    faults.append(name)
    print(f"  FAULT: {name}: {what}")


def assertion(client=CLIENT, kid=ENV["KID"], audience=ENDPOINT, key=ENV["KEY_FILE"],
              **changed):
    text = calls.assertion(key, client, kid, audience, **changed)
    return f"{GRANT}&client_assertion_type={JWT_BEARER}&client_assertion={text}"


def unsigned(text):
    return text[:-8] + ("AAAAAAAA" if not text.endswith("AAAAAAAA") else "BBBBBBBB")


def with_header(header, keep=True):
    """A right assertion under another header; with its signature or without one."""
    start, _, text = assertion().rpartition("=")
    _, payload, signature = text.split(".")
    return f"{start}={calls.b64url(json.dumps(header).encode())}.{payload}." + (
        signature if keep else "")


def secret_post(client=CLIENT, secret=SECRET):
    return f"{GRANT}&client_id={client}&client_secret={secret}"


now = int(time.time())
replayed = assertion(jti="the-same-twice")

# name, form, headers, status, error
TOKEN_ROWS = [
    # RFC 6749 section 4.4.2, 2.3.1
    ("client_secret_basic", GRANT, BASIC, 200, None),
    ("client_secret_post", secret_post(), [], 200, None),
    ("Basic in other letters", GRANT, [("Authorization", BASIC[0][1].replace("Basic", "bAsIc"))],
     200, None),
    # section 3.2: unknown parameters are ignored, valueless ones are not there
    ("an unknown parameter", GRANT + "&resource=x", BASIC, 200, None),
    ("a scope without a value", GRANT + "&scope=", BASIC, 200, None),
    ("a charset", GRANT, BASIC + [("Content-Type",
     "application/x-www-form-urlencoded; charset=UTF-8")], 200, None),
    ("two scopes", GRANT + "&scope=spc-token+revoke", BASIC, 200, None),
    # section 5.2
    ("no grant_type", "scope=spc-token", BASIC, 400, "invalid_request"),
    ("a grant_type without a value", "grant_type=", BASIC, 400, "invalid_request"),
    ("another grant_type", "grant_type=password&username=a&password=b", BASIC, 400,
     "unsupported_grant_type"),
    ("grant_type twice", GRANT + "&" + GRANT, BASIC, 400, "invalid_request"),
    ("scope twice", GRANT + "&scope=revoke&scope=revoke", BASIC, 400, "invalid_request"),
    ("an unknown scope", GRANT + "&scope=everything", BASIC, 400, "invalid_scope"),
    ("one good and one unknown scope", GRANT + "&scope=spc-token+x", BASIC, 400, "invalid_scope"),
    ("no body", "", BASIC, 400, "invalid_request"),
    ("JSON in place of a form", '{"grant_type":"client_credentials"}',
     BASIC + [("Content-Type", "application/json")], 400, "invalid_request"),
    ("a half escape", GRANT + "&x=%2", BASIC, 400, "invalid_request"),
    ("an escaped NUL", GRANT + "&x=%00", BASIC, 400, "invalid_request"),
    ("nobody", GRANT, [], 401, "invalid_client"),
    ("a wrong secret", GRANT, WRONG, 401, "invalid_client"),
    ("an unknown client", GRANT, [calls.basic("nobody", SECRET)], 401, "invalid_client"),
    ("Basic without a colon", GRANT, [("Authorization", "Basic bm9ib2R5")], 401,
     "invalid_client"),
    ("a wrong secret in the body", secret_post(secret="wrong"), [], 401, "invalid_client"),
    ("a client_id alone", f"{GRANT}&client_id={CLIENT}", [], 401, "invalid_client"),
    # section 2.3: one method in a request
    ("two methods: Basic and body", secret_post(), BASIC, 400, "invalid_request"),
    ("two methods: Basic and assertion", assertion(), BASIC, 400, "invalid_request"),
    ("two methods: body and assertion", f"{assertion()}&client_id={CLIENT}&client_secret={SECRET}",
     [], 400, "invalid_request"),
    # RFC 7523 sections 2.2 and 3
    ("private_key_jwt", assertion(), [], 200, None),
    ("private_key_jwt, the issuer is meant", assertion(audience=node.base), [], 200, None),
    ("private_key_jwt, one of several is us", assertion(audience=["https://x.example", ENDPOINT]),
     [], 200, None),
    ("private_key_jwt with client_id", f"{assertion()}&client_id={CLIENT}", [], 200, None),
    ("an assertion for an hour", assertion(exp=now + 3600), [], 200, None),
    ("an assertion without a kid", assertion(kid=None), [], 200, None),
    ("an assertion for the first time", replayed, [], 200, None),
    ("the same for the second time", replayed, [], 401, "invalid_client"),
    ("an assertion for somebody else", assertion(audience="https://other.example"), [], 401,
     "invalid_client"),
    ("an assertion that has expired", assertion(exp=now - 60), [], 401, "invalid_client"),
    ("an assertion for too long", assertion(exp=now + 3700), [], 401, "invalid_client"),
    ("an assertion without exp", assertion(exp=None), [], 401, "invalid_client"),
    ("an assertion without aud", assertion(audience=None), [], 401, "invalid_client"),
    ("an assertion without jti", assertion(jti=None), [], 401, "invalid_client"),
    ("an assertion of the future", assertion(nbf=now + 300), [], 401, "invalid_client"),
    ("iss is not sub", assertion(iss="other"), [], 401, "invalid_client"),
    ("an assertion of an unknown client", assertion(client="nobody"), [], 401, "invalid_client"),
    ("an unknown key", assertion(kid="other"), [], 401, "invalid_client"),
    ("a wrong signature", unsigned(assertion()), [], 401, "invalid_client"),
    ("alg none", with_header({"alg": "none"}, keep=False), [], 401, "invalid_client"),
    ("alg none, signed", with_header({"alg": "none"}), [], 401, "invalid_client"),
    ("alg HS256", with_header({"alg": "HS256", "kid": ENV["KID"]}), [], 401, "invalid_client"),
    ("an assertion that is none", f"{GRANT}&client_assertion_type={JWT_BEARER}"
     "&client_assertion=a.b.c", [], 401, "invalid_client"),
    ("another client_id beside it", f"{assertion()}&client_id={ENV['OTHER_CLIENT']}", [], 401,
     "invalid_client"),
    ("another assertion type", assertion().replace(JWT_BEARER, "urn:x"), [], 401,
     "invalid_client"),
]

REVOKE_ROWS = [  # RFC 7009 section 2
    ("an unknown token", "token=of-nobody", BASIC, 200, None),
    ("with a hint", "token=of-nobody&token_type_hint=refresh_token", BASIC, 200, None),
    ("no token", "token_type_hint=access_token", BASIC, 400, "invalid_request"),
    ("token twice", "token=a&token=b", BASIC, 400, "invalid_request"),
    ("a wrong client", "token=a", WRONG, 401, "invalid_client"),
    ("nobody", "token=a", [], 401, "invalid_client"),
    ("two methods", f"token=a&client_id={CLIENT}&client_secret={SECRET}", BASIC, 400,
     "invalid_request"),
]


def post(path, form, headers):
    headers = list(headers)
    if not any(name == "Content-Type" for name, _ in headers):
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    return node.ask("POST", path, headers, form.encode())


def error_faults(answer, error, used_authorization):
    value = answer.json()
    if value.get("error") != error:
        yield f"{value}, want {error}"
    if not set(value) <= {"error", "error_description", "error_uri"}:
        yield f"members {sorted(value)}"
    if not DESCRIPTION.fullmatch(value.get("error_description", "")):
        yield f"error_description {value['error_description']!r}"
    challenges = answer.headers.get_all("WWW-Authenticate") or []
    if error == "invalid_client" and used_authorization and challenges != [BASIC_CHALLENGE]:
        yield f"WWW-Authenticate {challenges}"
    if answer.status == 400 and challenges:
        yield f"a challenge with 400: {challenges}"


def check_row(path, row):
    name, form, headers, status, error = row
    answer = post(path, form, headers)
    told = []
    if answer.status != status:
        told.append(f"{answer.status} {answer.body[:200]}, want {status}")
    if answer.headers["Cache-Control"] != "no-store" or answer.headers["Pragma"] != "no-cache":
        told.append(f"Cache-Control {answer.headers['Cache-Control']}, "
                    f"Pragma {answer.headers['Pragma']}")
    if error and not told:
        if answer.media() != "application/json":
            told.append(f"media type {answer.media()}")
        told += error_faults(answer, error, any(n == "Authorization" for n, _ in headers))
    if not error and path == "/oauth2/token" and not told:
        told += grant_faults(answer.json())
    for what in told:
        fault(f"{path} {name}", what)


def grant_faults(value):  # RFC 6749 section 5.1; RFC 6750 section 4
    if value.get("token_type") != "Bearer" or not 0 < value.get("expires_in", 0) <= 3600:
        yield f"{value}"
    if "refresh_token" in value:
        yield "a refresh token, which section 4.4.3 forbids"
    if not value.get("access_token", "").startswith("stipa_demo_at_"):
        yield f"{value}"


def ask_token(headers, ca=False):
    body = ENV["BODY"]
    if ca:  # for the SPC with a delegation, 683G
        body = body.replace('"ca":false', '"ca":true').replace("MAigBhYEMTIzNA", "MAigBhYENjgzRw")
    return node.ask("POST", f"/sti-pa/account/{ENV['ACCOUNT']}/token",
                    [("Content-Type", "application/json"), *headers], body.encode())


def expect(name, answer, status, *challenges):
    got = answer.headers.get_all("WWW-Authenticate") or []
    if answer.status != status:
        fault(name, f"{answer.status} {answer.body[:200]}, want {status}")
    elif challenges and not all(any(text in value for value in got) for text in challenges):
        fault(name, f"WWW-Authenticate {got}, want {challenges}")
    return got


def bearer_rules():
    """RFC 6750 section 3.1."""
    got = expect("no credentials", ask_token([]), 401, 'Bearer realm="sti-pa"',
                 'Basic realm="sti-pa"')
    if any("error=" in value for value in got):
        fault("no credentials", f"an error in {got}")
    token = calls.access_token(node, CLIENT, SECRET, "spc-token")
    expect("an access token", ask_token([calls.bearer(token)]), 200)
    expect("bearer in other letters", ask_token([("Authorization", f"bEARER {token}")]), 200)
    expect("a bare access token", ask_token([("Authorization", token)]), 200)
    expect("no such access token",
           ask_token([calls.bearer(calls.secret_of("stipa_demo_at_"))]), 401,
           'error="invalid_token"')
    expect("ca without its scope", ask_token([calls.bearer(token)], ca=True), 403,
           'error="insufficient_scope"', 'scope="spc-token:ca"')
    other = calls.access_token(node, CLIENT, SECRET, "revoke")
    expect("another scope", ask_token([calls.bearer(other)]), 403, 'error="insufficient_scope"',
           'scope="spc-token"')
    expect("an access token in the URI is none", node.ask(
        "POST", f"/sti-pa/account/{ENV['ACCOUNT']}/token?access_token={token}",
        [("Content-Type", "application/json")], ENV["BODY"].encode()), 401)


def revocation_rules():
    """RFC 7009 section 2.1: a client's own tokens only."""
    token = calls.access_token(node, CLIENT, SECRET)
    stranger = [calls.basic(ENV["OTHER_CLIENT"], ENV["OTHER_SECRET"])]
    expect("another's token", post("/oauth2/revoke", f"token={token}", stranger), 200)
    expect("it is in force still", ask_token([calls.bearer(token)]), 200)
    expect("one's own token", post("/oauth2/revoke", f"token={token}", BASIC), 200)
    expect("it is not in force", ask_token([calls.bearer(token)]), 401, 'error="invalid_token"')
    expect("on /at it is 403", node.ask(
        "POST", f"/at/account/{ENV['ACCOUNT']}/token",
        [("Content-Type", "application/json"), calls.bearer(token)], ENV["BODY"].encode()), 403,
        'error="invalid_token"')


def metadata_rules():
    """RFC 8414 sections 2 and 3."""
    answer = node.ask("GET", "/.well-known/oauth-authorization-server")
    expect("the metadata", answer, 200)
    value = answer.json()
    if value["issuer"] != node.base or value["token_endpoint"] != ENDPOINT:
        fault("the metadata", f"issuer {value['issuer']}")
    if value["token_endpoint_auth_signing_alg_values_supported"] != ["ES256"]:
        fault("the metadata", "algorithms")


for row in TOKEN_ROWS:
    check_row("/oauth2/token", row)
for row in REVOKE_ROWS:
    check_row("/oauth2/revoke", row)
bearer_rules()
revocation_rules()
metadata_rules()
for endpoint in ("/oauth2/token", "/oauth2/revoke"):
    if node.ask("GET", endpoint).status != 405:
        fault(endpoint, "GET is not 405")
print(f"  {len(TOKEN_ROWS) + len(REVOKE_ROWS)} rows, {len(faults)} faults")
sys.exit(bool(faults))
