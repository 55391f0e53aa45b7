#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ask for every cell of accounts x SPCs x ca x credentials x states, and compare the answer with
what a model of the rules says.  The model shares no code with the service.

usage: matrix.py --ca FILE --secrets FOLDER PORT

The world that it expects is made by matrix.sh.
"""
import argparse
import base64
import http.client
import json
import ssl
import sys
import time

FINGERPRINT = "SHA256 " + ":".join(["A0"] * 32)
FIELDS = {"status", "message", "token", "crl", "iss"}

# name: state, alias, SPCs (spc: standing), SPCs with a delegation in force
ACCOUNTS = {
    "sp-full": ("active", "full-alias",
                {"2001": "held", "2002": "lapsed", "2003": "withdrawn"}, {"2001"}),
    "sp-plain": ("active", None, {"2004": "held", "LUP01": "held"}, set()),
    "sp-ended": ("active", None, {"2005": "held"}, set()),  # its delegation was withdrawn
    "sp-suspended": ("suspended", None, {"2006": "held"}, {"2006"}),
    "sp-lapsed": ("lapsed", None, {"2007": "held"}, set()),
    "sp-back": ("active", None, {"0226": "held"}, set()),   # suspended and reinstated
    "sp-applied": ("applied", None, {}, set()),
    "sp-closed": ("closed", None, {}, set()),
}
SPCS = ["2001", "2002", "2003", "2004", "2005", "2006", "2007", "0226", "LUP01", "9999"]
PATHS = [*ACCOUNTS, "full-alias", "2001", "2003", "2004", "2006", "sp-nobody", "9999"]
CREDENTIALS = ["good", "second", "wrong", "expired", "disabled", "unknown"]
CAS = [None, False, True]


def names(account):
    """What the path may say for an account: its name, its alias, an SPC that it holds now."""
    _, alias, spcs, _ = ACCOUNTS[account]
    return {account, alias} | {spc for spc, standing in spcs.items() if standing != "withdrawn"}


def expected(account, credential, path, spc, ca):
    state, _, spcs, delegated = ACCOUNTS[account]
    if credential not in ("good", "second"):
        return 403, "invalid-credentials"
    if path not in names(account):
        return 404, "no-such-account"
    if state in ("suspended", "applied", "closed"):
        return 403, "account-not-active"
    if state == "lapsed":
        return 403, "account-lapsed"
    standing = spcs.get(spc)
    if standing in (None, "withdrawn"):
        return 403, "spc-not-held"
    if standing == "lapsed":
        return 403, "spc-lapsed"
    if ca and spc not in delegated:
        return 403, "no-delegation"
    return 200, None


def tkvalue(spc):
    entry = b"\x16" + bytes([len(spc)]) + spc.encode()
    tagged = b"\xa0" + bytes([len(entry)]) + entry
    return base64.b64encode(b"\x30" + bytes([len(tagged)]) + tagged).decode()


def payload_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def fault_in(status, answer, media, want, spc, ca):
    if (status, answer.get("code")) != want:
        return f"got {status} {answer.get('code')}, want {want}"
    if status != 200:
        return None if media == "application/problem+json" else f"media type {media}"
    if set(answer) != FIELDS or not all(isinstance(v, str) for v in answer.values()):
        return f"members {sorted(answer)}"
    atc = payload_of(answer["token"])["atc"]
    asked = {"tktype": "TNAuthList", "tkvalue": tkvalue(spc), "ca": bool(ca),
             "fingerprint": FINGERPRINT}
    return None if atc == asked else f"signed {atc}"


class Asker:
    def __init__(self, port, ca_file):
        self.port = port
        self.context = ssl.create_default_context(cafile=ca_file)
        self.connection = None

    def ask(self, path, atc, headers):
        """The status, the body and its media type; once more when it is told 503, as by any
        client."""
        for _ in range(30):
            answer = self.ask_once(path, atc, headers)
            if answer[0] != 503:
                break
            time.sleep(1)
        return answer

    def ask_once(self, path, atc, headers):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=30, context=self.context)
        self.connection.request("POST", f"/sti-pa/account/{path}/token",
                                json.dumps({"atc": atc}), headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.will_close:
            self.connection.close()
            self.connection = None
        return response.status, answer, response.headers["Content-Type"]


def authorization(folder, account, credential):
    client = f"{account[3:]}-{'good' if credential == 'wrong' else credential}"
    if credential in ("wrong", "unknown"):
        secret = "stipa_demo_" + "A" * 49
    else:
        with open(f"{folder}/{client}", encoding="ascii") as file:
            secret = file.readline().strip()
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def cells():
    for account in ACCOUNTS:
        for credential in CREDENTIALS:
            for path in PATHS:
                for spc in SPCS:
                    for ca in CAS:
                        yield account, credential, path, spc, ca


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--secrets", required=True)
    parser.add_argument("port", type=int)
    args = parser.parse_args()

    asker = Asker(args.port, args.ca)
    told, faults, not_found = {}, [], set()
    for account, credential, path, spc, ca in cells():
        headers = {"Authorization": authorization(args.secrets, account, credential),
                   "Content-Type": "application/json", "X-Request-Id": "cell"}
        atc = {"tktype": "TNAuthList", "tkvalue": tkvalue(spc), "fingerprint": FINGERPRINT}
        if ca is not None:
            atc["ca"] = ca
        status, answer, media = asker.ask(path, atc, headers)
        want = expected(account, credential, path, spc, ca)
        fault = fault_in(status, answer, media, want, spc, ca)
        if fault:
            faults.append(f"{account} {credential} {path} {spc} {ca}: {fault}")
        if status == 404:
            not_found.add(json.dumps(answer))
        told[want] = told.get(want, 0) + 1
    for (status, code), count in sorted(told.items(), key=str):
        print(f"  {count:6} cells: {status} {code or ''}")
    if len(not_found) != 1:
        faults.append(f"foreign and absent accounts are told apart: {not_found}")
    for fault in faults[:20]:
        print("  FAULT:", fault)
    print(f"  {sum(told.values())} cells, {len(faults)} faults")
    sys.exit(bool(faults) or len(told) < 8)


main()
