# SPDX-License-Identifier: Apache-2.0
"""What was found, by rule, and what could not be judged, as counts."""
import json
from collections import Counter

# rule: the invariants that it belongs to, what it says
RULES = {
    "jti-version": ("I5", "every jti is a UUIDv7"),
    "jti-unique": ("I5", "no jti stands twice in the ledger"),
    "jti-time": ("I8", "a jti's time is that of its row"),
    "iat-order": ("I8", "the time of issue does not fall, for each signer"),
    "client-unknown": ("I6", "the client exists and existed then"),
    "client-account": ("I6", "the client acts for its own account"),
    "client-disabled": ("I4 I6", "the client was enabled"),
    "client-address": ("I4 I6", "the client asked from an address that it may use"),
    "client-pinned": ("I4 I6", "the fingerprint is among those pinned"),
    "client-scope": ("I4 I6", "the client's scopes cover the token"),
    "source": ("I6", "the row names one thing that the client presented"),
    "credential-foreign": ("I6", "the secret is the client's own"),
    "credential-expired": ("I6", "the secret had begun and not expired"),
    "credential-revoked": ("I4 I6", "the secret was not revoked"),
    "key-foreign": ("I6", "the key is the client's own"),
    "key-expired": ("I6", "the key had begun and not expired"),
    "key-removed": ("I4 I6", "the key was not removed"),
    "user-foreign": ("I6", "the API user is the client's own"),
    "user-disabled": ("I4 I6", "the API user was enabled and had a password"),
    "account-unknown": ("I6", "the account exists and existed then"),
    "account-not-active": ("I4 I6", "the account was active"),
    "account-lapsed": ("I4 I6", "the account was verified"),
    "spc-not-held": ("I4 I6", "the account held the SPC"),
    "spc-lapsed": ("I4 I6", "the SPC was verified"),
    "no-delegation": ("I4 I6", "ca only under a delegation in force for SPC and client"),
    "tkvalue": ("I6", "tkvalue is the canonical TNAuthList of the SPC"),
    "fingerprint": ("I6", "the fingerprint has one of its two spellings"),
    "form": ("I6", "the form is one of two, with what belongs to it"),
    "form-not-permitted": ("I4 I6", "the policy permitted the 2017 form"),
    "optional-claims": ("I6", "the optional claims and the issuer are the policy's"),
    "policy-unknown": ("I6", "a policy was in force"),
    "life": ("I6", "exp is the time of issue and the life of account or policy"),
    "life-limit": ("I6", "no token lives longer than the limit"),
    "signer-unknown": ("I6", "the signer is registered, for tokens"),
    "signer-not-active": ("I4 I6", "the signer was active"),
    "signer-certificate": ("I6", "the signer's certificate is right and was valid"),
    "plain": ("I1", "no text of the row needs an escape in JSON"),
    "audit-chain": ("I4", "each event holds the hash of the one before"),
    "audit-head": ("I4", "the head is that of the last event"),
    "audit-sense": ("I4", "each event says what it must"),
    "registry-account": ("I4", "accounts are what the audit has made them"),
    "registry-spc": ("I4", "assignments of SPCs are what the audit has made them"),
    "registry-delegation": ("I4", "delegations are what the audit has made them"),
    "registry-client": ("I4", "clients are what the audit has made them"),
    "registry-credential": ("I4", "secrets of clients are what the audit has made them"),
    "registry-key": ("I4", "keys of clients are what the audit has made them"),
    "registry-user": ("I4", "API users are what the audit has made them"),
    "registry-policy": ("I4", "policies are what the audit has made them"),
    "registry-signer": ("I4", "signers are what the audit has made them"),
    "token-malformed": ("I1", "what was received is a token of three parts"),
    "token-not-in-ledger": ("I1", "every token received is in the ledger"),
    "token-differs": ("I1", "every token received is its row's, byte for byte"),
    "token-signature": ("I1 I6", "every signature is the signer's"),
    "token-twice": ("I5", "no two answers brought the same jti"),
    "token-not-as-asked": ("I6", "every token says what was asked for"),
}


class Report:
    def __init__(self, show=20):
        self.show = show
        self.findings = Counter()
        self.shown = []
        self.counts = {}         # what was looked at
        self.not_derived = Counter()
        self.takings = Counter()

    def find(self, rule, where, what):
        assert rule in RULES
        self.findings[rule] += 1
        if self.findings[rule] <= self.show:
            self.shown.append({"rule": rule, "where": where, "what": what})

    def miss(self, why):
        """Something that the history is not enough to judge."""
        self.not_derived[why] += 1

    def exit_code(self):
        return 1 if self.findings else 0

    def as_json(self):
        return json.dumps({
            "consistent": not self.findings,
            "counts": self.counts,
            "takings": dict(self.takings),
            "findings": dict(self.findings),
            "not_derived": dict(self.not_derived),
            "shown": self.shown,
        }, indent=1)

    def print(self, out):
        for finding in self.shown:
            print(f"FINDING {finding['rule']}: {finding['where']}: {finding['what']}", file=out)
        for rule, count in sorted(self.findings.items()):
            more = "" if count <= self.show else f", {self.show} of them shown"
            print(f"rule {rule} ({RULES[rule][0]}; {RULES[rule][1]}): {count} findings{more}",
                  file=out)
        for name, count in self.counts.items():
            print(f"{name}: {count}", file=out)
        print("rights taken: " + (", ".join(
            f"{name} {count}" for name, count in sorted(self.takings.items())) or "none"), file=out)
        for why, count in sorted(self.not_derived.items()):
            print(f"not derived: {count} × {why}", file=out)
        total = sum(self.findings.values())
        print(f"rules: {len(RULES)}; findings: {total}: "
              f"{'NOT consistent' if total else 'consistent'}", file=out)
