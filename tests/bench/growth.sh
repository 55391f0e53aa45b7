#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a token costs as the service grows: make bench-growth
#
# CPU time for a token of edge, authority and PostgreSQL, with accounts from 10^3 to 10^6 (each
# token for another one, drawn from all), with a ledger from 10^4 to 10^7 rows, and with 10 to
# 10,000 connections at a fixed rate.  Beside each figure stands a P-256 signature of that moment,
# which carries the machine's mood; "growth" is the figure over the first of its column, both in
# signatures.  BENCH_SECONDS (6) a measurement, BENCH_REPEAT (3) of each, the median; BENCH_ACCOUNTS,
# BENCH_LEDGER and BENCH_CONNECTIONS (exponents: 6, 7, 4) for less, 0 for none of an axis.  Needs some
# 10 GB and half an hour.
. "${srcdir:-.}/tests/bench/stand.sh"

: "${BENCH_SECONDS:=6}" "${BENCH_REPEAT:=3}"
: "${BENCH_ACCOUNTS:=6}" "${BENCH_LEDGER:=7}" "${BENCH_CONNECTIONS:=4}"
export BENCH_CONNECTIONS BENCH_SECONDS BENCH_REPEAT BENCH_ACCOUNTS BENCH_LEDGER

need wrk wrk
need h2load nghttp2-client
files=$(prlimit --pid $$ --nofile --output HARD --noheadings | tr -d ' ')
prlimit --pid $$ --nofile="$files" || fail "no $files descriptors"
[ "$files" = unlimited ] || [ "$files" -ge 12000 ] ||
	fail "10,000 connections need 12,000 descriptors"
# What autovacuum would do at some moment, growth.py does between two points.
start_seasoned_postgres autovacuum=off || fail "PostgreSQL does not start"
trap stop_all EXIT
make_authority || fail "no authority"
make_account 1 1001 || fail "no account"
start_pinned_node || fail "the node does not start"
tell_stand
"$STIPA_PYTHON" -B "$srcdir/tests/bench/growth.py" || fail "the benchmark"
