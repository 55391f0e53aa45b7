#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics of a live node, as the Prometheus client library's parser reads them.

usage: metrics.py WORLD STEP EDGE AUTHORITY

WORLD is the folder that metrics.sh has made; STEP is one of the functions below; EDGE and AUTHORITY
are processes of the node.
"""
import base64
import http.client
import json
import os
import signal
import socket
import sys
import time

from prometheus_client.openmetrics import parser

sys.path.insert(0, sys.path[0] + "/../api")
import caller  # noqa: E402

WORLD, STEP, EDGE, AUTHORITY = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
UNITS = {"stipa_request_duration_seconds": "seconds", "stipa_commit_duration_seconds": "seconds",
         "stipa_sign_duration_seconds": "seconds", "stipa_start_time_seconds": "seconds",
         "stipa_batch_size_orders": "orders"}
GAUGES = {"stipa_connections", "stipa_ledger_behind", "stipa_orders_waiting", "stipa_ready",
          "stipa_reload_refused", "stipa_start_time_seconds"}
HISTOGRAMS = {"stipa_request_duration_seconds", "stipa_batch_size_orders",
              "stipa_commit_duration_seconds", "stipa_sign_duration_seconds"}


def read(name):
    with open(f"{WORLD}/{name}", encoding="ascii") as file:
        return file.read().strip()


PORT = int(read("port"))
NODE = caller.Caller(PORT, f"{WORLD}/tls/ca.pem", patient=False)


def want(condition, *what):
    if not condition:
        print("  FAULT:", *what)
        sys.exit(1)


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(f"{WORLD}/a.sock")


def scrape():
    local = Local("localhost", timeout=30)
    local.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})
    response = local.getresponse()
    text = response.read().decode()
    local.close()
    want(response.status == 200, response.status)
    want(response.headers["Content-Type"] ==
         "application/openmetrics-text; version=1.0.0; charset=utf-8", response.headers)
    return text


def families(text):
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def samples():
    """Each sample's name and labels, as in the text, with its number."""
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in families(scrape()).values() for sample in family.samples}


def is_read_strictly():
    text = scrape()
    found = families(text)
    want(text.endswith("# EOF\n"), text[-40:])
    want(len(found) == text.count("# TYPE "), "a family stands twice")
    for name, family in found.items():
        kind = ("gauge" if name in GAUGES else "histogram" if name in HISTOGRAMS else "counter")
        want(family.type == kind, name, family.type)
        want(family.unit == UNITS.get(name, ""), name, family.unit)
        want(family.documentation.endswith("."), name, family.documentation)
        want(name.startswith("stipa_") and family.samples, name)
    want(GAUGES | HISTOGRAMS | set(UNITS) <= set(found), "missing", found.keys())
    now = samples()
    want(now[("stipa_ready",)] == 1, "ready")
    want(abs(now[("stipa_start_time_seconds",)] - time.time()) < 300, "start time")


def is_refused_when_wrong():
    """The parser is as strict as this test needs it to be."""
    text = scrape()
    wrong = {
        "no end": text.replace("# EOF\n", ""),
        "something after the end": text + "stipa_ready 1\n",
        "a unit that the name has not": text.replace(
            "# UNIT stipa_start_time_seconds seconds", "# UNIT stipa_start_time_seconds bytes"),
        "a counter without _total": text.replace("stipa_dry_runs_total", "stipa_dry_runs"),
        "a family twice": text.replace("# EOF\n", "# TYPE stipa_ready gauge\nstipa_ready 1\n# EOF\n"),
        "a bucket of +Inf missing": "\n".join(
            line for line in text.split("\n")
            if not line.startswith('stipa_batch_size_orders_bucket{le="+Inf"')),
        "a counter below zero": text.replace("stipa_dry_runs_total 0", "stipa_dry_runs_total -1"),
    }
    for what, changed in wrong.items():
        want(changed != text, "nothing changed:", what)
        try:
            families(changed)
        except ValueError:
            continue
        want(False, "taken:", what)


# ---- what is done, and what it must have counted ----

def token(secret=None, spc="1234", tail=""):
    credentials = f"client-a:{secret or read('secret-a')}"
    tkvalue = base64.b64encode(bytes([0x30, 8, 0xa0, 6, 0x16, 4]) + spc.encode()).decode()
    atc = {"tktype": "TNAuthList", "tkvalue": tkvalue, "ca": False,
           "fingerprint": "SHA256 " + ":".join(["A0"] * 32)}
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    return NODE.post_json(f"/sti-pa/account/sp-a/token{tail}", {"atc": atc},
                          [("Authorization", authorization)]).status


