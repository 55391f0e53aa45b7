#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two OAuth libraries of Debian's get access tokens, use them and give them back: Authlib and
requests-oauthlib.

Environment: BASE, CA, CLIENT, SECRET, KEY_FILE, ACCOUNT, BODY.
"""
import os
import sys

import oauthlib.oauth2
import requests_oauthlib
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

BASE, CA, CLIENT, SECRET, KEY_FILE, ACCOUNT, BODY = (
    os.environ[name] for name in
    ("BASE", "CA", "CLIENT", "SECRET", "KEY_FILE", "ACCOUNT", "BODY"))
ENDPOINT, REVOKE = f"{BASE}/oauth2/token", f"{BASE}/oauth2/revoke"
SPC_TOKEN = f"{BASE}/sti-pa/account/{ACCOUNT}/token"
faults = []


def step(what, run):
    try:
        run()
        print("  ok:", what)
    except Exception as error:  # pylint: disable=broad-except
        faults.append(what)
        print(f"  FAULT: {what}: {type(error).__name__} {error}")


def use(session):
    """The library puts the access token into the request."""
    answer = session.post(SPC_TOKEN, data=BODY, headers={"Content-Type": "application/json"},
                          verify=CA)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"


def refuses(run, kinds, code):
    try:
        run()
    except kinds as error:
        assert error.error == code, error
        return
    raise AssertionError("it was not refused")


# ---- Authlib ----

def authlib_session(method, secret=SECRET, scope="spc-token"):
    session = OAuth2Session(CLIENT, secret, token_endpoint_auth_method=method, scope=scope)
    session.verify = CA
    return session


def authlib_gets_and_uses(method):
    session = authlib_session(method)
    granted = session.fetch_token(ENDPOINT, grant_type="client_credentials")
    assert granted["token_type"] == "Bearer" and granted["scope"] == "spc-token", granted
    use(session)
    answer = session.revoke_token(REVOKE, granted["access_token"])
    assert answer.status_code == 200, answer.text
    again = session.post(SPC_TOKEN, data=BODY, headers={"Content-Type": "application/json"})
    assert again.status_code == 401, again.status_code
    assert 'error="invalid_token"' in again.headers["WWW-Authenticate"]


def authlib_private_key():
    """Its assertions name no key and live for an hour."""
    with open(KEY_FILE, encoding="ascii") as file:
        session = authlib_session("private_key_jwt", file.read())
    session.register_client_auth_method(PrivateKeyJWT(ENDPOINT, alg="ES256"))
    session.fetch_token(ENDPOINT, grant_type="client_credentials")
    use(session)


# ---- requests-oauthlib ----

def requests_session(scope="spc-token"):
    client = oauthlib.oauth2.BackendApplicationClient(client_id=CLIENT, scope=scope)
    return requests_oauthlib.OAuth2Session(client=client, scope=scope)


def requests_gets_and_uses(in_body):
    session = requests_session(["spc-token"])
    session.fetch_token(ENDPOINT, client_id=CLIENT, client_secret=SECRET, verify=CA,
                        **({"include_client_id": True} if in_body else {}))
    use(session)


def requests_fetch(scope, secret):
    requests_session(scope).fetch_token(ENDPOINT, client_id=CLIENT, client_secret=secret,
                                        verify=CA)


for method in ("client_secret_basic", "client_secret_post"):
    step(f"Authlib, {method}", lambda method=method: authlib_gets_and_uses(method))
step("Authlib, private_key_jwt", authlib_private_key)
step("Authlib, a wrong secret", lambda: refuses(
    lambda: authlib_session("client_secret_basic", "wrong").fetch_token(
        ENDPOINT, grant_type="client_credentials"), OAuthError, "invalid_client"))
step("Authlib, a wrong scope", lambda: refuses(
    lambda: authlib_session("client_secret_post", scope="everything").fetch_token(
        ENDPOINT, grant_type="client_credentials"), OAuthError, "invalid_scope"))
step("requests-oauthlib, client_secret_basic", lambda: requests_gets_and_uses(False))
step("requests-oauthlib, client_secret_post", lambda: requests_gets_and_uses(True))
step("requests-oauthlib, a wrong secret", lambda: refuses(
    lambda: requests_fetch(["spc-token"], "wrong"), oauthlib.oauth2.OAuth2Error,
    "invalid_client"))
step("requests-oauthlib, a wrong scope", lambda: refuses(
    lambda: requests_fetch(["everything"], SECRET), oauthlib.oauth2.OAuth2Error,
    "invalid_scope"))
sys.exit(bool(faults))
