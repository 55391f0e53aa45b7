#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Latency of the token path alone and beside a flood, in pairs; see floods.sh.

The steady client and the flood are processes of their own.  The steady client keeps to its schedule
and measures from when a request was due, so that a stall is not left out.
"""
import argparse
import http.client
import json
import multiprocessing
import pathlib
import ssl
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "api"))
import caller as calls  # noqa: E402  pylint: disable=wrong-import-position
import floods  # noqa: E402  pylint: disable=wrong-import-position


def steady(args, result):
    caller = calls.Caller(args.port, args.ca)
    secret = pathlib.Path(args.secret_file).read_text(encoding="ascii").split("\n")[0]
    headers = [("Content-Type", "application/json"), calls.basic("demo-kms", secret)]
    body = floods.ATC.encode()
    caller.ask("POST", "/sti-pa/account/sp-demo/token", headers, body)
    latencies, refused, start = [], 0, time.monotonic()
    for n in range(args.rate * args.seconds):
        due = start + n / args.rate
        time.sleep(max(0, due - time.monotonic()))
        answer = caller.ask("POST", "/sti-pa/account/sp-demo/token", headers, body)
        latencies.append(time.monotonic() - due)
        refused += answer.status != 200
    result.put((latencies, refused))


def flood(args, first, stop):
    """One request for each turn, over a ring of connections from as many addresses."""
    context = ssl.create_default_context(cafile=args.ca)
    ring = [http.client.HTTPSConnection("127.0.0.1", args.port, timeout=10, context=context,
                                        source_address=(floods.address(first + n), 0))
            for n in range(100)]
    start, n = time.monotonic(), 0
    while not stop.is_set():
        time.sleep(max(0, start + n / args.flood - time.monotonic()))
        ways = args.ways.split(",")
        path, media, body, authorization = floods.WAYS[ways[n % len(ways)]](n)
        headers = {"Content-Type": media, **(
            {"Authorization": authorization} if authorization else {})}
        connection = ring[n % len(ring)]
        try:
            connection.request("POST", path, body, headers)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
        n += 1


def p99(latencies):
    return sorted(latencies)[int(len(latencies) * 0.99)]


def measure(args, beside, first):
    stop, result = multiprocessing.Event(), multiprocessing.Queue()
    flooder = multiprocessing.Process(target=flood, args=(args, first, stop))
    if beside:
        flooder.start()
        time.sleep(1.5)  # its connections stand
    client = multiprocessing.Process(target=steady, args=(args, result))
    client.start()
    latencies, refused = result.get()
    client.join()
    stop.set()
    if beside:
        flooder.join()
    if refused:
        sys.exit(f"{refused} tokens of the steady client were refused")
    return statistics.median(latencies), p99(latencies)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--secret-file", required=True)
    for name in ("pairs", "seconds", "rate", "flood"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--ways", required=True)
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    pairs = []
    for n in range(args.pairs):
        order = (False, True) if n % 2 == 0 else (True, False)
        told = {beside: measure(args, beside, 1000 * (n + 1)) for beside in order}
        pairs.append(told)
        print(f"pair {n + 1}: p99 alone {told[False][1] * 1000:.2f} ms, "
              f"beside {told[True][1] * 1000:.2f} ms", flush=True)
    for name, i in (("p50", 0), ("p99", 1)):
        ratio = statistics.median(told[True][i] / told[False][i] for told in pairs)
        alone = statistics.median(told[False][i] for told in pairs)
        print(f"{name}: alone {alone * 1000:.2f} ms, beside the flood {ratio:.3f} times that")
    print(json.dumps({"pairs": len(pairs)}))


if __name__ == "__main__":
    main()