def login(password):
    return NODE.post_json("/api/v1/auth/login",
                          {"userId": "user-ours", "password": password}).status


def fail_a_handshake():
    plain = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
    while plain.recv(4096):
        pass
    plain.close()


def do_some():
    """One connection for all the requests, and one that speaks no TLS."""
    want([token() for _ in range(3)] == [200] * 3, "tokens")
    want(token(spc="9999") == 403, "an SPC that is not held")
    want([token("x" * 43) for _ in range(2)] == [403] * 2, "strangers")
    want(token(tail="/dry-run") == 200, "a dry run")
    want(login(read("secret-user-ours")) == 200, "login")
    want([login(caller.secret_of("stipa_demo_pw_")) for _ in range(2)] == [403] * 2, "logins")
    want(NODE.ask("GET", f"/sti-pa/certs/{'x' * 8}.pem").status == 404, "a certificate")
    fail_a_handshake()


def requests(route, status):
    return ("stipa_requests_total", ("route", route), ("status", status))


def counted(before, after):
    """What has grown; gauges and the scrapes' own traces aside."""
    own = {requests("metrics", "2xx"), ("stipa_connections_accepted_total",)}
    return {key: after[key] - before[key] for key in after
            if after[key] != before[key] and key not in own
            and not key[0].startswith(tuple(GAUGES | HISTOGRAMS))}


EXPECTED = {
    requests("token", "2xx"): 3, requests("token", "4xx"): 3,
    requests("token-dry-run", "2xx"): 1,
    requests("login", "2xx"): 1, requests("login", "4xx"): 2,
    requests("certificate", "4xx"): 1,
    ("stipa_orders_total", ("verdict", "issued")): 3,
    ("stipa_orders_total", ("verdict", "spc-not-held")): 1,
    ("stipa_orders_total", ("verdict", "stranger")): 2,
    ("stipa_dry_runs_total",): 1,
    ("stipa_logins_total", ("outcome", "granted")): 1,
    ("stipa_logins_total", ("outcome", "refused")): 2,
    ("stipa_access_tokens_granted_total",): 1,
    ("stipa_handshakes_failed_total",): 1,
}


def wait_for(is_so, *what):
    """Another process counts when its answer has gone."""
    for _ in range(1200):
        if is_so():
            return
        time.sleep(0.05)
    want(False, *what)


def hit_the_limit():
    before = samples()
    while token("x" * 43) != 429:
        pass
    limited = {("stipa_limits_hit_total", ("limit", "address-failures")): 1}
    wait_for(lambda: limited.items() <= counted(before, samples()).items(), limited)


def counters_move():
    before = samples()
    do_some()
    wait_for(lambda: counted(before, samples()) == EXPECTED,
             EXPECTED, "but", counted(before, samples()))
    after = samples()
    grown = {key: after[key] - before[key] for key in after}
    want(grown[("stipa_sign_duration_seconds_count",)] == 3, "one batch for each token")
    want(grown[("stipa_batch_size_orders_sum",)] >= 7, "orders in batches")
    want(grown[("stipa_commit_duration_seconds_sum",)] > 0, "the time of commits")
    want(grown[("stipa_request_duration_seconds_count",)] ==
         sum(by for key, by in grown.items() if key[0] == "stipa_requests_total"), "durations")
    want(grown[("stipa_connections_accepted_total",)] >= 3, "connections")
    want(after[("stipa_orders_waiting",)] == 0, "nothing waits")
    hit_the_limit()


def counters_outlive_a_process():
    before = samples()
    os.kill(EDGE, signal.SIGKILL)
    os.kill(AUTHORITY, signal.SIGKILL)
    restarts = [("stipa_child_restarts_total", ("child", child)) for child in ("edge", "authority")]

    def both_are_back():
        try:
            now = samples()
        except OSError:
            return False
        return now[("stipa_ready",)] == 1 and all(now[key] == 1 for key in restarts)

    wait_for(both_are_back, "they are not back")
    after = samples()
    fallen = [key for key in before if after[key] < before[key]
              and not key[0].startswith(tuple(GAUGES))]
    want(not fallen, fallen)
    want(after[("stipa_start_time_seconds",)] == before[("stipa_start_time_seconds",)], "start")
    want(after[("stipa_connections",)] <= 2, "connections of a process that is gone")


globals()[STEP]()
