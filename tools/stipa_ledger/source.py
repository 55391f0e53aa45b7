# SPDX-License-Identifier: Apache-2.0
"""The registry, the audit and the ledger as one stream of lines: from psql, or from a file.

All of it is read in one transaction, so that no act stands between two tables.  A line that begins
with @ names the table that follows; the last one is @end, so that what was cut short is noticed.
"""
import re
import subprocess
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

US = 1000000
FOREVER = 1 << 62


class CannotRun(Exception):
    pass


def us(column):
    return f"(extract(epoch FROM {column}) * {US})::bigint"


TABLES = {
    "schema": "SELECT stipa.schema_version()",
    "account": "SELECT id, name, state, verified_until, token_life FROM stipa.account ORDER BY id",
    "account_state": "SELECT account_id, state, since FROM stipa.account_state ORDER BY id",
    "spc_assignment": "SELECT account_id, spc, held_from, held_until, verified_until"
                      " FROM stipa.spc_assignment ORDER BY id",
    "api_client": "SELECT id, account_id, name, created_at, disabled_at, scopes, allowed::text,"
                  " (SELECT string_agg(encode(f, 'hex'), ',') FROM unnest(pinned) AS f)"
                  " FROM stipa.api_client ORDER BY id",
    "credential": "SELECT id, client_id, created_at, expires_at, revoked_at"
                  " FROM stipa.credential ORDER BY id",
    "client_key": "SELECT id, client_id, kid, created_at, expires_at, removed_at"
                  " FROM stipa.client_key ORDER BY id",
    "api_user": "SELECT id, client_id, name, created_at, disabled_at FROM stipa.api_user"
                " ORDER BY id",
    "delegation": "SELECT d.id, account_id, spc, granted_at, until_at, withdrawn_at, every_client,"
                  " (SELECT string_agg(c.client_id::text, ',') FROM stipa.delegation_client AS c"
                  " WHERE c.delegation_id = d.id) FROM stipa.delegation AS d ORDER BY d.id",
    "policy": "SELECT version, begins_at, token_life, optional_claims, issuer, form_2017"
              " FROM stipa.policy ORDER BY version",
    "signer": "SELECT kid, purpose, encode(certificate, 'hex'), x5u, activate_at, retire_at"
              " FROM stipa.signer_certificate ORDER BY kid",
    "audit": f"SELECT id, {us('at')}, at, actor, action, subject, reason, evidence::text,"
             " encode(previous, 'hex'), encode(hash, 'hex') FROM stipa.audit_event ORDER BY id",
    "audit_head": "SELECT id, encode(hash, 'hex') FROM stipa.audit_head",
    "token": "SELECT jti, account_id, client_id, credential_id, client_key_id, api_user_id,"
             " presented, spc, tkvalue, ca, fingerprint, form, optional_claims, iss, kid,"
             f" {us('issued_at')}, {us('expires_at')}, encode(peer, 'hex')"
             " FROM stipa.token ORDER BY jti",
}


def sql(begin="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", end="COMMIT;"):
    """What psql is to run."""
    lines = ["\\set ON_ERROR_STOP 1", begin,
             "SET LOCAL timezone = 'UTC';", "SET LOCAL datestyle = 'ISO';",
             "SET LOCAL intervalstyle = 'postgres';", "SET LOCAL client_encoding = 'UTF8';",
             "SET LOCAL statement_timeout = 0;"]
    for name, query in TABLES.items():
        lines += [f"\\echo @{name}", f"COPY ({query}) TO STDOUT;"]
    return "\n".join(lines + [end, "\\echo @end"]) + "\n"


class Psql:
    """The lines of a database.  psql speaks the protocol; nothing of the service is used."""

    def __init__(self, conninfo):
        command = ["psql", "-XqAt"] + (["-d", conninfo] if conninfo else [])
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise CannotRun(f"psql: {error.strerror}") from error
        try:
            self.process.stdin.write(sql().encode())
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # its exit status says why

    def __iter__(self):
        yield from self.process.stdout
        complaint = self.process.stderr.read().decode(errors="replace").strip()
        if self.process.wait() != 0:
            raise CannotRun(f"psql: {complaint or self.process.returncode}")


ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescape(field):
    """A field of COPY's text format; None is NULL."""
    if "\\" not in field:
        return field
    if field == "\\N":
        return None
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found.group(1), found.group(1)), field,
                  flags=re.DOTALL)


