# SPDX-License-Identifier: Apache-2.0
"""What the registry was at any moment, told by the events of the audit alone.

Each act of db/migrations has one function here, named in ACTS.  Identifiers that events do not
carry (accounts and clients are named there) come from the tables; registry.py compares the rest.
"""
from bisect import bisect_right

from .source import FOREVER, add, interval, moment

UNSAID = object()  # a value that the event does not carry


class Timeline:
    """A value that changes at moments: the last change that has come counts."""
    __slots__ = ("times", "values")

    def __init__(self, when, value):
        self.times, self.values = [when], [value]

    def set(self, when, value):
        self.times.append(when)
        self.values.append(value)

    def at(self, when):
        """None before the beginning."""
        place = bisect_right(self.times, when)
        return self.values[place - 1] if place else None

    @property
    def last(self):
        return self.values[-1]


class Account:
    def __init__(self, name, when, verified_until):
        self.name = name
        self.state = Timeline(when, "applied")
        self.verified_until = Timeline(when, verified_until)
        self.token_life = Timeline(when, None)
        self.held = {}         # spc: [Holding]
        self.delegations = {}  # spc: [Delegation]


class Holding:
    def __init__(self, when, verified_until):
        self.begin, self.end = when, FOREVER
        self.verified_until = Timeline(when, verified_until)


class Delegation:
    def __init__(self, number, when, until, clients):
        self.number, self.begin, self.until, self.clients = number, when, until, clients
        self.withdrawn = FOREVER


class Client:
    def __init__(self, name, account, when):
        self.name, self.account, self.begin = name, account, when
        self.enabled = Timeline(when, True)
        self.allowed = Timeline(when, None)
        self.pinned = Timeline(when, None)
        self.scopes = Timeline(when, 7)
        self.credentials = {}  # when made: Credential
        self.keys = {}         # kid: Credential


class Credential:
    """A secret or a key of a client."""
    def __init__(self, when, expires):
        self.begin, self.expires, self.ended = when, expires, FOREVER


class User:
    def __init__(self, client, when):
        self.client, self.begin = client, when
        self.enabled = Timeline(when, True)
        self.password = Timeline(when, True)


class Policy:
    def __init__(self, begin, evidence):
        self.begin = begin
        self.token_life = interval(evidence["token_life"])
        self.optional_claims = evidence["optional_claims"]
        self.issuer = evidence.get("issuer")
        self.form_2017 = evidence["form_2017"]


class Signer:
    def __init__(self, evidence):
        self.purpose, self.sha256, self.x5u = (
            evidence["purpose"], evidence["sha256"], evidence["x5u"])
        self.activate, self.retire = moment(evidence["activate_at"]), moment(evidence["retire_at"])
        self.retired = FOREVER  # by an act


class Event:
    __slots__ = ("number", "at", "action", "subject", "evidence")

    def __init__(self, number, at, action, subject, evidence):
        self.number, self.at, self.action = number, at, action
        self.subject, self.evidence = subject, evidence


