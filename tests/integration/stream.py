#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ask for tokens without pause, and keep a log that can be held against the ledger.

usage: stream.py --ca FILE --log FILE --jobs FILE --until FILE [--seconds N] [--per-job N] [--pause S] PORT...

Each line of the jobs file is: account client secret-file spc ca.  Every job has its own
connections, one to each port.  The log has a JSON object a line, on disk before the next request:
what was asked and when, when answered, the status (0: the connection was lost), Retry-After, and
the token.
It ends when the file of --until appears or its folder goes, or after --seconds at the latest.
"""
import argparse
import base64
import http.client
import json
import os
import ssl
import threading
import time

FINGERPRINT = "SHA256 " + ":".join(["5A"] * 32)


def tkvalue(spc):
    entry = b"\x16" + bytes([len(spc)]) + spc.encode()
    tagged = b"\xa0" + bytes([len(entry)]) + entry
    return base64.b64encode(b"\x30" + bytes([len(tagged)]) + tagged).decode()


class Log:
    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)
        self.lock = threading.Lock()

    def write(self, **what):
        line = json.dumps(what).encode() + b"\n"
        with self.lock:
            self.file.write(line)
        os.fdatasync(self.file.fileno())


class Asker(threading.Thread):
    def __init__(self, args, log, job, port, context):
        super().__init__(daemon=True)
        self.args, self.log, self.port, self.context = args, log, port, context
        self.account, self.client, secret_file, self.spc, ca = job
        self.ca = ca == "true"
        with open(secret_file, encoding="ascii") as file:
            secret = file.readline().strip()
        self.headers = {
            "Authorization": "Basic "
            + base64.b64encode(f"{self.client}:{secret}".encode()).decode(),
            "Content-Type": "application/json",
        }
        self.body = json.dumps({"atc": {
            "tktype": "TNAuthList", "tkvalue": tkvalue(self.spc),
            "ca": self.ca, "fingerprint": FINGERPRINT}})
        self.path = f"/sti-pa/account/{self.account}/token"
        self.connection = None
        self.lost = None

    def ask(self):
        """Status, token and Retry-After; 0 when the connection was refused or lost."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.port, timeout=10, context=self.context)
            self.connection.request("POST", self.path, self.body, self.headers)
            response = self.connection.getresponse()
            answer = response.read()
            if response.will_close or self.args.fresh:
                self.hang_up()
            if response.status == 200:
                return 200, json.loads(answer)["token"], None
            return response.status, None, response.headers["Retry-After"]
        except (OSError, http.client.HTTPException) as error:
            self.hang_up()
            self.lost = repr(error)
            return 0, None, None

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def run(self):
        end = time.time() + self.args.seconds
        folder = os.path.dirname(self.args.until)
        while (time.time() < end and os.path.isdir(folder)
               and not os.path.exists(self.args.until)):
            asked = time.time()
            status, token, retry_after = self.ask()
            self.log.write(asked=asked, at=time.time(), account=self.account, client=self.client,
                           spc=self.spc, ca=self.ca, fingerprint=FINGERPRINT, port=self.port,
                           status=status, retry_after=retry_after, token=token,
                           lost=self.lost if status == 0 else None)
            time.sleep(self.args.pause if status == 200 else 0.02)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--jobs", required=True)
    parser.add_argument("--until", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--per-job", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0, help="seconds after each token")
    parser.add_argument("--fresh", action="store_true", help="each request on a connection of its own")
    parser.add_argument("ports", type=int, nargs="+")
    args = parser.parse_args()

    log = Log(args.log)
    context = ssl.create_default_context(cafile=args.ca)
    with open(args.jobs, encoding="ascii") as file:
        jobs = [line.split() for line in file if line.strip()]
    askers = [Asker(args, log, job, port, context)
              for job in jobs for port in args.ports for _ in range(args.per_job)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()


main()