def tables(lines):
    """Pairs of a table's name and its rows, each a list of texts or None.  Every table in its
    place, or CannotRun."""
    lines = iter(lines)
    line = next(lines, b"")
    for name in TABLES:
        if line.rstrip() != b"@" + name.encode():
            raise CannotRun(f"the export does not go on with {name}: cut short, or of another kind")
        rows = Rows(lines)
        yield name, rows
        for _ in rows:
            pass
        line = rows.next_line
    if line.rstrip() != b"@end":
        raise CannotRun("the export is cut short")
    if next(lines, None) is not None:
        raise CannotRun("the export goes on after its end")


class Rows:
    def __init__(self, lines):
        self.lines, self.next_line = lines, b""

    def __iter__(self):
        if self.next_line:
            return
        for line in self.lines:
            if line[:1] == b"@":
                self.next_line = line
                return
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise CannotRun("the export is not UTF-8") from error
            yield [unescape(field) for field in text.rstrip("\n").split("\t")]


class Token(NamedTuple):
    """A row of the ledger.  Times are Unix microseconds."""
    jti: str
    account_id: int
    client_id: int
    credential_id: int
    client_key_id: int
    api_user_id: int
    presented: int
    spc: str
    tkvalue: str
    ca: bool
    fingerprint: str
    form: int
    optional_claims: int
    iss: str
    kid: str
    issued_at: int
    expires_at: int
    peer: bytes


def number(text):
    return None if text is None else int(text)


def token(fields):
    return Token(
        fields[0], int(fields[1]), int(fields[2]), number(fields[3]), number(fields[4]),
        number(fields[5]), int(fields[6]), fields[7], fields[8], fields[9] == "t", fields[10],
        int(fields[11]), int(fields[12]), fields[13], fields[14], int(fields[15]),
        int(fields[16]), bytes.fromhex(fields[17]))


STAMP = re.compile(
    r"(\d{4,})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)\Z")


def moment(text):
    """A timestamptz, of a table or of an event, as Unix microseconds; None for NULL."""
    if text is None:
        return None
    if text == "infinity":
        return FOREVER
    if text == "-infinity":
        return -FOREVER
    found = STAMP.match(text)
    if not found:
        raise ValueError(f"no time: {text}")
    *date, fraction, zone = found.groups()
    if int(date[0]) > 9999:
        return FOREVER
    offset = 0
    if zone != "Z":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = int(digits[:2]) * 60 + int(digits[2:])
        offset = -offset if zone[0] == "-" else offset
    whole = datetime(*map(int, date), tzinfo=timezone.utc) - timedelta(minutes=offset)
    since = whole - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86400 + since.seconds) * US + int((fraction or "").ljust(6, "0"))


PART = re.compile(r"(-?\+?\d+) (year|mon|day)s? ?|([-+]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?\Z")


class Interval(NamedTuple):
    months: int
    days: int
    us: int


def interval(text):
    """intervalstyle postgres: "1 mon 2 days 03:04:05".  None for NULL."""
    if text is None:
        return None
    months = days = micro = at = 0
    while at < len(text):
        found = PART.match(text, at)
        if not found:
            raise ValueError(f"no interval: {text}")
        count, unit, sign, hours, minutes, seconds, fraction = found.groups()
        if unit == "day":
            days += int(count)
        elif unit:
            months += int(count) * (12 if unit == "year" else 1)
        else:
            micro = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * US \
                + int((fraction or "").ljust(6, "0"))
            micro = -micro if sign == "-" else micro
        at = found.end()
    return Interval(months, days, micro)


def add(when, length):
    """PostgreSQL's timestamptz + interval in UTC: months by the calendar, then days, then time."""
    if length.months:
        date = datetime.fromtimestamp(when // US, timezone.utc)
        month = date.year * 12 + date.month - 1 + length.months
        year, month = divmod(month, 12)
        following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=timezone.utc)
        last = (following - timedelta(days=1)).day
        moved = date.replace(year=year, month=month + 1, day=min(date.day, last))
        when += (int(moved.timestamp()) - when // US) * US
    return when + length.days * 86400 * US + length.us
