#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The controls of the ledger checker: what a superuser with the triggers switched off, or a client
that lies, would leave is found by the name of its rule.  Every rule has at least one forgery.

usage: ledger_forgeries.py TOOLS FOLDER RECEIVED...

Each forgery of the database is made in a transaction, exported in it and undone.
"""
import contextlib
import io
import json
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from stipa_ledger import jose, source  # noqa: E402
from stipa_ledger.main import main as check  # noqa: E402
from stipa_ledger.report import RULES  # noqa: E402

FOLDER, RECEIVED = sys.argv[2], sys.argv[3:]

# forge: a copy of a row of this client, the one nearest to the moment, as if issued then.
TOOLS = r"""
SET LOCAL session_replication_role = replica;
SET LOCAL search_path = stipa, public;
CREATE FUNCTION pg_temp.new_jti(moment timestamptz) RETURNS uuid LANGUAGE sql RETURN overlay(
	stipa.uuid_from(moment)::text PLACING '7' || substr(gen_random_uuid()::text, 16) FROM 15)::uuid;
CREATE FUNCTION pg_temp.forge(client text, moment timestamptz, changes jsonb DEFAULT '{}')
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO stipa.token SELECT (jsonb_populate_record(t, jsonb_build_object(
		'jti', pg_temp.new_jti(coalesce(moment, t.issued_at)),
		'issued_at', coalesce(moment, t.issued_at),
		'expires_at', date_trunc('second', t.expires_at - date_trunc('second', t.issued_at)
			+ coalesce(moment, t.issued_at))) || changes)).*
	FROM stipa.token AS t JOIN stipa.api_client AS c ON c.id = t.client_id
	WHERE c.name = client AND t.form = 1 AND t.presented = 0
	ORDER BY abs(extract(epoch FROM t.issued_at - coalesce(moment, '2000-01-01'))) LIMIT 1 $$;
CREATE FUNCTION pg_temp.just_after(action text, nth int DEFAULT 1) RETURNS timestamptz LANGUAGE sql
	RETURN (SELECT e.at + interval '1 ms' FROM stipa.audit_event AS e
		WHERE e.action = just_after.action ORDER BY e.id OFFSET nth - 1 LIMIT 1);
CREATE FUNCTION pg_temp.one() RETURNS uuid LANGUAGE sql
	RETURN (SELECT jti FROM stipa.token WHERE form = 1 ORDER BY jti OFFSET 40 LIMIT 1);
CREATE FUNCTION pg_temp.key() RETURNS jsonb LANGUAGE sql RETURN jsonb_build_object('presented', 1,
	'credential_id', NULL, 'client_key_id', (SELECT max(id) FROM stipa.client_key));
CREATE FUNCTION pg_temp.person(name text) RETURNS jsonb LANGUAGE sql RETURN jsonb_build_object(
	'presented', 1, 'credential_id', NULL,
	'api_user_id', (SELECT u.id FROM stipa.api_user AS u WHERE u.name = person.name));
