# SPDX-License-Identifier: Apache-2.0
"""Each row of the ledger judged by the policy of its own moment."""
import ipaddress
import re
from functools import lru_cache

from . import der, jose
from .history import life_at
from .source import US, add, interval

SHORTEST, LONGEST = interval("00:10:00"), interval("398 days")
HEX_FINGERPRINT = re.compile(r"SHA256 [0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}\Z")
SPC = re.compile(r"[0-9A-Z]{1,16}\Z")
PLAIN = re.compile(r'[ !#-\[\]-~]*\Z')

# A node makes the jti when an order comes, by its own clock.  The order waits at most 2 s for a
# batch, the batch at most 6 s in the database (statement_timeout), whose clock then is the row's;
# the two clocks differ by 2 s at most.
CLOCKS_US, QUEUE_US, DATABASE_US = 2 * US, 2 * US, 6 * US
JTI_LATE_US = CLOCKS_US + QUEUE_US + DATABASE_US
# Rows are read in the order of their jti.  Two nodes may be off by 2 s in both directions, and one
# of them have its queue waiting.
ORDER_US = 2 * CLOCKS_US + QUEUE_US


@lru_cache(maxsize=65536)
def spc_of_tkvalue(text):
    """The SPC, or the exception that says what is wrong."""
    try:
        return der.spc_of_tnauthlist(jose.decode_any(text))
    except (jose.BadToken, der.NotDer, ValueError, IndexError) as error:
        return error


@lru_cache(maxsize=65536)
def fingerprint_bytes(text):
    """The 32 bytes of a fingerprint in one of its two spellings, as hex; None when it has none."""
    if HEX_FINGERPRINT.match(text):
        return text[7:].replace(":", "").lower()
    try:
        data = jose.decode(text)
    except jose.BadToken:
        return None
    return data.hex() if len(data) == 32 else None


@lru_cache(maxsize=65536)
def address_is_in(peer, ranges):
    address = ipaddress.ip_address(peer)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(one) for one in ranges)