class History:
    def __init__(self):
        self.accounts, self.clients, self.users = {}, {}, {}  # by name
        self.delegations, self.policies, self.signers = {}, {}, {}
        self.holders = {}  # spc: (Account, Holding)
        self.credential_ended = {}  # id: when it was reported

    def policy_at(self, when):
        best = None
        for policy in self.policies.values():
            if policy.begin <= when and (best is None or policy.begin > best.begin):
                best = policy
        return best

    # Accounts

    def account_add(self, event):
        self.accounts[event.subject] = Account(
            event.subject, event.at, moment(event.evidence["verified_until"]))

    def account_state(self, event):
        self.accounts[event.subject].state.set(event.at, STATES[event.action])

    def account_approve(self, event):
        account = self.accounts[event.subject]
        if account.state.last == "applied":
            account.state.set(event.at, "in_review")
        account.state.set(event.at, "active")
        account.verified_until.set(event.at, moment(event.evidence["verified_until"]))

    def account_end(self, event):
        account = self.accounts[event.subject]
        account.state.set(event.at, STATES[event.action])
        for spc in list(account.held):
            self.spc_end(account, spc, event.at)
        for granted in account.delegations.values():
            end_delegations(granted, event.at)

    def account_verify(self, event):
        self.accounts[event.subject].verified_until.set(
            event.at, moment(event.evidence["verified_until"]))

    def account_token_life(self, event):
        self.accounts[event.subject].token_life.set(
            event.at, interval(event.evidence.get("token_life")))

    # Codes

    def spc_begin(self, account, spc, when, verified_until):
        holding = Holding(when, verified_until)
        self.accounts[account].held.setdefault(spc, []).append(holding)
        self.holders[spc] = account, holding

    def spc_end(self, account, spc, when):
        for holding in account.held.get(spc, ()):
            if holding.end == FOREVER:
                holding.end = when
        end_delegations(account.delegations.get(spc, ()), when)

    def spc_assign(self, event):
        self.spc_begin(event.subject, event.evidence["spc"], event.at,
                       moment(event.evidence.get("verified_until")))

    def spc_withdraw(self, event):
        self.spc_end(self.accounts[event.subject], event.evidence["spc"], event.at)

    def spc_transfer(self, event):
        spc = event.evidence["spc"]
        self.spc_end(self.accounts[event.evidence["from"]], spc, event.at)
        until = event.evidence.get("verified_until")
        self.spc_begin(event.subject, spc, event.at,
                       UNSAID if until is None else moment(until))

    def spc_verify(self, event):
        verified = self.accounts[event.subject].held[event.evidence["spc"]][-1].verified_until
        if verified.last is UNSAID:
            verified.values[-1] = moment(event.evidence.get("before"))
        verified.set(event.at, moment(event.evidence.get("verified_until")))

    # Delegations

    def delegation_grant(self, event):
        evidence = event.evidence
        made = Delegation(evidence["delegation"], event.at, moment(evidence["until"]),
                          evidence.get("clients"))
        self.accounts[event.subject].delegations.setdefault(evidence["spc"], []).append(made)
        self.delegations[made.number] = made

    def delegation_withdraw(self, event):
        self.delegations[event.evidence["delegation"]].withdrawn = event.at

    # Clients

    def client_add(self, event):
        client = Client(event.subject, event.evidence["account"], event.at)
        client.credentials[event.at] = Credential(event.at, moment(event.evidence["expires"]))
        self.clients[event.subject] = client

    def client_rotate(self, event):
        secrets = self.clients[event.subject].credentials
        keep_until = moment(event.evidence.get("keep_old_until"))
        alive = [one for one in secrets.values() if one.ended == FOREVER]
        kept = None
        if keep_until is not None:
            kept = next((one for one in reversed(alive) if one.expires > event.at), None)
        for one in alive:
            if one is kept:
                one.expires = min(one.expires, keep_until)
            else:
                one.ended = event.at
        secrets[event.at] = Credential(event.at, moment(event.evidence["expires"]))

    def client_enable(self, event):
        self.clients[event.subject].enabled.set(event.at, event.action == "client_enable")

    def client_allow(self, event):
        self.clients[event.subject].allowed.set(event.at, event.evidence.get("allowed"))

    def client_pin(self, event):
        self.clients[event.subject].pinned.set(event.at, event.evidence.get("pinned") or None)

    def client_scopes(self, event):
        self.clients[event.subject].scopes.set(event.at, event.evidence["scopes"])

    def client_key_add(self, event):
        self.clients[event.subject].keys[event.evidence["kid"]] = Credential(
            event.at, moment(event.evidence["expires"]))

    def client_key_remove(self, event):
        self.clients[event.subject].keys[event.evidence["kid"]].ended = event.at

    def secret_reported(self, event):
        self.credential_ended[event.evidence["credential"]] = event.at

    # API users

    def api_user_add(self, event):
        self.users[event.subject] = User(event.evidence["client"], event.at)

    def api_user_rotate(self, event):
        self.users[event.subject].password.set(event.at, True)

    def password_reported(self, event):
        self.users[event.subject].password.set(event.at, False)

    def api_user_enable(self, event):
        self.users[event.subject].enabled.set(event.at, event.action == "api_user_enable")

    # Policy and signers

    def policy_set(self, event):
        begin = moment(event.evidence["from"])
        self.policies[event.subject] = Policy(begin, event.evidence)

    def signer_register(self, event):
        self.signers[event.subject] = Signer(event.evidence)

    def signer_retire(self, event):
        self.signers[event.subject].retired = event.at

    def nothing(self, event):
        pass


def end_delegations(granted, when):
    for one in granted:
        if one.withdrawn == FOREVER and one.until > when:
            one.withdrawn = when


def life_at(account, policy, when):
    """When a token of this moment expires: whole seconds."""
    until = add(when, account.token_life.at(when) or policy.token_life)
    return until - until % 1000000


STATES = {
    "account_review": "in_review", "account_refuse": "refused", "account_suspend": "suspended",
    "account_reinstate": "active", "account_revoke": "revoked", "account_close": "closed",
}

# action: the function, and whether it takes a right away
ACTS = {
    "organisation_add": (History.nothing, False),
    "mark_accept": (History.nothing, False),
    "account_add": (History.account_add, False),
    "account_review": (History.account_state, False),
    "account_approve": (History.account_approve, False),
    "account_refuse": (History.account_state, False),
    "account_suspend": (History.account_state, True),
    "account_reinstate": (History.account_state, False),
    "account_revoke": (History.account_end, True),
    "account_close": (History.account_end, True),
    "account_verify": (History.account_verify, True),
    "account_token_life": (History.account_token_life, True),
    "alias_add": (History.nothing, False),
    "alias_remove": (History.nothing, True),
    "spc_assign": (History.spc_assign, False),
    "spc_verify": (History.spc_verify, True),
    "spc_withdraw": (History.spc_withdraw, True),
    "spc_transfer": (History.spc_transfer, True),
    "delegation_grant": (History.delegation_grant, False),
    "delegation_withdraw": (History.delegation_withdraw, True),
    "client_add": (History.client_add, False),
    "client_rotate": (History.client_rotate, True),
    "client_disable": (History.client_enable, True),
    "client_enable": (History.client_enable, False),
    "client_allow": (History.client_allow, True),
    "client_pin": (History.client_pin, True),
    "client_scopes": (History.client_scopes, True),
    "client_key_add": (History.client_key_add, False),
    "client_key_remove": (History.client_key_remove, True),
    "api_user_add": (History.api_user_add, False),
    "api_user_rotate": (History.api_user_rotate, True),
    "api_user_disable": (History.api_user_enable, True),
    "api_user_enable": (History.api_user_enable, False),
    "secret_reported": (History.secret_reported, True),
    "password_reported": (History.password_reported, True),
    "access_token_reported": (History.nothing, True),
    "signer_register": (History.signer_register, False),
    "signer_retire": (History.signer_retire, True),
    "policy_set": (History.policy_set, True),
}
