#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The p99 of tokens at a fixed rate, alone and beside a flood, in pairs; see floods.sh.

usage: floods.py FOLDER PORT THREAD --pairs N --seconds N --flood N --ways WAY,WAY

THREAD: where /proc shows that of argon2id.
"""
import argparse
import base64
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

STEADY = 50  # connections
PATHS = {"token": "/sti-pa/account/sp-demo/token", "login": "/api/v1/auth/login"}


def authorization(user, secret):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


class Bench:
    def __init__(self, args):
        self.args = args
        self.folder = pathlib.Path(args.folder)
        self.secret = (self.folder / "secret-demo-kms").read_text(encoding="ascii").split("\n")[0]
        self.log = self.folder / "latencies"
        self.argon2_s = self.beside_s = 0

    def argon2_cpu_s(self):
        stat = (pathlib.Path(self.args.thread) / "stat").read_text(encoding="ascii")
        return sum(int(ticks) for ticks in stat.rpartition(")")[2].split()[11:13]) / os.sysconf(
            "SC_CLK_TCK")

    def h2load(self, path, body, *options):
        return ["h2load", "--h1", "-H", "Content-Type: application/json",
                "-d", str(self.folder / body), *options,
                f"https://127.0.0.1:{self.args.port}{path}"]

    def tokens(self, *options):
        return self.h2load(PATHS["token"], "token.json", "-H",
                           authorization("demo-kms", self.secret), *options)

    def rate_at_most(self):
        told = subprocess.run(self.tokens("-c", "32", "-D", "3", "--warm-up-time", "1"),
                              capture_output=True, text=True, check=True).stdout
        return float(re.search(r"finished in .*?, ([0-9.]+) req/s", told)[1])

    def start_flood(self, way):
        path, body, headers = PATHS["login"], f"{way}.json", []
        if way == "basic":
            wrong = self.secret[:-1] + ("A" if self.secret[-1] != "A" else "B")
            path, body, headers = PATHS["token"], "token.json", [authorization("demo-kms", wrong)]
        flood = subprocess.Popen(
            [sys.executable, "-B", pathlib.Path(__file__).with_name("flood.py"), self.args.port,
             str(self.args.flood), path, self.folder / body, *headers], stdout=subprocess.PIPE)
        flood.stdout.readline()
        return flood

    def measure(self, rate):
        """The p99 in microseconds."""
        self.log.unlink(missing_ok=True)
        subprocess.run(self.tokens("-c", str(STEADY), "--rps", str(rate / STEADY), "-D",
                                   str(self.args.seconds), "--warm-up-time", "1",
                                   f"--log-file={self.log}"),
                       stdout=subprocess.DEVNULL, check=True)
        rows = [line.split("\t") for line in self.log.read_text(encoding="ascii").splitlines()]
        refused = [row for row in rows if row[1] != "200"]
        if refused or len(rows) < 0.9 * rate * self.args.seconds:
            sys.exit(f"{len(refused)} of {len(rows)} tokens refused at {rate:.0f}/s")
        latencies = sorted(int(row[2]) for row in rows)
        return latencies[int(len(latencies) * 0.99)]

    def beside(self, way, rate):
        if way == "none":
            return self.measure(rate)
        with self.start_flood(way) as flood:
            try:
                start, argon2 = time.monotonic(), self.argon2_cpu_s()
                p99 = self.measure(rate)
                self.argon2_s += self.argon2_cpu_s() - argon2
                self.beside_s += time.monotonic() - start
                return p99
            finally:
                if flood.poll() is not None:
                    sys.exit("the flood has ended by itself")
                flood.terminate()

    def pairs(self, way, rate):
        for n in range(self.args.pairs):
            if n % 2 == 0:
                alone = self.measure(rate)
                beside = self.beside(way, rate)
            else:
                beside = self.beside(way, rate)
                alone = self.measure(rate)
            yield alone, beside


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("port")
    parser.add_argument("thread")
    for name in ("pairs", "seconds", "flood"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--ways", required=True)
    args = parser.parse_args()
    bench = Bench(args)
    most = bench.rate_at_most()
    rate = most / 4
    print(f"at most {most:.0f} tokens/s; asked for: {rate:.0f}/s")
    for way in args.ways.split(","):
        bench.argon2_s, bench.beside_s = 0, 1e-9
        told = list(bench.pairs(way, rate))
        ratios = sorted(beside / alone for alone, beside in told)
        quartiles = statistics.quantiles(ratios, n=4)
        print(f"{way}: p99 alone {statistics.median(a for a, _ in told) / 1000:.2f} ms, beside "
              f"{statistics.median(b for _, b in told) / 1000:.2f} ms; "
              f"median of {len(ratios)} ratios {statistics.median(ratios):.3f} "
              f"(half of them within {quartiles[0]:.3f} and {quartiles[2]:.3f}); "
              f"argon2id took {bench.argon2_s / bench.beside_s:.0%} of a core", flush=True)


if __name__ == "__main__":
    main()
