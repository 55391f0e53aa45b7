#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hostile connections cost an edge, and that it gets everything back (I15).

usage: resources.py --pid EDGE --port PORT --socket LOCAL --secret FILE [--idle N] [--each N] STEP...

Steps: greedy, heads, bodies, records, hellos, halves, answers (each: at most 384 KiB for one
connection), idle (at most 20 KiB for one, beside a load that is served), descriptors (no spin).
After each step memory, descriptors and connections are back to what they were before the first of
them, and 5 %, within 10 s.
"""
import argparse
import os
import re
import resource
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import tls_attacks
import wire
import world

HOSTILE_MAX = 384 * 1024
IDLE_MAX = 20 * 1024
BACK_S = 10.0
# malloc keeps a few hundred freed chunks for its thread, each on a page of its own at worst
PINNED = 1 << 20
SPIN_MAX = 0.05
CLIENTS = 4  # of the load beside idle connections
WORK_S = 4.0


class Edge:
    def __init__(self, pid, local):
        self.pid, self.local = pid, local

    def memory(self):
        """Bytes that it alone has, as far as others have none of them."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            return int(re.search(r"^Pss: +(\d+)", file.read(), re.M).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, path):
        """The local socket's answer, or an empty one."""
        try:
            connection = wire.Plain(self.local)
        except OSError:
            return b""
        connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                        .encode())
        connection.until(2.0)
        connection.close()
        return connection.got

    def connections(self):
        found = re.search(rb"^stipa_connections (\d+)", self.get("/metrics"), re.M)
        return int(found.group(1)) if found else None

    def measure(self):
        return {"connections": self.connections(), "descriptors": self.descriptors(),
                "memory": self.memory()}


# ---- attacks: each makes one connection and holds it ----

def greedy(place):
    """Requests without end, and no answer is ever read."""
    connection = small_window(place)
    connection.sock.settimeout(0.2)
    many = place.expand(None, "{HIDDEN}") * 20
    for _ in range(20):
        if not connection.send(many):
            break
    return connection


def small_window(place):
    connection = wire.Tls(place.address)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    if not connection.handshake():
        raise ConnectionError("no handshake")
    return connection


def heads(place):
    connection = place.connect()
    connection.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 8100)
    return connection


def bodies(place):
    connection = place.connect()
    head = place.expand(None, "{POST}{HOST}{AUTH}{TYPE}Content-Length: 4096\r\n\r\n")
    connection.send(head + b" " * 4095)
    return connection


def records(place):
    """A body in records of one byte."""
    connection = place.connect()
    connection.send(place.expand(None, "{POST}{HOST}{AUTH}{TYPE}Content-Length: 4096\r\n\r\n"))
    for _ in range(1000):
        connection.tls.write(b" ")
    connection.flush()
    return connection


def hellos(place):
    """All but the end of a handshake message that is as long as it may be."""
    connection = wire.Plain(place.address)
    body = b"\1" + (100000).to_bytes(3, "big") + bytes(15000)
    for at in range(0, len(body), 5000):
        connection.raw(tls_attacks.record(tls_attacks.HANDSHAKE, body[at:at + 5000], 0x0301))
    return connection


def halves(place):
    """All but the last byte of a record that is as long as it may be."""
    connection = place.connect()
    connection.tls.write(b"X" * 16384)
    connection.raw(connection.records()[:-1])
    return connection