class Rules:
    def __init__(self, history, names, report, limit=LONGEST):
        self.history, self.names, self.report, self.limit = history, names, report, limit
        self.last_jti, self.newest = None, {}

    def judge(self, row):
        """All rules; a finding names the row by its jti."""
        def find(rule, what):
            self.report.find(rule, row.jti, what)

        self.identity(row, find)
        account = self.names.accounts.get(row.account_id)
        client = self.names.clients.get(row.client_id)
        policy = self.history.policy_at(row.issued_at)
        self.client(row, client, account, find)
        self.source(row, client, find)
        self.content(row, find)
        self.signer(row, find)
        if account is None or account.state.at(row.issued_at) is None:
            find("account-unknown", f"account {row.account_id}")
        else:
            self.account(row, account, client, find)
        if policy is None:
            find("policy-unknown", "no policy had begun")
        else:
            self.policy(row, policy, account, find)

    def identity(self, row, find):
        if row.jti[14] != "7" or row.jti[19] not in "89ab":
            find("jti-version", "is no UUIDv7")
        if row.jti == self.last_jti:
            find("jti-unique", "stands twice")
        self.last_jti = row.jti
        late = row.issued_at - int(row.jti[:8] + row.jti[9:13], 16) * 1000
        if not -CLOCKS_US - 1000 <= late <= JTI_LATE_US:
            find("jti-time", f"was issued {late / US:.3f} s after the time in it")
        newest = self.newest.get(row.kid, row.issued_at)
        if row.issued_at < newest - ORDER_US:
            find("iat-order", f"was issued {(newest - row.issued_at) / US:.3f} s before the one "
                              "ahead of it")
        self.newest[row.kid] = max(newest, row.issued_at)

    def client(self, row, client, account, find):
        when = row.issued_at
        if client is None or when < client.begin:
            find("client-unknown", f"client {row.client_id}")
            return
        if account is None or client.account != account.name:
            find("client-account", f"client {client.name} acts for {client.account}")
        if not client.enabled.at(when):
            find("client-disabled", f"client {client.name}")
        allowed = client.allowed.at(when)
        if allowed and not address_is_in(row.peer, tuple(allowed)):
            find("client-address", f"client {client.name} from "
                                   f"{ipaddress.ip_address(row.peer)}")
        pinned = client.pinned.at(when)
        if pinned and fingerprint_bytes(row.fingerprint) not in pinned:
            find("client-pinned", f"client {client.name}")
        if not client.scopes.at(when) & 3 or (row.ca and not client.scopes.at(when) & 2):
            find("client-scope", f"client {client.name} had the scopes {client.scopes.at(when)}")

    def source(self, row, client, find):
        given = [name for name, value in (
            ("credential", row.credential_id), ("key", row.client_key_id),
            ("user", row.api_user_id)) if value is not None]
        if len(given) != 1 or row.presented not in (0, 1) \
                or (row.presented == 0 and given != ["credential"]):
            find("source", f"presented {row.presented}, {' and '.join(given) or 'nothing'}")
            return
        if row.presented == 1:
            self.report.miss("a row's access token is not in the ledger: its own scopes, life and "
                             "end (logout, report); what it was got for is judged")
        if given == ["user"]:
            self.user(row, client, find)
        elif given == ["key"]:
            self.secret(row, client, self.names.keys.get(row.client_key_id), "key",
                        "key-removed", find)
        else:
            self.secret(row, client, self.names.credentials.get(row.credential_id), "credential",
                        "credential-revoked", find)

    def secret(self, row, client, found, kind, ended, find):
        owner, secret = found or (None, None)
        if owner is None or owner is not client:
            find(f"{kind}-foreign", f"is of client {owner.name if owner else 'nobody'}")
            return
        if not secret.begin <= row.issued_at < secret.expires:
            find(f"{kind}-expired", f"of client {client.name}")
        if row.issued_at >= secret.ended:
            find(ended, f"of client {client.name}")

    def user(self, row, client, find):
        user = self.names.users.get(row.api_user_id)
        if user is None or client is None or user.client != client.name:
            find("user-foreign", f"user {row.api_user_id}")
        elif not (user.enabled.at(row.issued_at) and user.password.at(row.issued_at)):
            find("user-disabled", f"user {row.api_user_id}")

    def account(self, row, account, client, find):
        when = row.issued_at
        if account.state.at(when) != "active":
            find("account-not-active", f"{account.name} was {account.state.at(when)}")
        if account.verified_until.at(when) <= when:
            find("account-lapsed", account.name)
        holding = next((one for one in account.held.get(row.spc, ())
                        if one.begin <= when < one.end), None)
        if holding is None:
            find("spc-not-held", f"{account.name} did not hold {row.spc}")
        else:
            verified = holding.verified_until.at(when)
            if verified is not None and verified <= when:
                find("spc-lapsed", f"{row.spc} of {account.name}")
        if row.ca and not any(
                one.begin <= when < min(one.until, one.withdrawn)
                and (one.clients is None or (client and client.name in one.clients))
                for one in account.delegations.get(row.spc, ())):
            find("no-delegation", f"{row.spc} of {account.name}, client "
                                  f"{client.name if client else row.client_id}")

    def content(self, row, find):
        if fingerprint_bytes(row.fingerprint) is None:
            find("fingerprint", row.fingerprint)
        if row.form == 1:
            spc = spc_of_tkvalue(row.tkvalue)
            if spc != row.spc or not SPC.match(row.spc):
                find("tkvalue", f"{row.tkvalue} says {spc}, the row {row.spc}")
        elif row.form != 2 or row.tkvalue or row.ca or row.optional_claims or row.iss is not None:
            find("form", f"form {row.form} with what does not belong to it")
        for text in (row.tkvalue, row.fingerprint, row.spc, row.iss or ""):
            if not PLAIN.match(text):
                find("plain", repr(text))

    def signer(self, row, find):
        signer = self.history.signers.get(row.kid)
        if signer is None or signer.purpose != "token":
            find("signer-unknown", f"signer {row.kid}")
            return
        if not signer.activate <= row.issued_at < min(signer.retire, signer.retired):
            find("signer-not-active", f"signer {row.kid}")
        if getattr(signer, "key", None) and \
                not signer.not_before <= row.issued_at < signer.not_after + US:
            find("signer-certificate", f"signer {row.kid}: its certificate was not valid")

    def policy(self, row, policy, account, find):
        if row.form == 2 and not policy.form_2017:
            find("form-not-permitted", "the 2017 form")
        optional = policy.optional_claims if row.form == 1 else 0
        issuer = policy.issuer if optional & 1 else None
        if (row.optional_claims, row.iss) != (optional, issuer):
            find("optional-claims", f"{row.optional_claims} {row.iss}, the policy says "
                                    f"{optional} {issuer}")
        if account is not None and account.state.at(row.issued_at) is not None:
            expires = life_at(account, policy, row.issued_at)
            if row.expires_at != expires:
                find("life", f"expires {(row.expires_at - expires) / US:.3f} s beside its time")
        if not add(row.issued_at, SHORTEST) - US <= row.expires_at <= add(row.issued_at,
                                                                          self.limit):
            find("life-limit", f"lives {(row.expires_at - row.issued_at) / US:.0f} s")
