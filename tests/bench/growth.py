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
COMPANY = 1000  # connections that come at once
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


def closed_loop():
    return measure.tokens(SECONDS, 64, "many.lua")


def descriptors():
    return len(os.listdir(f"/proc/{measure.EDGE}/fd"))


ITS_OWN = descriptors()  # of the edge, before anybody has come


def open_connections():
    return descriptors() - ITS_OWN


def nobody_is_left():
    for _ in range(100):
        if open_connections() <= 0:
            return
        time.sleep(0.1)
    raise SystemExit(f"{open_connections()} connections of an earlier load stay")


class Crowd:
    """Connections that together ask for FIXED_RATE tokens a second, each once a round, for as long
    as it is there.  They come a thousand at a time, so that nobody's handshake waits for ten
    thousand others, and are measured over whole rounds, once each of them has asked."""

    def __init__(self, connections):
        self.connections = connections
        self.round_s = connections / FIXED_RATE  # in which each asks once
        self.loads = []

    def __enter__(self):
        try:
            self.gather()
        except BaseException:
            self.leave()
            raise
        return self

    def __exit__(self, *_):
        self.leave()

    def gather(self):
        nobody_is_left()
        body = os.path.join(measure.DIR, "h2load.body")
        with open(body, "w") as file:
            file.write(os.environ["BENCH_BODY"])
        for there in range(0, self.connections, COMPANY):
            more = min(COMPANY, self.connections - there)
            self.loads.append(subprocess.Popen(
                measure.ON_CORE + ["h2load", "--h1", f"-c{more}", "-D3600",
                                   f"--rps={FIXED_RATE / self.connections:.4f}", "-d", body,
                                   "-H", "Content-Type: application/json", "-H",
                                   "Authorization: " + os.environ["BENCH_AUTHORIZATION"],
                                   measure.TOKEN_URL],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            self.wait_for(there + more)
        time.sleep(3 + self.round_s)

    def wait_for(self, connections):
        for _ in range(600):
            if self.are_there(connections):
                return
            time.sleep(0.1)
        raise SystemExit(f"{connections} connections are not there after a minute")

    def are_there(self, connections):
        return open_connections() >= connections

    def cost(self):
        """CPU for a token.  All connections must stay, and be served at their rate."""
        rows, commits = measure.ledger_rows(), measure.issued_in()
        before, began = measure.clocks(), time.monotonic()
        time.sleep(max(SECONDS, 2 * self.round_s))  # whole rounds: they came together
        spent, took = measure.spent(before, 1), time.monotonic() - began
        gained = measure.ledger_rows() - rows
        if not self.are_there(self.connections) or gained < 0.7 * FIXED_RATE * took:
            raise SystemExit(f"{self.connections} connections: {open_connections()} are left, "
                             f"{gained} tokens in {took:.1f} s")
        edge, authority, postgres = (us / gained for us in spent)
        return {"edge": edge, "authority": authority, "postgres": postgres,
                "batch": gained / max(1, measure.issued_in() - commits)}

    def leave(self):
        for load in self.loads:
            load.terminate()
        for load in self.loads:
            load.wait()


class Column:
    """One axis: each point in CPU of a token and in signatures, beside the first."""

    def __init__(self, name):
        print(f"{name:>12}  us a token = edge + authority + PostgreSQL  us a signature  "
              "tokens a commit  growth", flush=True)
        self.first = None

    def point(self, label, cost):
        rounds = [cost() | {"signature": 1e6 / measure.signatures_per_s()}
                  for _ in range(REPEAT)]
        figures = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        parts = [figures[name] for name in ("edge", "authority", "postgres")]
        inner = statistics.median(
            (one["edge"] + one["authority"] + one["postgres"]) / one["signature"]
            for one in rounds)
        self.first = self.first or inner
        print(f"{label:>12,}  {sum(parts):10.1f} = " + " + ".join(f"{part:8.1f}" for part in parts)
              + f"{figures['signature']:21.1f}  {figures['batch']:15.1f}  "
              f"{inner / self.first:6.2f}", flush=True)


def powers_of_ten(first, axis):
    return [10 ** e for e in range(first, int(os.environ[axis]) + 1)]


def grow_connections():
    column = Column("connections")
    for n in powers_of_ten(1, "BENCH_CONNECTIONS"):
        with Crowd(n) as crowd:
            column.point(n, crowd.cost)


def grow_accounts():
    column, have = Column("accounts"), 0
    for n in powers_of_ten(3, "BENCH_ACCOUNTS"):
        accounts_add(have, n)
        have = n
        requests_write(n)
        settle()
        closed_loop()  # caches are as warm as they get
        column.point(n, closed_loop)


def grow_ledger():
    column, have = Column("ledger rows"), measure.ledger_rows()
    for n in powers_of_ten(4, "BENCH_LEDGER"):
        if n > have:
            ledger_add(n - have)
        settle()
        closed_loop()
        column.point(measure.ledger_rows(), closed_loop)
        have = measure.ledger_rows()


def main():
    random.seed(1)
    os.environ["BENCH_REQUESTS"] = os.path.join(measure.DIR, "requests")
    measure.wrk(measure.TOKEN_URL, 2, 64, "token.lua")
    grow_connections()
    grow_accounts()
    if not os.path.exists(os.environ["BENCH_REQUESTS"]):
        accounts_add(0, 1000)
        requests_write(1000)
    grow_ledger()


main()
