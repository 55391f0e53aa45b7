# SPDX-License-Identifier: Apache-2.0
"""What clients received, brought into the order of the ledger by sort(1), so that neither stands in
memory.  A line is a token, or a JSON object with "token" and, as far as known, what was asked for:
"client", "account", "spc", "ca", "fingerprint".  A line without a token is passed over."""
import json
import subprocess
import sys
import tempfile

from . import jose

ASKED = ("client", "account", "spc", "ca", "fingerprint")


class Received:
    def __init__(self, paths, report, folder=None):
        self.report, self.count = report, 0
        self.sorted = tempfile.TemporaryFile(dir=folder)
        if paths:
            self.sort(paths, folder)
        self.waiting = None
        self.advance()

    def sort(self, paths, folder):
        with tempfile.TemporaryFile(dir=folder) as found:
            for path in paths:
                self.read(path, found)
            found.seek(0)
            subprocess.run(["sort", "-S", "32M"] + (["-T", folder] if folder else []),
                           stdin=found, stdout=self.sorted, check=True,
                           env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
        self.sorted.seek(0)

    def read(self, path, found):
        file = sys.stdin if path == "-" else open(path, encoding="utf-8")
        with file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    self.take(f"{path}:{number}", line.strip(), found)

    def take(self, where, line, found):
        asked = {}
        if line.startswith("{"):
            try:
                asked = json.loads(line)
            except ValueError as error:  # a client that was killed while it wrote
                self.report.find("token-malformed", where, f"no JSON: {error}")
                return
            line = asked.get("token")
            if not line:
                return
        self.count += 1
        try:
            claims = jose.split(line)[1]
            jti = claims["jti"]
            if not isinstance(jti, str) or len(jti) != 36:
                raise jose.BadToken("no jti")
        except (jose.BadToken, KeyError) as error:
            self.report.find("token-malformed", where, f"{error}")
            return
        record = {"at": where, "token": line}
        record.update((name, asked[name]) for name in ASKED if asked.get(name) is not None)
        found.write(f"{jti}\t{json.dumps(record)}\n".encode())

    def advance(self):
        line = self.sorted.readline().decode()
        if line:
            jti, record = line.rstrip("\n").split("\t", 1)
            self.waiting = jti, json.loads(record)
        else:
            self.waiting = None

    def of(self, jti):
        """Those of this row.  What comes before it in the order is of no row."""
        self.drop(jti)
        found = []
        while self.waiting and self.waiting[0] == jti:
            found.append(self.waiting[1])
            self.advance()
        return found

    def drop(self, jti):
        """All that sorts before @jti; with None, all."""
        while self.waiting and (jti is None or self.waiting[0] < jti):
            self.report.find("token-not-in-ledger", self.waiting[0],
                             f"{self.waiting[1]['at']} received it")
            self.advance()


class Comparison:
    """Rows beside the tokens that were received for them."""

    def __init__(self, history, names, report):
        self.history, self.names, self.report = history, names, report
        self.verifiers, self.verified = {}, 0

    def compare(self, row, records):
        if len({record["token"].rsplit(".", 1)[0] for record in records}) > 1 or len(records) > 1:
            self.report.find("token-twice", row.jti, " and ".join(r["at"] for r in records[:3]))
        signer = self.history.signers.get(row.kid)
        if signer is None:
            return  # judged with the row
        built = jose.signing_input(row, signer.x5u)
        for record in records:
            signed, claims, signature = jose.split(record["token"])
            if signed != built:
                self.report.find("token-differs", row.jti, f"{record['at']}: {claims}")
            self.verify(row, signer, record, signed, signature)
            self.as_asked(row, record)

    def verify(self, row, signer, record, signed, signature):
        verifier = self.verifiers.get(row.kid)
        if verifier is None:
            verifier = self.verifiers[row.kid] = make_verifier(getattr(signer, "key", None))
        self.verified += 1
        if not verifier(signed.encode(), signature):
            self.report.find("token-signature", row.jti, f"{record['at']}: not by {row.kid}")

    def as_asked(self, row, record):
        client = self.names.clients.get(row.client_id)
        account = self.names.accounts.get(row.account_id)
        told = {"client": client and client.name, "account": account and account.name,
                "spc": row.spc, "ca": row.ca, "fingerprint": row.fingerprint}
        for name in ASKED:
            if name in record and record[name] != told[name]:
                self.report.find("token-not-as-asked", row.jti,
                                 f"{record['at']}: {name} {told[name]}, asked {record[name]}")


def make_verifier(key):
    """ES256 by the key of a certificate; without one, nothing is right."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if key is None:
        return lambda data, signature: False
    public = ec.EllipticCurvePublicNumbers(*key, ec.SECP256R1()).public_key()

    def verify(data, signature):
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True
    return verify
