#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bounded floods against a node on loopback, from many addresses of 127/8.

usage: floods.py --ca FILE PORT guess WAY [--addresses N] [--requests N] [--threads N]
       floods.py --ca FILE PORT logins FILE [--threads N]

guess: wrong secrets, one of WAYS; each address has a connection of its own for its share of the
requests.  logins: FILE has "user password" a line; each user logs in once, from an address of its
own over a connection of its own.  Prints a JSON object: how many answers of each status, and the
seconds that it took.
"""
import argparse
import collections
import http.client
import json
import queue
import ssl
import sys
import threading
import time
import urllib.parse

import caller as calls

FINGERPRINT = "SHA256 " + ":".join(["A0"] * 32)
ATC = json.dumps({"atc": {"tktype": "TNAuthList", "tkvalue": "MAigBhYEMTIzNA==", "ca": False,
                          "fingerprint": FINGERPRINT}})
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def wrong(prefix, number):
    return calls.secret_of(prefix, bytes([1 + number % 250]))


def basic(number):
    return "/sti-pa/account/sp-demo/token", JSON, ATC, calls.basic(
        "demo-kms", wrong("stipa_demo_", number))[1]


def token(number):
    return "/api/v1/account/sp-demo/token", JSON, ATC, wrong("stipa_demo_at_", number)


def oauth(number):
    form = {"grant_type": "client_credentials", "client_id": f"guess-{number}",
            "client_secret": wrong("stipa_demo_", number)}
    return "/oauth2/token", FORM, urllib.parse.urlencode(form), None


def login(number):
    return "/api/v1/auth/login", JSON, json.dumps(
        {"userId": f"guess-{number}", "password": wrong("stipa_demo_pw_", number)}), None


def chosen(number):
    return "/api/v1/auth/login", JSON, json.dumps(
        {"userId": f"guess-{number}", "password": f"summer-{number}"}), None


def one_user(number):
    return "/api/v1/auth/login", JSON, json.dumps(
        {"userId": "demo-chosen", "password": f"summer-{number}"}), None


def report(number):
    return "/secrets/report", JSON, json.dumps({"secret": wrong("stipa_demo_", number)}), None


WAYS = {"basic": basic, "token": token, "oauth": oauth, "login": login, "chosen": chosen,
        "one-user": one_user, "report": report}


def address(number):
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Flood:
    def __init__(self, port, ca_file):
        self.port = port
        self.context = ssl.create_default_context(cafile=ca_file)
        self.told = collections.Counter()
        self.without_retry_after = 0
        self.lock = threading.Lock()

    def connect(self, number):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                           context=self.context,
                                           source_address=(address(number), 0))

    def note(self, status, headers=None):
        with self.lock:
            self.told[str(status)] += 1
            if status in (429, 503) and headers is not None and "Retry-After" not in headers:
                self.without_retry_after += 1

    def send(self, connection, path, media, body, authorization):
        headers = {"Content-Type": media}
        if authorization:
            headers["Authorization"] = authorization
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer

    def ask(self, *what):
        answer = self.send(*what)
        self.note(answer.status, answer.headers)

    def guess_from(self, number, way, requests):
        connection = self.connect(number)
        for turn in range(requests):
            try:
                self.ask(connection, *WAYS[way](number * requests + turn))
            except (OSError, http.client.HTTPException):
                self.note("lost")
                connection.close()
        connection.close()

    def log_in(self, number, user, password):
        """Again after 503, as a client does."""
        connection = self.connect(number)
        try:
            for _ in range(30):
                answer = self.send(connection, "/api/v1/auth/login", JSON,
                                   json.dumps({"userId": user, "password": password}), None)
                if answer.status != 503:
                    break
                self.note("503 first")
                time.sleep(1)
            self.note(answer.status, answer.headers)
        except (OSError, http.client.HTTPException):
            self.note("lost")
        connection.close()

    def run(self, jobs, threads):
        todo = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        started = time.monotonic()
        workers = [threading.Thread(target=self.work, args=(todo,)) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(json.dumps({**self.told, "seconds": round(time.monotonic() - started, 2),
                          "without_retry_after": self.without_retry_after}))

    def work(self, todo):
        while True:
            try:
                act, *args = todo.get_nowait()
            except queue.Empty:
                return
            act(*args)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--addresses", type=int, default=1)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("port", type=int)
    parser.add_argument("act", choices=["guess", "logins"])
    parser.add_argument("what")
    args = parser.parse_args()
    flood = Flood(args.port, args.ca)
    if args.act == "guess":
        jobs = [(flood.guess_from, args.first + n, args.what, args.requests)
                for n in range(args.addresses)]
    else:
        with open(args.what, encoding="ascii") as file:
            jobs = [(flood.log_in, args.first + n, *line.split())
                    for n, line in enumerate(file)]
    flood.run(jobs, args.threads)


if __name__ == "__main__":
    sys.exit(main())