def answers(place):
    """The largest answer there is, and a client that does not read it."""
    connection = small_window(place)
    connection.send(b"GET /sti-pa/cert.crt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection


ATTACKS = (greedy, heads, bodies, records, hellos, halves, answers)


def quiet(place):
    """One request, and then nothing."""
    connection = place.connect()
    connection.send(b"GET /sti-pa/cert.crt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if not connection.until(10.0, lambda c: c.answers()) or connection.answers() != [200]:
        raise ConnectionError(f"not served: {connection.answers()}")
    return connection


# ---- what is held ----

def is_back(now, base):
    slack = {"memory": PINNED}
    return all(now[what] is not None
               and now[what] <= base[what] + max(base[what] * 0.05, slack.get(what, 1))
               for what in base)


def comes_back(edge, base):
    begun = time.monotonic()
    while True:
        now = edge.measure()
        took = time.monotonic() - begun
        if is_back(now, base) or took > BACK_S:
            break
        time.sleep(0.1)
    print(f"    I15: memory {base['memory'] // 1024} KiB before, {now['memory'] // 1024} after "
          f"{took:.1f} s; descriptors {base['descriptors']} and {now['descriptors']}; connections "
          f"{base['connections']} and {now['connections']}")
    return is_back(now, base)


def close_all(connections):
    for connection in connections:
        connection.close()


def cost_of(edge, make, place, n):
    before = edge.memory()
    connections = [make(place) for _ in range(n)]
    time.sleep(0.3)
    most = edge.memory()
    return connections, (most - before) / n


def warm(place, n):
    """Each of it once, so that code which has never run is in memory, and a crowd, as libevent
    keeps what it has for each descriptor."""
    for attack in ATTACKS:
        close_all([attack(place) for _ in range(3)])
    for _ in range(2):
        close_all([quiet(place) for _ in range(n)])
        served(place, 20)
        time.sleep(2.5)


def run_attack(edge, place, make, n, base):
    connections, cost = cost_of(edge, make, place, n)
    close_all(connections)
    print(f"  {make.__name__}: {cost / 1024:.1f} KiB for each of {n}")
    return comes_back(edge, base) and cost <= HOSTILE_MAX


def served(place, n):
    """How many of n orders are answered with a token, and the slowest."""
    ok, slowest = 0, 0.0
    for _ in range(n):
        begun = time.monotonic()
        connection = place.connect()
        connection.send(place.expand(None, "{GOOD}"))
        connection.until(10.0, lambda c: c.answers())
        ok += connection.answers() == [200]
        connection.close()
        slowest = max(slowest, time.monotonic() - begun)
    return ok, slowest


def client_works(place, end):
    """Orders one after the other on a connection: the times of those served, how many were not."""
    took, failed, connection = [], 0, place.connect()
    while time.monotonic() < end:
        begun, connection.got = time.monotonic(), b""
        connection.send(place.expand(None, "{GOOD}"))
        connection.until(10.0, lambda c: c.answers())
        if connection.answers() == [200]:
            took.append(time.monotonic() - begun)
        else:
            failed += 1
        if connection.answers() != [200] or b"Connection: close" in connection.got:
            connection.close()
            connection = place.connect()
    connection.close()
    return took, failed


def work(place):
    with ThreadPoolExecutor(max_workers=CLIENTS) as pool:
        end = time.monotonic() + WORK_S
        done = list(pool.map(lambda _: client_works(place, end), range(CLIENTS)))
    took = sorted(time for one, _ in done for time in one)
    failed = sum(failed for _, failed in done)
    p99 = took[len(took) * 99 // 100] * 1000 if took else 0.0
    return len(took), failed, f"{len(took) / WORK_S:.0f} orders/s, p99 {p99:.0f} ms"


def run_idle(edge, place, n, base):
    _, _, alone = work(place)
    connections, cost = cost_of(edge, quiet, place, n)
    held = edge.measure()
    ok, failed, beside = work(place)
    still = sum(1 for connection in connections if connection.read(0))
    close_all(connections)
    print(f"  idle: {n} connections ({held['connections']} open, {still} kept), "
          f"{cost / 1024:.1f} KiB each; a load of {CLIENTS} connections beside them: {beside}, "
          f"{failed} not served (alone: {alone})")
    back = comes_back(edge, base)
    if back and not is_back(held, base):
        print(f"I15 holds: memory, descriptors and connections are back after {n} idle connections "
              f"and each attack before | control: while they are held, {held['memory'] // 1024} "
              f"KiB, {held['descriptors']} descriptors and {held['connections']} connections are "
              "not what they were")
    return (back and not is_back(held, base) and cost <= IDLE_MAX and still == n
            and ok >= CLIENTS and failed == 0)


def run_descriptors(edge, place, base):
    """The edge may open two more and 100 come: it neither spins nor dies, and serves again."""
    usual = resource.prlimit(edge.pid, resource.RLIMIT_NOFILE)
    # descriptors are numbers: the limit is on the highest, and the reserve is free when needed
    limit = max(map(int, os.listdir(f"/proc/{edge.pid}/fd"))) + 3
    resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
    connections = [wire.Plain(place.address) for _ in range(100)]
    time.sleep(0.5)
    ready = b" 200 " in edge.get("/readyz")[:20]
    begun, used = time.monotonic(), edge.cpu_s()
    time.sleep(3.0)
    share = (edge.cpu_s() - used) / (time.monotonic() - begun)
    resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, usual)
    close_all(connections)
    ok, _ = served(place, 5)
    print(f"  descriptors: {share * 100:.1f} % of a core while there are none, "
          f"{'ready' if ready else 'not ready'}; afterwards {ok} of 5 orders served")
    return comes_back(edge, base) and share < SPIN_MAX and not ready and ok == 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--hidden", required=True)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("steps", nargs="+")
    args = parser.parse_args()
    with open(args.secret, encoding="ascii") as one, open(args.hidden, encoding="ascii") as other:
        place = world.Node(args.port, {}, one.read().strip(), other.read().strip())
    edge = Edge(args.pid, args.socket)
    attacks = {attack.__name__: attack for attack in ATTACKS}
    warm(place, args.idle)
    base, ok = edge.measure(), True
    for step in args.steps:
        if step == "idle":
            ok = run_idle(edge, place, args.idle, base) and ok
        elif step == "descriptors":
            ok = run_descriptors(edge, place, base) and ok
        else:
            ok = run_attack(edge, place, attacks[step], args.each, base) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
