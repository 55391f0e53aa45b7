#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold a client's log against the ledger, with code that shares nothing with the service.

usage: check_log.py LOG LEDGER [--faults FILE] [--back-within SECONDS] [--limits KIND=SECONDS ...]

LEDGER is what psql prints of the token table, a JSON object a row (row_to_json), with the x5u of
the row's kid.  Every token received must be in the ledger with the same signing input, no jti
twice.  With --faults, a file of Unix times, nothing but 503 or a lost connection may stand in
the log, those only after a fault, and after each fault somebody must get a token in time.
--limits counts from the fault itself, also where the database was away.
"""
import argparse
import base64
import json
import sys
import uuid
from datetime import datetime, timezone


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seconds(text):
    return int(datetime.fromisoformat(text).astimezone(timezone.utc).timestamp())


def text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def signing_input(row):
    """Rebuild what was signed from the ledger alone (RFC 9448; RFC 7515 section 5.1)."""
    header = {"alg": "ES256", "typ": "JWT", "x5u": row["x5u"]}
    payload = {
        "exp": seconds(row["expires_at"]),
        "jti": str(uuid.UUID(row["jti"])),
        "atc": {"tktype": "TNAuthList", "tkvalue": row["tkvalue"],
                "ca": row["ca"], "fingerprint": row["fingerprint"]},
    }
    return b64url(text(header).encode()) + "." + b64url(text(payload).encode())


def jti_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"]


def check_tokens(lines, rows):
    ledger = {row["jti"]: row for row in rows}
    faults = []
    seen = set()
    if len(ledger) != len(rows):
        faults.append("a jti stands twice in the ledger")
    for line in lines:
        if line["status"] != 200:
            continue
        jti = jti_of(line["token"])
        if jti in seen:
            faults.append(f"{jti}: received twice")
        seen.add(jti)
        if jti not in ledger:
            faults.append(f"{jti}: received, but not in the ledger")
        elif line["token"].rsplit(".", 1)[0] != signing_input(ledger[jti]):
            faults.append(f"{jti}: the ledger row gives another signing input")
    return len(seen), faults


def outage_after(answered, begin, end):
    """The longest time without a token between @begin and @end: when it began and ended."""
    times = [begin] + [at for at in answered if begin < at < end] + [end]
    return max(zip(times, times[1:]), key=lambda gap: gap[1] - gap[0])


def check_answers(lines, faults_made, back_within, limits):
    """Nothing but 503 (with Retry-After) and lost connections, only near a fault, not for long.

    A fault of the database lasts until it takes statements again; the rest is ours.
    """
    faults, outages, slowest = [], [], {}
    windows = [(at, back + back_within) for _, at, back in faults_made]
    for line in lines:
        if line["status"] not in (0, 200, 503):
            faults.append(f"status {line['status']} at {line['at']}")
        elif line["status"] == 503 and not (line.get("retry_after") or "").isdigit():
            faults.append(f"status 503 at {line['at']} without Retry-After")
        elif line["status"] != 200 and not any(
                line["at"] >= begin and line["asked"] <= end for begin, end in windows):
            faults.append(f"status {line['status']} at {line['at']}, outside any fault")
    answered = sorted(line["at"] for line in lines if line["status"] == 200)
    ends = [at for _, at, _ in faults_made[1:]] + [answered[-1] if answered else 0]
    for (kind, at, back), end in zip(faults_made, ends):
        gone, there = outage_after(answered, at, end)
        late = there - max(gone, back) > back_within
        if late or there - gone > limits.get(kind, float("inf")):
            outages.append(f"{kind}: without a token from {gone} to {there}")
        slowest[kind] = max(slowest.get(kind, 0.0), there - gone)
    return slowest, outages + faults


def limit(pair):
    kind, limit_s = pair.split("=")
    return kind, float(limit_s)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("ledger")
    parser.add_argument("--faults")
    parser.add_argument("--back-within", type=float, default=6.0)
    parser.add_argument("--limits", nargs="*", type=limit, default=[])
    args = parser.parse_args()

    with open(args.log, encoding="ascii") as file:
        lines = [json.loads(line) for line in file]
    with open(args.ledger, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    received, faults = check_tokens(lines, rows)
    summary = f"  {received} tokens received, {len(rows)} in the ledger"
    if args.faults:
        with open(args.faults, encoding="ascii") as file:
            made = [(kind, float(at), float(back))
                    for kind, at, back in map(str.split, file)]
        slowest, more = check_answers(lines, made, args.back_within, dict(args.limits))
        faults += more
        lost = sum(line["status"] == 0 for line in lines)
        refused = sum(line["status"] == 503 for line in lines)
        summary += (f"; {len(made)} faults, {lost} connections lost, {refused} told 503\n"
                    "  the longest without a token: "
                    + ", ".join(f"{kind} {s:.2f} s" for kind, s in sorted(slowest.items())))
    print(summary)
    for fault in faults[:20]:
        print("  FAULT:", fault)
    if received == 0:
        print("  FAULT: no token was received at all")
    sys.exit(bool(faults) or received == 0)


main()
