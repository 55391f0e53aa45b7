#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ask once by each kind of credential and in each form; log what came as stream.py does.

usage: ledger_faces.py TESTS-API FOLDER PORT LOG

The folder has what ledger_check.sh made: secret-5, key.pem, secret-user-made, chosen.
"""
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import caller as calls  # noqa: E402

FOLDER, PORT, LOG = sys.argv[2], int(sys.argv[3]), sys.argv[4]
node = calls.Caller(PORT, f"{FOLDER}/tls/ca.pem")
THUMBPRINT = "Wlpa" * 10 + "Wlo"
HEX = "SHA256 " + ":".join(["5A"] * 32)
ATC = {"tktype": "TNAuthList", "tkvalue": "MAigBhYEMTAwNQ", "ca": False, "fingerprint": HEX}


def first_line(name):
    with open(f"{FOLDER}/{name}", encoding="ascii") as file:
        return file.readline().strip()


def login(user, password):
    answer = node.post_json("/api/v1/auth/login", {"userId": user, "password": password})
    return answer.json()["accessToken"] if answer.status == 200 else None


def assertion():
    text = calls.assertion(f"{FOLDER}/key.pem", "client-5", "key-1", f"{node.base}/oauth2/token")
    answer = node.post_form("/oauth2/token", {
        "grant_type": "client_credentials", "client_assertion": text, "client_assertion_type":
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
    return answer.json().get("access_token")


def ask(log, what, authorization, body, **asked):
    answer = node.post_json("/sti-pa/account/sp-5/token", body, [authorization])
    print(f"    {what}: {answer.status}")
    if answer.status == 200:
        record = {"account": "sp-5", "client": "client-5", "spc": "1005", "ca": False,
                  "fingerprint": HEX, **asked, "token": answer.json()["token"]}
        log.write(json.dumps(record) + "\n")


def main():
    secret = first_line("secret-5")
    by_secret = calls.basic("client-5", secret)
    with open(LOG, "a", encoding="ascii") as log:
        ask(log, "secret", by_secret, {"atc": ATC})
        ask(log, "2017", by_secret, {"fingerprint": THUMBPRINT}, fingerprint=THUMBPRINT)
        for what, token in (
                ("access token", calls.access_token(node, "client-5", secret)),
                ("key", assertion()),
                ("made password", login("user-made", first_line("secret-user-made"))),
                ("chosen password", login("user-chosen", first_line("chosen")))):
            if token:
                ask(log, what, calls.bearer(token), {"atc": ATC})


main()
