#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rounds of bench.sh, and what came out: medians over the rounds."""
import os
import statistics

import measure

ROUNDS = int(os.environ["BENCH_ROUNDS"])
SECONDS = int(os.environ["BENCH_SECONDS"])
CONNECTIONS = [int(n) for n in os.environ["BENCH_CONNECTIONS"].split()]


def nginx_round():
    pid, url = int(os.environ["BENCH_NGINX"]), os.environ["BENCH_NGINX_URL"]
    before = measure.cpu_us(pid)
    answers, rate, _, _ = measure.wrk(url, SECONDS, 64)
    return rate, (measure.cpu_us(pid) - before) / answers


def one_round():
    signatures = measure.signatures_per_s()
    nginx, nginx_us = nginx_round()
    row_us = measure.rows_us(SECONDS)
    yard = {"signatures": signatures, "nginx": nginx, "nginx_us": nginx_us, "row_us": row_us,
            "floor": 1e6 / signatures + nginx_us + row_us}
    ours = {n: measure.tokens(SECONDS, n) for n in CONNECTIONS}
    for figures in ours.values():
        figures["us"] = figures["edge"] + figures["authority"] + figures["postgres"]
        figures["ratio"] = figures["us"] / yard["floor"]
        figures["of_nginx"] = figures["tokens"] / nginx
    return yard, ours


def median(rows, name):
    return statistics.median(row[name] for row in rows)


def report(rounds):
    yard = [one for one, _ in rounds]
    print(f"rounds {len(rounds)}, {SECONDS} s a measurement; medians")
    print(f"P-256 signatures/s of a core     {median(yard, 'signatures'):9.0f}")
    print(f"nginx 1 KiB over TLS, requests/s {median(yard, 'nginx'):9.0f}"
          f"  {median(yard, 'nginx_us'):6.1f} us CPU")
    print(f"a row of a batch of {measure.BATCH}            {'':9}"
          f"  {median(yard, 'row_us'):6.1f} us CPU")
    print(f"floor: signature, request, row   {'':9}  {median(yard, 'floor'):6.1f} us CPU")
    for n in CONNECTIONS:
        rows = [ours[n] for _, ours in rounds]
        print(f"durable tokens, {n} connections")
        print(f"  tokens/s {median(rows, 'tokens'):.0f}, of nginx {median(rows, 'of_nginx'):.2f}; "
              f"p50 {median(rows, 'p50'):.1f} ms, p99 {median(rows, 'p99'):.1f} ms; "
              f"{median(rows, 'batch'):.0f} tokens a commit")
        print(f"  CPU us a token: edge {median(rows, 'edge'):.1f}, "
              f"authority {median(rows, 'authority'):.1f}, "
              f"PostgreSQL {median(rows, 'postgres'):.1f}, all {median(rows, 'us'):.1f}")
        print(f"  ratio to the floor {median(rows, 'ratio'):.2f}")


def fixed_rates(saturated):
    """Latency where the load does not wait for the service."""
    print("fixed rates, 64 connections:")
    for share in (0.25, 0.5, 0.75):
        rate = saturated * share
        answers, p50, p99 = measure.h2load(measure.TOKEN_URL, SECONDS, 64, rate)
        print(f"  {rate:6.0f} tokens/s ({share:.0%} of saturation): "
              f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {answers} answers")


def main():
    measure.rows_make()
    measure.wrk(measure.TOKEN_URL, 2, 64, "token.lua")  # plans and caches are warm
    rounds = [one_round() for _ in range(ROUNDS)]
    report(rounds)
    fixed_rates(median([ours[CONNECTIONS[0]] for _, ours in rounds], "tokens"))


main()
