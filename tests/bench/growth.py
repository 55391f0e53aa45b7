#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The steps of growth.sh."""
import base64
import hashlib
import os
import random
import statistics
import subprocess
import time

import measure

SECONDS = int(os.environ["BENCH_SECONDS"])
REPEAT = int(os.environ["BENCH_REPEAT"])
DRAWN = 20_000  # accounts that ask, of all
FIXED_RATE = 1000
FINGERPRINT = ":".join(["56"] * 32)


# ---- a world of many accounts: sp-b<i> holds its number in base 36 and has the client bench-<i>

def secret_of(i):
    text = "stipa_demo_" + base64.urlsafe_b64encode(
        hashlib.sha256(b"bench %d" % i).digest()).decode().rstrip("=")
    check = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text + check[:6]


def spc_of(i):
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = ""
    for _ in range(4):
        i, digit = divmod(i, 36)
        text = digits[digit] + text
    return "Z" + text


def accounts_add(first, last):
    """Of numbers @first to @last - 1, by the owner and past the rights functions: a fixture."""
    copy = subprocess.Popen(
        ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c",
         "SET client_min_messages = warning; CREATE TABLE IF NOT EXISTS bench_who (i int, spc text, digest bytea); "
         "TRUNCATE bench_who", "-c", "COPY bench_who FROM stdin"],
        stdin=subprocess.PIPE, text=True)
    for i in range(first, last):
        digest = hashlib.sha256(b"basic\0bench-%d\0" % i + secret_of(i).encode()).hexdigest()
        copy.stdin.write(f"{i}\t{spc_of(i)}\t\\\\x{digest}\n")
    copy.stdin.close()
    assert copy.wait() == 0
    measure.sql("""
        SET session_replication_role = replica;
        SET search_path = stipa, public;
        WITH made AS (
            INSERT INTO account (organisation_id, name, state, verified_until)
            SELECT (SELECT min(id) FROM organisation), 'sp-b' || i, 'active', now() + '1 year'
            FROM bench_who RETURNING id, substr(name, 5)::int AS i
        ), held AS (
            INSERT INTO spc_assignment (account_id, kind, spc, held_from)
            SELECT id, 'OCN', spc, now() - interval '1 day' FROM made JOIN bench_who USING (i)
        ), client AS (
            INSERT INTO api_client (account_id, name, created_at)
            SELECT id, 'bench-' || i, now() FROM made RETURNING id, substr(name, 7)::int AS i
        )
        INSERT INTO credential (client_id, digest, created_at, expires_at)
        SELECT id, digest, now(), now() + '1 year' FROM client JOIN bench_who USING (i)""")


def requests_write(n):
    """What many.lua asks: account, credentials and code, drawn from the first @n."""
    drawn = random.sample(range(n), min(n, DRAWN))
    with open(os.environ["BENCH_REQUESTS"], "w") as file:
        for i in drawn:
            code = spc_of(i).encode()
            der = b"\x30" + bytes([len(code) + 4]) + b"\xa0" + bytes([len(code) + 2]) + \
                b"\x16" + bytes([len(code)]) + code
            basic = base64.b64encode(f"bench-{i}:{secret_of(i)}".encode()).decode()
            file.write(f"sp-b{i} {basic} {base64.b64encode(der).decode()}\n")


