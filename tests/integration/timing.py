#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Are requests of several kinds alike in bytes and in time?

usage: timing.py WORLD PORT SUBJECT TIMES

WORLD is the folder that timing.sh has made; SUBJECT is one of the table below; TIMES multiplies the
number of requests.

The kinds stand in random order on one connection, so that whatever else the machine does strikes
them alike and the ranks of one kind among those of another are those of a fair draw, however noisy
the clock.  A first verdict that is as expected is taken; else two more rounds are run, which must
both be as expected.
"""
import base64
import gc
import json
import math
import random
import re
import socket
import ssl
import statistics
import sys
import time

sys.path.insert(0, sys.path[0] + "/../api")
import caller  # noqa: E402

WORLD, PORT, SUBJECT, TIMES = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
WARM_UP = 100      # of each kind; the refusals of a client that are kept are the first in a minute
RATIO_MAX = 0.05   # between medians
CHANCE_MAX = 0.05  # from one half, that a request of one kind is slower than one of another
SIGMAS = 3         # errors of the draw
ERROR_MAX = 0.01   # of a median, at which there are enough of them
BLOCKS_S = 20      # after which no further block of them is asked


def post(path, body, authorization=None):
    head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
            "X-Request-Id: same", f"Content-Length: {len(body)}"]
    if authorization:
        head.append(f"Authorization: {authorization}")
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def order(account):
    with open(f"{WORLD}/secret-a", encoding="ascii") as file:
        credentials = f"client-a:{file.read().strip()}"
    atc = {"tktype": "TNAuthList", "tkvalue": "MAigBhYEMTIzNA==", "ca": False,
           "fingerprint": "SHA256 " + ":".join(["A0"] * 32)}
    return post(f"/sti-pa/account/{account}/token", json.dumps({"atc": atc}),
                "Basic " + base64.b64encode(credentials.encode()).decode())


def login(user, password):
    return post("/api/v1/auth/login", json.dumps({"userId": user, "password": password}))


OURS = caller.secret_of("stipa_demo_pw_")
CHOSEN = "correct horse battery"

# Of each: requests of each kind, and the kinds; the first is what the others are compared with.
# Those of "apart" must be told from it.
SUBJECTS = {
    "accounts": (1200, {"absent": order("sp-z"), "foreign": order("sp-b"),
                        "absent SPC": order("9999"), "foreign SPC": order("5678")}, ()),
    "leak": (1200, {"absent": order("sp-z"), "foreign": order("sp-b")}, ("foreign",)),
    "logins": (1200, {"unknown": login("user-none", OURS), "known": login("user-ours", OURS),
                      "known, chosen": login("user-mine", OURS)}, ()),
    "passwords": (30, {"unknown": login("user-none", CHOSEN), "known": login("user-mine", CHOSEN),
                       "known, generated": login("user-ours", CHOSEN),
                       "slower hash": login("user-slow", CHOSEN)}, ("slower hash",)),
}


class Line:
    """One connection; opened again when the node has had enough of it."""

    def __init__(self):
        self.context = ssl.create_default_context(cafile=f"{WORLD}/tls/ca.pem")
        self.tls = None

    def open(self):
        plain = socket.create_connection(("127.0.0.1", PORT), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, request):
        """Nanoseconds, and the answer without its date."""
        if self.tls is None:
            self.open()
        begun = time.perf_counter_ns()
        self.tls.sendall(request)
        answer = self.tls.recv(65536)
        ns = time.perf_counter_ns() - begun
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) != int(fields[b"Content-Length"]):
            sys.exit("  FAULT: an answer in pieces")
        if fields.get(b"Connection") == b"close":
            self.tls.close()
            self.tls = None
        return ns, re.sub(rb"\r\n(Date: [^\r]*|Connection: close)", b"", answer)


def ask_in_turns(line, requests, n, times):
    """Each kind @n times in random order; what was answered."""
    turns = [kind for kind in requests for _ in range(n)]
    answers = set()
    random.shuffle(turns)
    gc.disable()
    for kind in turns:
        ns, answer = line.ask(requests[kind])
        if answer.startswith(b"HTTP/1.1 503"):  # the machine stood still
            continue
        times[kind].append(ns)
        answers.add(answer)
    gc.enable()
    return answers


def run(requests, n):
    """The times of each kind; more of them where the machine is restless.  The answers must be the
    same."""
    line = Line()
    times = {kind: [] for kind in requests}
    for kind in list(requests) * min(WARM_UP, n // 6):
        line.ask(requests[kind])
    answers = set()
    begun = time.monotonic()
    while time.monotonic() < begun + BLOCKS_S * max(TIMES, 1):
        answers |= ask_in_turns(line, requests, n, times)
        if max(error_of_median(some) for some in times.values()) <= ERROR_MAX:
            break
    if len(answers) != 1:
        sys.exit(f"  FAULT: they differ in bytes: {answers}")
    if not answers.pop().startswith(b"HTTP/1.1 40"):
        sys.exit("  FAULT: not refused")
    return times


def chance_of_slower(some, others):
    """That one of @some is slower than one of @others, by Mann and Whitney."""
    ranked = sorted([(ns, 1) for ns in some] + [(ns, 0) for ns in others])
    ranks = sum(i + 1 for i, (_, ours) in enumerate(ranked) if ours)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def error_of_median(times):
    """In parts of it: half of what lies between the ranks one sigma to each side."""
    ranked, sigma = sorted(times), math.sqrt(len(times)) / 2
    middle = len(times) / 2
    return ((ranked[int(middle + sigma)] - ranked[int(middle - sigma)]) / 2 /
            statistics.median(times))


def is_alike(kind, some, others):
    """Within the bound, and what the draw itself may err."""
    ratio = statistics.median(some) / statistics.median(others)
    error = math.hypot(error_of_median(some), error_of_median(others))
    chance = chance_of_slower(some, others)
    chance_error = math.sqrt((len(some) + len(others) + 1) / (12 * len(some) * len(others)))
    alike = (abs(ratio - 1) <= RATIO_MAX + SIGMAS * error and
             abs(chance - 0.5) <= CHANCE_MAX + SIGMAS * chance_error)
    print(f"  {kind}: {len(some)} requests, median {statistics.median(some) / 1000:.0f} µs, "
          f"ratio {ratio:.3f} ± {error:.3f}, slower {chance:.3f} ± {chance_error:.3f}: "
          f"{'alike' if alike else 'told apart'}")
    return alike


def judge():
    """Are all kinds told apart, or not, as is expected of each?"""
    n, requests, apart = SUBJECTS[SUBJECT]
    times = run(requests, int(n * TIMES))
    kinds = list(requests)
    with open(f"{WORLD}/median-{SUBJECT}", "w", encoding="ascii") as file:
        file.write(str(int(statistics.median(times[kinds[0]]) / 1000)))
    print(f"  beside {kinds[0]}:")
    verdicts = [is_alike(kind, times[kind], times[kinds[0]]) == (kind not in apart)
                for kind in kinds[1:]]
    return all(verdicts)


if not judge():
    print("  not as expected: two more rounds, both of which must be")
    sys.exit(0 if judge() and judge() else 1)
