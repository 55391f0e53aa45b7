#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Send every row of cases.py to a place and hold what comes back against the table.

usage: battery.py node PORT --secret FILE --hidden FILE [--deadlines head=500,...] [--report FILE]
       battery.py local SOCKET [--deadlines ...] [--report FILE]
       battery.py other HOST:PORT [--report FILE]
                                       how many of the rows another server accepts; never fails

The report has a line for each row: place, name, bytes, what came, after how long.  A row that comes
late by the clock of a busy machine is sent once more, alone.
"""
import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cases
import tls_attacks
import world

DRIP_S = 0.05
FLOOD_MAX = 8 << 20


class Outcome:
    def __init__(self, row, answers, after_s, ended):
        self.row, self.answers, self.after_s, self.ended = row, answers, after_s, ended


# ---- how the bytes are sent; each returns when the last clock begins that the row is about ----

def at_once(place, connection, row):
    connection.send(place.expand(row))
    connection.until(1.0, lambda c: final(c) > 0)
    return time.monotonic()


def final(connection):
    return len([status for status in connection.answers() if status >= 200])


def byte_by_byte(place, connection, row):
    for byte in place.expand(row):
        connection.send(bytes([byte]))
    return after_answer(connection)


def after_answer(connection, n=1):
    connection.until(5.0, lambda c: final(c) >= n)
    return time.monotonic()


def in_two_parts(place, connection, row):
    data = place.expand(row)
    connection.send(data[:len(data) // 2])
    time.sleep(DRIP_S)
    connection.send(data[len(data) // 2:])
    return after_answer(connection)


def body_after_head(place, connection, row):
    head, _, body = place.expand(row).partition(b"\r\n\r\n")
    connection.send(head + b"\r\n\r\n")
    connection.until(1.0, lambda c: c.answers())
    if body:
        connection.send(body)
    return after_answer(connection)


def twice(place, connection, row):
    for n in (1, 2):
        connection.send(place.expand(row))
        begun = after_answer(connection, n)
    return begun


def silent(place, connection, row):
    begun = time.monotonic()
    connection.send(place.expand(row))
    return begun


def drip_bytes(connection, data):
    for byte in data:
        if not connection.send(bytes([byte])) or not connection.read(DRIP_S):
            return


def drip(place, connection, row):
    begun = time.monotonic()
    drip_bytes(connection, place.expand(row))
    return begun


def drip_body(place, connection, row):
    head, _, body = place.expand(row).partition(b"\r\n\r\n")
    begun = time.monotonic()
    connection.send(head + b"\r\n\r\n")
    drip_bytes(connection, body)
    return begun


def then_drip(place, connection, row):
    connection.send(place.expand(row))
    begun = after_answer(connection)
    drip_bytes(connection, b"POST /" + b"a" * 4000)
    return begun


def flood(place, connection, row):
    data = place.expand(row)
    sent = len(data)
    connection.sock.settimeout(0.5)
    connection.send(data)
    hidden = place.expand(row, "{HIDDEN}") * 50
    while sent < FLOOD_MAX and connection.send(hidden):
        sent += len(hidden)
    return time.monotonic()


def half(place, connection, row):
    connection.send(place.expand(row))
    connection.half_close()
    return time.monotonic()


def reset(place, connection, row):
    connection.send(place.expand(row))
    time.sleep(DRIP_S)
    connection.reset()
    return time.monotonic()


HOW = {
    "at once": at_once, "bytes": byte_by_byte, "parts": in_two_parts,
    "after head": body_after_head, "twice": twice, "silent": silent, "drip": drip,
    "drip body": drip_body, "then drip": then_drip, "flood": flood, "half": half, "reset": reset,
}


# ---- a row, and all ----

def run_row(place, row):
    if row.how == "tls":
        connection, begun = tls_attacks.run(place, row)
    else:
        connection = place.connect()
        begun = HOW[row.how](place, connection, row)
    limit = place.deadline(row)
    ended = connection.until(begun + limit + 1.0 - time.monotonic())
    after_s = (connection.ended or time.monotonic()) - begun
    connection.close()
    return Outcome(row, connection.answers(), after_s, ended)


def wants_of(place, row):
    wants = place.wants(row)
    return wants if wants and isinstance(wants[0], list) else [wants]


def fault_of(place, outcome):
    """What is wrong with what came, or None."""
    row = outcome.row
    wants = wants_of(place, row)
    if row.how == "flood":  # its own bytes may have taken the answer away
        wants = wants + [[]]
    if outcome.answers not in wants:
        return f"answered {outcome.answers}, wanted {' or '.join(map(str, wants))}"
    if not outcome.ended or outcome.after_s > place.deadline(row):
        return f"open for {outcome.after_s:.2f} s, wanted {place.deadline(row):.2f}"
    return None


def attempt(place, row):
    try:
        return run_row(place, row)
    except OSError as error:
        return Outcome(row, [f"{type(error).__name__}: {error}"], 0.0, False)


def rows_for(place):
    def fits(row):
        if row.how == "tls" or row.judged == "public":
            return place.has_tls
        return place.has_tls or row.how != "after head"

    return [row for row in cases.ROWS if fits(row)]


def run_all(place, rows):
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(lambda row: attempt(place, row), rows))


def again_where_late(place, outcomes):
    for at, outcome in enumerate(outcomes):
        fault = fault_of(place, outcome)
        if fault is not None and fault.startswith("open for"):
            outcomes[at] = attempt(place, outcome.row)


def is_accepted(outcome):
    return any(status // 100 == 2 for status in outcome.answers if isinstance(status, int))


def must_be_refused(row):
    return row.judged != "ok" and 200 not in row.want


def bytes_of(place, row):
    if row.how == "tls":
        return f"tls_attacks.{row.tls}()"
    data = repr(place.expand(row))[2:-1]
    return data if len(data) < 400 else f"{data[:300]}... ({len(data)} bytes)"


def write_report(path, name, place, outcomes):
    with open(path, "a", encoding="utf-8") as file:
        for outcome in outcomes:
            print(name, outcome.row.name, outcome.row.how, bytes_of(place, outcome.row),
                  outcome.answers or "closed", f"{outcome.after_s:.3f} s", sep="\t", file=file)


def judge(name, place, report):
    outcomes = run_all(place, rows_for(place))
    again_where_late(place, outcomes)
    if report:
        write_report(report, name, place, outcomes)
    faults = [(outcome, fault_of(place, outcome)) for outcome in outcomes]
    faults = [(outcome, fault) for outcome, fault in faults if fault is not None]
    for outcome, fault in faults:
        print(f"  {name}: {outcome.row.name}: {fault}")
    refused = [outcome for outcome in outcomes if must_be_refused(outcome.row)]
    accepted = sum(map(is_accepted, refused))
    print(f"  {name}: {len(outcomes)} rows, {len(refused)} of them to be refused: "
          f"{accepted} accepted, {len(faults)} unlike the table")
    return not faults and accepted == 0


def is_taken(outcome):
    """Accepted itself, whatever is said to what stands behind it."""
    final = [status for status in outcome.answers if isinstance(status, int) and status >= 200]
    return bool(final) and final[0] < 300


def compare(name, place, report):
    rows = [row for row in rows_for(place)
            if must_be_refused(row) and row.judged == "head" and not row.deadline]
    outcomes = run_all(place, rows)
    taken = [outcome for outcome in outcomes if is_taken(outcome)]
    if report:
        write_report(report, name, place, taken)
    print(f"  {name}: {len(taken)} of {len(outcomes)} accepted")
    return True


def deadlines_of(text):
    return {name: int(value) for name, value in (pair.split("=") for pair in text.split(","))}


def first_line(path):
    with open(path, encoding="ascii") as file:
        return file.readline().strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("node", "local", "other"))
    parser.add_argument("where")
    parser.add_argument("--secret")
    parser.add_argument("--hidden")
    parser.add_argument("--deadlines", default="handshake=5000,head=5000,body=5000,idle=120000",
                        type=deadlines_of)
    parser.add_argument("--report")
    args = parser.parse_args()
    if args.kind == "node":
        place = world.Node(int(args.where), args.deadlines, first_line(args.secret),
                           first_line(args.hidden))
    elif args.kind == "local":
        place = world.Local(args.where, args.deadlines)
    else:
        host, _, port = args.where.partition(":")
        place = world.Local((host, int(port)), args.deadlines)
        return 0 if compare(args.where, place, args.report) else 1
    return 0 if judge(args.kind, place, args.report) else 1


if __name__ == "__main__":
    sys.exit(main())
