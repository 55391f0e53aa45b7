#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast a token is, beside yardsticks in the same run: make bench
#
# Each round measures, one after the other: P-256 signatures of one core (openssl speed), nginx
# answering 1 KiB over TLS with keep-alive, rows of the ledger's size inserted 64 at a time
# (pgbench), and stipad issuing durable tokens.  The floor is what no token authority can do
# without: one signature, one TLS request, one batched row; "ratio to the floor" is our CPU time for
# a token, of edge, authority and PostgreSQL together, over theirs.
#
# Wall figures move with the machine's other work; CPU time and ratios within a round are what to
# trust.  BENCH_ROUNDS (5) rounds of BENCH_SECONDS (4) a measurement; BENCH_CONNECTIONS ("64 256").
. "${srcdir:-.}/tests/bench/stand.sh"

: "${BENCH_ROUNDS:=5}" "${BENCH_SECONDS:=4}" "${BENCH_CONNECTIONS:=64 256}"
export BENCH_ROUNDS BENCH_SECONDS BENCH_CONNECTIONS

need wrk wrk
need nginx nginx-core
need h2load nghttp2-client
need pgbench postgresql-contrib
start_seasoned_postgres || fail "PostgreSQL does not start"
trap stop_all EXIT
make_authority || fail "no authority"
make_account 1 1001 || fail "no account"
start_nginx || fail "nginx does not start"
start_pinned_node || fail "the node does not start"
tell_stand
BENCH_NGINX=$(pgrep -P "$nginx_pid")
BENCH_NGINX_URL="https://127.0.0.1:$nginx_port/1k"
export BENCH_NGINX BENCH_NGINX_URL
"$STIPA_PYTHON" -B "$srcdir/tests/bench/rounds.py" || fail "the benchmark"