def ledger_add(n):
    """@n rows of the past, in the order of time, for accounts here and there; in this month's
    partition, from its first second until now."""
    measure.sql(f"""
        SET search_path = stipa, public;
        INSERT INTO token (jti, account_id, client_id, credential_id, presented, spc, tkvalue, ca,
                           fingerprint, form, optional_claims, kid, issued_at, expires_at,
                           request_id, peer)
        SELECT (lpad(to_hex(at), 12, '0') || '7' || lpad(to_hex(g % 4096), 3, '0') || '8'
                || lpad(to_hex(g), 15, '0'))::uuid,
            account, account, account, 0, '1001', 'MAigBhYEMTAwMQ==', false,
            'SHA256 {FINGERPRINT}', 1, 0, 'kid-of-the-past', to_timestamp(at / 1000),
            to_timestamp(at / 1000 + 86400), 'aaaaaaaaaaaaaaaaaaaaaaaaaa',
            '\\x00000000000000000000ffff7f000001'
        FROM (SELECT g, (first + (now_ms - first) * (g::float8 / {n}))::bigint AS at,
                  1 + (hashint8(g) & 1048575) % accounts AS account
              FROM generate_series(1, {n}) AS g,
                  (SELECT (extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC'))
                           * 1000 + 1000)::bigint AS first,
                       (extract(epoch FROM now()) * 1000)::bigint AS now_ms,
                       (SELECT max(id) FROM account) AS accounts) AS bounds) AS made""")


# ---- measuring

def settle():
    measure.sql("VACUUM (ANALYZE)")
    measure.sql("CHECKPOINT")


def closed_loop(script):
    figures = measure.tokens(SECONDS, 64, script)
    return figures["edge"] + figures["authority"] + figures["postgres"]


def open_loop(connections):
    """CPU for a token once all connections stand."""
    url, rate = measure.TOKEN_URL, FIXED_RATE / connections
    settled = 3 + connections / 500
    body = os.path.join(measure.DIR, "h2load.body")
    with open(body, "w") as file:
        file.write(os.environ["BENCH_BODY"])
    load = subprocess.Popen(
        measure.ON_CORE + ["h2load", "--h1", f"-c{connections}", f"-D{settled + SECONDS + 4:.0f}",
                           f"--rps={rate:.4f}", "-d", body, "-H", "Content-Type: application/json",
                           "-H", "Authorization: " + os.environ["BENCH_AUTHORIZATION"], url],
        stdout=subprocess.PIPE, text=True)
    time.sleep(settled)
    rows, before = measure.ledger_rows(), measure.clocks()
    time.sleep(SECONDS)
    gained = measure.ledger_rows() - rows
    spent = sum(measure.spent(before, max(1, gained)))
    out = load.communicate()[0]
    assert " 0 3xx, 0 4xx, 0 5xx" in out and gained > FIXED_RATE * SECONDS / 2, out
    return spent


class Column:
    """One axis: each point in CPU of a token and in signatures, beside the first."""

    def __init__(self, name):
        print(f"{name:>12}  us a token  us a signature  growth", flush=True)
        self.first = None

    def point(self, label, cost):
        pairs = [(cost(), 1e6 / measure.signatures_per_s()) for _ in range(REPEAT)]
        us = statistics.median(pair[0] for pair in pairs)
        signature = statistics.median(pair[1] for pair in pairs)
        inner = statistics.median(pair[0] / pair[1] for pair in pairs)
        self.first = self.first or inner
        print(f"{label:>12,}  {us:10.1f}  {signature:14.1f}  {inner / self.first:6.2f}", flush=True)


def main():
    random.seed(1)
    os.environ["BENCH_REQUESTS"] = os.path.join(measure.DIR, "requests")
    measure.wrk(measure.TOKEN_URL, 2, 64, "token.lua")
    column = Column("connections")
    for n in [10 ** e for e in range(1, int(os.environ["BENCH_CONNECTIONS"]) + 1)]:
        column.point(n, lambda: open_loop(n))
    column, have = Column("accounts"), 0
    for n in [10 ** e for e in range(3, int(os.environ["BENCH_ACCOUNTS"]) + 1)]:
        accounts_add(have, n)
        have = n
        requests_write(n)
        settle()
        closed_loop("many.lua")  # caches are as warm as they get
        column.point(n, lambda: closed_loop("many.lua"))
    column, have = Column("ledger rows"), measure.ledger_rows()
    for n in [10 ** e for e in range(4, int(os.environ["BENCH_LEDGER"]) + 1)]:
        if n > have:
            ledger_add(n - have)
        settle()
        closed_loop("many.lua")
        column.point(measure.ledger_rows(), lambda: closed_loop("many.lua"))
        have = measure.ledger_rows()


main()
