# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks have in common: loads, and the CPU time that they cost others.

The environment says where things are: stand.sh.
"""
import os
import re
import subprocess
import sys

HZ = os.sysconf("SC_CLK_TCK")
HERE = os.path.dirname(os.path.abspath(__file__))
DIR = os.environ["BENCH_DIR"]
EDGE = int(os.environ["BENCH_EDGE"])
AUTHORITY = int(os.environ["BENCH_AUTHORITY"])
POSTMASTER = int(os.environ["BENCH_POSTMASTER"])
TOKEN_URL = os.environ["BENCH_TOKEN_URL"]
ON_CORE = ["taskset", "-c", os.environ["BENCH_CORE"]]
BATCH = 64  # rows of the yardstick's batch


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done.stdout


def sql(text):
    return run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text]).strip()


def cpu_us(pid, ended_too=False):
    """User and system time; with @ended_too that of children which have been waited for."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11:15 if ended_too else 13]) * 1e6 / HZ


def postgres_us():
    """Of every process of the server, those that have ended too."""
    children = run(["pgrep", "-P", str(POSTMASTER)]).split()
    return cpu_us(POSTMASTER, ended_too=True) + sum(cpu_us(int(pid)) for pid in children)


def clocks():
    return cpu_us(EDGE), cpu_us(AUTHORITY), postgres_us()


def spent(before, n):
    """CPU microseconds for each of @n by process: edge, authority, PostgreSQL."""
    return tuple((now - then) / n for then, now in zip(before, clocks()))


def ledger_rows():
    return int(sql("SELECT count(*) FROM stipa.token"))


def signatures_per_s():
    out = run(["taskset", "-c", "1", "openssl", "speed", "-seconds", "1", "ecdsap256"])
    return float(re.search(r"256 bits ecdsa.*?([\d.]+)\s+[\d.]+\s*$", out, re.M).group(1))


def wrk(url, seconds, connections, script=None):
    """(requests, requests a second, p50 ms, p99 ms); whatever is not a success ends the run."""
    out = run(ON_CORE + ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
              + (["-s", os.path.join(HERE, script)] if script else []) + [url])
    refused = re.search(r"^refused: (\d+)", out, re.M)
    if "Non-2xx" in out or "Socket errors" in out or (refused and refused.group(1) != "0"):
        sys.exit(f"not every answer was a success:\n{out}")

    def ms(percent):
        number, unit = re.search(rf"^ +{percent}%\s+([\d.]+)(us|ms|s)", out, re.M).groups()
        return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    return (int(re.search(r"(\d+) requests in", out).group(1)),
            float(re.search(r"^Requests/sec:\s+([\d.]+)", out, re.M).group(1)), ms(50), ms(99))


def h2load(url, seconds, connections, rate):
    """An open load of @rate tokens a second: (answers, p50 ms, p99 ms)."""
    log = os.path.join(DIR, "h2load.log")
    body = os.path.join(DIR, "h2load.body")
    with open(body, "w") as file:
        file.write(os.environ["BENCH_BODY"])
    if os.path.exists(log):
        os.remove(log)
    out = run(ON_CORE + ["h2load", "--h1", f"-c{connections}", f"-D{seconds}", "--warm-up-time=1",
                         f"--rps={rate / connections:.4f}", f"--log-file={log}", "-d", body,
                         "-H", "Content-Type: application/json",
                         "-H", "Authorization: " + os.environ["BENCH_AUTHORIZATION"], url])
    if not re.search(r"status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx", out):
        sys.exit(f"not every answer was a success:\n{out}")
    with open(log) as file:
        times = sorted(int(line.split()[2]) for line in file)
    return len(times), times[len(times) // 2] / 1000, times[len(times) * 99 // 100] / 1000


def rows_make():
    """A table whose rows have the size and the indexes of the ledger's, without its checks."""
    sql("CREATE TABLE bench_row (LIKE stipa.token); "
        "ALTER TABLE bench_row ADD PRIMARY KEY (jti); "
        "CREATE INDEX ON bench_row (account_id, jti); "
        "CREATE SEQUENCE bench_batch")
    script = os.path.join(DIR, "row.sql")
    with open(script, "w") as file:
        file.write(
            "INSERT INTO bench_row SELECT lpad(to_hex(b * 1000 + g), 32, '0')::uuid, g, g, g, "
            "'1001', 'MAigBhYEMTAwMQ==', false, repeat('56:', 34), 1, 0, NULL, 'kid-of-a-signer', "
            "now(), now(), 'aaaaaaaaaaaaaaaaaaaaaaaaaa', '\\x00000000000000000000ffff7f000001', 0 "
            f"FROM nextval('bench_batch') AS b, generate_series(1, {BATCH}) AS g;\n")


def rows_us(seconds):
    """CPU microseconds of PostgreSQL for a row, from one client."""
    before = postgres_us()
    out = run(["pgbench", "-n", "-M", "prepared", "-c1", f"-T{seconds}", "-f",
               os.path.join(DIR, "row.sql")])
    batches = int(re.search(r"actually processed: (\d+)", out).group(1))
    return (postgres_us() - before) / (batches * BATCH)


def tokens(seconds, connections, script="token.lua"):
    """A closed loop: tokens/s, p50, p99, CPU of edge, authority and PostgreSQL for a token, tokens
    a commit.  Every answer must be in the ledger."""
    rows, commits, before = ledger_rows(), issued_in(), clocks()
    answers, rate, p50, p99 = wrk(TOKEN_URL, seconds, connections, script)
    edge, authority, postgres = spent(before, answers)
    gained = ledger_rows() - rows
    if gained < answers:
        sys.exit(f"{answers} answers, but only {gained} rows in the ledger")
    return {"tokens": rate, "p50": p50, "p99": p99, "edge": edge, "authority": authority,
            "postgres": postgres, "batch": gained / max(1, issued_in() - commits)}


def issued_in():
    """Transactions that have written to the ledger, nearly: all of this database's."""
    return int(sql("SELECT pg_stat_clear_snapshot(); "
                   "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"))
