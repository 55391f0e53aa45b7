#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold a client's log against the ledger, with code that shares nothing with the service.

usage: check_log.py LOG LEDGER [--faults FILE] [--back-within SECONDS]

LEDGER is what psql prints of the token table, a JSON object a row (row_to_json), with the x5u of
the row's kid.  Every token received must be in the ledger with the same signing input, no jti
twice.  With --faults, a file of Unix times, nothing but 503 or a lost connection may stand in
the log, those only after a fault, and after each fault somebody must get a token in time.
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


def check_answers(lines, fault_times, back_within):
    faults = []
    slowest = 0.0
    for line in lines:
        if line["status"] not in (0, 200, 503):
            faults.append(f"status {line['status']} at {line['at']}")
        if line["status"] != 200 and not any(
                line["at"] >= t and line["asked"] <= t + back_within for t in fault_times):
            faults.append(f"status {line['status']} at {line['at']}, outside any fault")
    granted = sorted(line["asked"] for line in lines if line["status"] == 200)
    for t in fault_times:
        after = [asked for asked in granted if asked > t]
        if not after:
            faults.append(f"no token after the fault at {t}")
            continue
        slowest = max(slowest, after[0] - t)
    if slowest > back_within:
        faults.append(f"back only after {slowest:.1f} s")
    return slowest, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("ledger")
    parser.add_argument("--faults")
    parser.add_argument("--back-within", type=float, default=6.0)
    args = parser.parse_args()

    with open(args.log, encoding="ascii") as file:
        lines = [json.loads(line) for line in file]
    with open(args.ledger, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    received, faults = check_tokens(lines, rows)
    summary = f"  {received} tokens received, {len(rows)} in the ledger"
    if args.faults:
        with open(args.faults, encoding="ascii") as file:
            fault_times = [float(line) for line in file]
        slowest, more = check_answers(lines, fault_times, args.back_within)
        faults += more
        lost = sum(line["status"] == 0 for line in lines)
        refused = sum(line["status"] == 503 for line in lines)
        summary += (f"; {len(fault_times)} faults, {lost} connections lost, {refused} told 503,"
                    f" a token again after at most {slowest:.2f} s")
    print(summary)
    for fault in faults[:20]:
        print("  FAULT:", fault)
    if received == 0:
        print("  FAULT: no token was received at all")
    sys.exit(bool(faults) or received == 0)


main()
