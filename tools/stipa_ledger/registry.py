# SPDX-License-Identifier: Apache-2.0
"""The registry's tables beside what the audit says: whoever wrote a table by hand is found."""
import hashlib

from . import der
from .history import UNSAID
from .source import FOREVER, interval, moment


def until(text):
    when = moment(text)
    return FOREVER if when is None else when


class Names:
    """Which account, client, secret, key or user a number of the ledger stands for."""

    def __init__(self):
        self.accounts, self.clients = {}, {}
        self.credentials, self.keys, self.users = {}, {}, {}


class Registry:
    def __init__(self, history, report):
        self.history, self.report = history, report
        self.tables = {}
        self.names = Names()

    def take(self, table, rows):
        self.tables[table] = list(rows)

    def compare(self):
        """After the whole audit.  What is compared is let go."""
        for table in ("account", "account_state", "spc_assignment", "api_client", "credential",
                      "client_key", "api_user", "delegation", "policy", "signer"):
            getattr(self, table)(self.tables.pop(table))

    def find(self, rule, where, differing):
        if differing:
            self.report.find(rule, where, "; ".join(differing))

    def missing(self, rule, kind, told, found):
        for name in told:
            if name not in found:
                self.report.find(rule, f"{kind} {name}", "the audit has it, the table not")

    # Each table: rows by what identifies them, the audit's word on each, what differs.

    def account(self, rows):
        told = self.history.accounts
        for number, name, state, verified_until, token_life in rows:
            account = told.get(name)
            if account is None:
                self.report.find("registry-account", f"account {name}", "the audit has it not")
                continue
            self.names.accounts[int(number)] = account
            self.find("registry-account", f"account {name}", differences(
                ("state", state, account.state.last),
                ("verified_until", moment(verified_until), account.verified_until.last),
                ("token_life", interval(token_life), account.token_life.last)))
        self.missing("registry-account", "account", told, {row[1] for row in rows})

    def account_state(self, rows):
        kept = {}
        for number, state, since in rows:
            kept.setdefault(int(number), []).append((moment(since), state))
        for number, account in self.names.accounts.items():
            told = list(zip(account.state.times, account.state.values))
            if kept.get(number) != told:
                self.report.find("registry-account", f"account {account.name}",
                                 "its past states are not those of the audit")

    def spc_assignment(self, rows):
        told = {(account.name, spc, one.begin): one for account in self.history.accounts.values()
                for spc, holdings in account.held.items() for one in holdings}
        found = set()
        for number, spc, held_from, held_until, verified_until in rows:
            account = self.names.accounts.get(int(number))
            key = (account and account.name, spc, moment(held_from))
            found.add(key)
            holding = told.get(key)
            where = f"SPC {spc} of account {key[0] or number}"
            if holding is None:
                self.report.find("registry-spc", where, "the audit has it not")
                continue
            if holding.verified_until.last is UNSAID:
                holding.verified_until.values[-1] = moment(verified_until)
                self.report.miss("a transferred SPC's verified_until: the audit does not say it, "
                                 "the table's is taken")
            self.find("registry-spc", where, differences(
                ("held_until", until(held_until), holding.end),
                ("verified_until", moment(verified_until), holding.verified_until.last)))
        self.missing("registry-spc", "holding", told, found)

    def api_client(self, rows):
        told = self.history.clients
        for number, account_id, name, created, disabled, scopes, allowed, pinned in rows:
            client = told.get(name)
            if client is None:
                self.report.find("registry-client", f"client {name}", "the audit has it not")
                continue
            self.names.clients[int(number)] = client
            account = self.names.accounts.get(int(account_id))
            self.find("registry-client", f"client {name}", differences(
                ("account", account and account.name, client.account),
                ("created_at", moment(created), client.begin),
                ("enabled", disabled is None, client.enabled.last),
                ("disabled_at", moment(disabled) if disabled else None,
                 None if client.enabled.last else client.enabled.times[-1]),
                ("scopes", int(scopes), client.scopes.last),
                ("allowed", allowed and sorted(allowed.strip("{}").split(",")),
                 client.allowed.last and sorted(client.allowed.last)),
                ("pinned", pinned and sorted(pinned.split(",")),
                 client.pinned.last and sorted(client.pinned.last))))
        self.missing("registry-client", "client", told, {row[2] for row in rows})

    def credential(self, rows):
        found = set()
        for number, client_id, created, expires, revoked in rows:
            client = self.names.clients.get(int(client_id))
            secret = client and client.credentials.get(moment(created))
            if not secret:
                self.report.find("registry-credential", f"secret {number}", "the audit has it not")
                continue
            found.add(id(secret))
            self.names.credentials[int(number)] = client, secret
            secret.ended = min(secret.ended,
                               self.history.credential_ended.get(int(number), FOREVER))
            self.find("registry-credential", f"secret {number} of client {client.name}",
                      differences(("expires_at", moment(expires), secret.expires),
                                  ("revoked_at", until(revoked), secret.ended)))
        for client in self.history.clients.values():
            for secret in client.credentials.values():
                if id(secret) not in found:
                    self.report.find("registry-credential", f"a secret of client {client.name}",
                                     "the audit has it, the table not")

    def client_key(self, rows):
        told = {(client.name, kid) for client in self.history.clients.values()
                for kid in client.keys}
        for number, client_id, kid, created, expires, removed in rows:
            client = self.names.clients.get(int(client_id))
            key = client and client.keys.get(kid)
            if not key:
                self.report.find("registry-key", f"key {number}", "the audit has it not")
                continue
            told.discard((client.name, kid))
            self.names.keys[int(number)] = client, key
            self.find("registry-key", f"key {kid} of client {client.name}", differences(
                ("created_at", moment(created), key.begin),
                ("expires_at", moment(expires), key.expires),
                ("removed_at", until(removed), key.ended)))
        self.missing("registry-key", "key", told, ())

    def api_user(self, rows):
        told = self.history.users
        for number, client_id, name, created, disabled in rows:
            user = told.get(name)
            client = self.names.clients.get(int(client_id))
            if user is None:
                self.report.find("registry-user", f"user {name}", "the audit has it not")
                continue
            self.names.users[int(number)] = user
            self.find("registry-user", f"user {name}", differences(
                ("client", client and client.name, user.client),
                ("created_at", moment(created), user.begin),
                ("enabled", disabled is None, user.enabled.last)))
        self.missing("registry-user", "user", told, {row[2] for row in rows})

    def delegation(self, rows):
        told = self.history.delegations
        for number, account_id, spc, granted, until_at, withdrawn, every, clients in rows:
            one = told.get(int(number))
            account = self.names.accounts.get(int(account_id))
            if one is None or account is None \
                    or one not in account.delegations.get(spc, ()):
                self.report.find("registry-delegation", f"delegation {number}",
                                 "the audit has it not, or of another account or SPC")
                continue
            named = sorted(self.names.clients[int(client)].name
                           for client in (clients or "").split(",")
                           if client and int(client) in self.names.clients)
            self.find("registry-delegation", f"delegation {number}", differences(
                ("granted_at", moment(granted), one.begin),
                ("until_at", moment(until_at), one.until),
                ("withdrawn_at", until(withdrawn), one.withdrawn),
                ("clients", None if every == "t" else named,
                 None if one.clients is None else sorted(one.clients))))
        self.missing("registry-delegation", "delegation", told, {int(row[0]) for row in rows})

    def policy(self, rows):
        told = self.history.policies
        for version, begins, token_life, optional, issuer, form_2017 in rows:
            policy = told.get(f"version {version}")
            if policy is None:
                self.report.find("registry-policy", f"version {version}", "the audit has it not")
                continue
            self.find("registry-policy", f"version {version}", differences(
                ("begins_at", moment(begins), policy.begin),
                ("token_life", interval(token_life), policy.token_life),
                ("optional_claims", int(optional), policy.optional_claims),
                ("issuer", issuer, policy.issuer),
                ("form_2017", form_2017 == "t", policy.form_2017)))
        self.missing("registry-policy", "policy", told, {f"version {row[0]}" for row in rows})

    def signer(self, rows):
        told = self.history.signers
        for kid, purpose, certificate, x5u, activate, retire in rows:
            signer = told.get(kid)
            if signer is None:
                self.report.find("registry-signer", f"signer {kid}", "the audit has it not")
                continue
            data = bytes.fromhex(certificate)
            self.find("registry-signer", f"signer {kid}", differences(
                ("purpose", purpose, signer.purpose), ("x5u", x5u, signer.x5u),
                ("certificate", hashlib.sha256(data).hexdigest(), signer.sha256),
                ("activate_at", moment(activate), min(signer.activate, signer.retired)),
                ("retire_at", moment(retire), min(signer.retire, signer.retired))))
            self.read_certificate(kid, purpose, signer, data)
        self.missing("registry-signer", "signer", told, {row[0] for row in rows})

    def read_certificate(self, kid, purpose, signer, data):
        signer.key = None
        if purpose != "token":
            return
        try:
            signer.key, signer.not_before, signer.not_after = der.certificate(data)
        except (der.NotDer, ValueError, IndexError) as error:
            self.report.find("signer-certificate", f"signer {kid}", str(error))


def differences(*triples):
    return [f"{name} is {show(found)}, the audit says {show(told)}"
            for name, found, told in triples if found != told]


def show(value):
    return "never" if value == FOREVER else value