"""


def forge(client, moment="NULL", changes="'{}'"):
    return f"SELECT pg_temp.forge('{client}', {moment}, {changes})"


def after(action, nth=1):
    return f"pg_temp.just_after('{action}', {nth})"


def one_becomes(change):
    return f"UPDATE token SET {change} WHERE jti = pg_temp.one()"


# rule, what is forged, SQL
ROWS = [
    ("jti-version", "a jti of another kind", "ALTER TABLE token DROP CONSTRAINT token_jti_check; "
     + one_becomes("jti = overlay(jti::text PLACING '4' FROM 15)::uuid")),
    ("jti-unique", "a row twice", "ALTER TABLE token DROP CONSTRAINT token_pkey; "
     "INSERT INTO token SELECT * FROM token WHERE jti = pg_temp.one()"),
    ("jti-time", "a jti of a minute later",
     one_becomes("jti = pg_temp.new_jti(issued_at + interval '1 min')")),
    ("iat-order", "a time of issue out of order",
     one_becomes("issued_at = issued_at + interval '9 s'")),
    ("client-unknown", "a client that never was",
     forge("client-1", changes="""'{"client_id": 999999}'""")),
    ("client-account", "another's account", forge(
        "client-1", changes="(SELECT jsonb_build_object('account_id', id) FROM account "
        "WHERE name = 'sp-4')")),
    ("client-disabled", "a token behind the disabling",
     forge("client-4", after("client_disable"))),
    ("client-address", "an address that was not allowed", forge(
        "client-4", after("client_allow"),
        """'{"peer": "\\\\x00000000000000000000ffffcb007101"}'""")),
    ("client-pinned", "a fingerprint that was not pinned", forge(
        "client-3", after("client_pin"),
        f"""'{{"fingerprint": "SHA256 {":".join(["5B"] * 32)}"}}'""")),
    ("client-scope", "ca behind the end of its scope",
     forge("client-2", after("client_scopes"), """'{"ca": true}'""")),
    ("source", "a row that names no credential",
     "ALTER TABLE token DROP CONSTRAINT token_source_check; "
     + one_becomes("credential_id = NULL")),
    ("credential-foreign", "another client's secret", forge(
        "client-1", changes="(SELECT jsonb_build_object('credential_id', max(k.id)) FROM "
        "credential AS k JOIN api_client AS c ON c.id = k.client_id WHERE c.name = 'client-4')")),
    ("credential-expired", "a token behind the old secret's end", forge(
        "client-1", "(SELECT min(expires_at) + interval '1 s' FROM credential "
        "WHERE expires_at < now() + interval '2 h')")),
    ("credential-revoked", "a token behind the rotation",
     forge("client-2", after("client_rotate", 2))),
    ("key-foreign", "another client's key", forge("client-1", changes="pg_temp.key()")),
    ("key-expired", "a token behind the key's end", forge(
        "client-5", "(SELECT max(expires_at) + interval '1 s' FROM client_key)",
        "pg_temp.key()")),
    ("key-removed", "a token behind the key's removal",
     forge("client-5", after("client_key_remove"), "pg_temp.key()")),
    ("user-foreign", "another client's user",
     forge("client-1", changes="pg_temp.person('user-made')")),
    ("user-disabled", "a token behind the user's disabling",
     forge("client-5", after("api_user_disable"), "pg_temp.person('user-chosen')")),
    ("account-unknown", "an account that never was",
     forge("client-1", changes="""'{"account_id": 999999}'""")),
    ("account-not-active", "a token behind the suspension",
     forge("client-1", after("account_suspend"))),
    ("account-lapsed", "a token behind the verification's end", forge(
        "client-2", "(SELECT verified_until + interval '1 s' FROM account WHERE name = 'sp-2')")),
    ("spc-not-held", "a token behind the withdrawal", forge("client-2", after("spc_withdraw"))),
    ("spc-not-held", "another's SPC", forge(
        "client-1", changes="""'{"spc": "1004", "tkvalue": "MAigBhYEMTAwNA=="}'""")),
    ("spc-not-held", "a token behind the transfer", forge("client-2", after("spc_transfer"))),
    ("spc-lapsed", "a token behind the SPC's verification", forge("client-4", after("spc_verify"))),
    ("no-delegation", "ca behind the withdrawal", forge("client-3", after("delegation_withdraw"))),
    ("no-delegation", "ca without any", forge("client-1", changes="""'{"ca": true}'""")),
    ("tkvalue", "a tkvalue of another SPC", one_becomes("tkvalue = 'MAigBhYEOTk5OQ=='")),
    ("tkvalue", "a tkvalue in BER", one_becomes("tkvalue = 'MIAIoAYWBDEwMDE='")),
    ("fingerprint", "a third spelling", one_becomes("fingerprint = replace(fingerprint, ':', '-')")),
    ("form", "a tkvalue in the 2017 form", "ALTER TABLE token DROP CONSTRAINT token_2017_check; "
     + one_becomes("form = 2")),
    ("form-not-permitted", "the 2017 form while it was off", forge(
        "client-1", after("policy_set", 3),
        """'{"form": 2, "tkvalue": "", "optional_claims": 0, "iss": null}'""")),
    ("optional-claims", "a claim that the policy did not have",
     one_becomes("optional_claims = 4")),
    ("policy-unknown", "a token before the first policy", forge(
        "client-1", "(SELECT min(begins_at) - interval '1 s' FROM policy)")),
    ("life", "a second more", one_becomes("expires_at = expires_at + interval '1 s'")),
    ("life-limit", "500 days", one_becomes("expires_at = expires_at + interval '500 d'")),
    ("signer-unknown", "a signer that never was", one_becomes("kid = 'nobody'")),
    ("signer-not-active", "a token behind the signer's end",
     "SELECT signer_retire('t', 't', (SELECT kid FROM signer_certificate)); "
     + forge("client-1", after("signer_retire"))),
    ("signer-certificate", "a certificate that is none",
     "UPDATE signer_certificate SET certificate = '\\x3000'"),
    ("plain", "a quotation mark", one_becomes("fingerprint = overlay(fingerprint PLACING '\"' "
                                              "FROM 9)")),
    ("audit-chain", "another reason", "UPDATE audit_event SET reason = 'other' WHERE id = 20"),
    ("audit-chain", "an event less", "DELETE FROM audit_event WHERE id = 20"),
    ("audit-head", "the last event taken away",
     "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)"),
    ("audit-head", "the last event taken away, and the head set back",
     "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event); "
     "UPDATE audit_head SET (id, hash) = (SELECT id, hash FROM audit_event ORDER BY id DESC "
     "LIMIT 1)"),
    ("audit-sense", "an act on an account that never was",
     "SELECT audit(now(), 't', 'account_suspend', 'sp-nobody', 't', NULL)"),
    ("registry-account", "a longer verification",
     "UPDATE account SET verified_until = verified_until + interval '1 y' WHERE name = 'sp-2'"),
    ("registry-account", "a suspension that leaves no trace",
     "DELETE FROM account_state WHERE state = 'suspended'"),
    ("registry-spc", "an earlier holder", "UPDATE spc_assignment SET held_from = held_from "
     "- interval '1 d' WHERE spc = '1004'"),
    ("registry-delegation", "a longer delegation",
     "UPDATE delegation SET until_at = until_at + interval '1 y'"),
    ("registry-delegation", "a withdrawal undone", "UPDATE delegation SET withdrawn_at = NULL"),
    ("registry-client", "a scope more", "UPDATE api_client SET scopes = 7 WHERE scopes <> 7"),
    ("registry-client", "an address list less",
     "UPDATE api_client SET allowed = NULL WHERE name = 'client-4'"),
    ("registry-credential", "a secret that nobody was given", "INSERT INTO credential "
     "(client_id, digest, created_at, expires_at) SELECT client_id, sha256('x'), now(), "
     "expires_at FROM credential LIMIT 1"),
    ("registry-credential", "a revocation undone", "UPDATE credential SET revoked_at = NULL, "
     "digest = sha256(id::text::bytea) WHERE revoked_at IS NOT NULL"),
    ("registry-key", "a removal undone", "UPDATE client_key SET removed_at = NULL"),
    ("registry-user", "a disabling undone", "UPDATE api_user SET disabled_at = NULL"),
    ("registry-policy", "a longer life", "UPDATE policy SET token_life = '30 d' WHERE version = 1"),
    ("registry-signer", "another x5u", "UPDATE signer_certificate SET x5u = x5u || 'x'"),
]


def altered(token, part, change):
    """A token of which one part is another text of the same length."""
    parts = token.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def other_byte(text):
    return ("B" if text[0] != "B" else "C") + text[1:]


def other_claim(old, new):
    return lambda text: jose.encode(jose.decode(text).replace(old, new))


def first_received():
    with open(RECEIVED[0], encoding="ascii") as file:
        return next(record for record in map(json.loads, file)
                    if record["token"] and not record["ca"])


def jti_changed(token):
    jti = jose.split(token)[1]["jti"]
    last = "0" if jti[-1] != "0" else "1"
    return altered(token, 1, other_claim(jti.encode(), (jti[:-1] + last).encode()))


# rule, what a client shows, the line made of one that it received
LINES = [
    ("token-malformed", "half a token", lambda got: got["token"][:300]),
    ("token-malformed", "a byte that is not base64url",
     lambda got: altered(got["token"], 1, lambda text: "!" + text[1:])),
    ("token-not-in-ledger", "a token that was never in the ledger",
     lambda got: jti_changed(got["token"])),
    ("token-differs", "another exp", lambda got: altered(
        got["token"], 1, other_claim(b'"exp":1', b'"exp":2'))),
    ("token-differs", "ca true for ca false", lambda got: altered(
        got["token"], 1, other_claim(b'"ca":false', b'"ca":true'))),
    ("token-differs", "another x5u", lambda got: altered(
        got["token"], 0, other_claim(b"https://127", b"https://128"))),
    ("token-signature", "a signature with another first byte",
     lambda got: altered(got["token"], 2, other_byte)),
    ("token-twice", "a token in two answers", lambda got: got["token"] + "\n" + got["token"]),
    ("token-not-as-asked", "another SPC than asked for",
     lambda got: json.dumps({**got, "spc": "9999"})),
    ("token-not-as-asked", "another fingerprint than asked for",
     lambda got: json.dumps({**got, "fingerprint": "SHA256 00"})),
]


def export_of(forgery):
    """The database as it would be, in a file; nothing of it stays."""
    text = source.sql("BEGIN;", "ROLLBACK;").replace("BEGIN;", f"BEGIN;{TOOLS}\n\\o /dev/null\n"
                                                      f"{forgery};\n\\o\n", 1)
    done = subprocess.run(["psql", "-XqAt"], input=text.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{forgery}: {done.stderr.decode()}")
    with open(f"{FOLDER}/forged", "wb") as file:
        file.write(done.stdout)
    return f"{FOLDER}/forged"


def findings(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = check([*arguments, "--json"])
    told = json.loads(out.getvalue())
    assert status == (1 if told["findings"] else 0)
    return told["findings"]


def main():
    clean = export_of("SELECT")
    assert not findings("--from", clean), "there are findings before anything was forged"
    with open(clean, encoding="utf-8") as file:
        events = file.read().split("@audit\n")[1].split("@audit_head\n")[0].splitlines()
    head = events[-1].split("\t")
    noted = f"{head[0]}:{head[-1]}"
    missed = []

    def judge(rule, what, found):
        print(f"{'found' if rule in found else 'MISSED'} {rule}: {what}"
              + "".join(f" (also {name})" for name in found if name != rule))
        if rule not in found:
            missed.append(what)

    for rule, what, forgery in ROWS:
        noting = ("--audit-head", noted) if rule == "audit-head" else ()
        judge(rule, what, findings("--from", export_of(forgery), *noting))
    judge("token-not-in-ledger", "a row taken away", findings(
        "--from", export_of("DELETE FROM token WHERE jti = pg_temp.one()"),
        *[word for path in RECEIVED for word in ("--received", path)]))
    clean, got = export_of("SELECT"), first_received()
    for rule, what, line in LINES:
        with open(f"{FOLDER}/shown", "w", encoding="ascii") as file:
            file.write(line(got) + "\n")
        judge(rule, what, findings("--from", clean, "--received", f"{FOLDER}/shown"))

    told = {rule for rule, *_ in ROWS + LINES}
    assert told == set(RULES), f"rules without a forgery: {set(RULES) ^ told}"
    sys.exit(bool(missed))


main()
