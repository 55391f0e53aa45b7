#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a flood of guesses and logins weighs on the token path: make bench-floods
#
# Pairs of measurements, one after the other: the latency of a steady client that asks for tokens
# at BENCH_RATE (50) a second, alone, and beside a flood from many addresses of BENCH_FLOOD (100) a
# second, of the kinds in BENCH_WAYS: basic, login (passwords of our form), chosen (argon2id).  The
# order within a pair changes from pair to pair.  What counts is the median over the pairs of
# "beside" / "alone": wall figures move with the machine's other work, the ratio within a pair less.
# BENCH_PAIRS (9) of BENCH_SECONDS (6) each.
#
# Chosen passwords keep cores busy, in the idle class.  Where client, database and node share two
# cores, compare with "alone" beside any other load of that class (chrt -i 0).
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

: "${BENCH_PAIRS:=9}" "${BENCH_SECONDS:=6}" "${BENCH_RATE:=50}" "${BENCH_FLOOD:=100}"
: "${BENCH_WAYS:=basic,login}"

start_postgres fsync=on
trap stop_all EXIT
make_authority || fail "no authority"
quietly make_demo || fail "no account"
start_node a "$port_a" || fail "the node does not start"
"$STIPA_PYTHON" -B "$srcdir/tests/bench/floods.py" --ca "$dir/tls/ca.pem" \
	--secret-file "$dir/secret-demo-kms" --pairs "$BENCH_PAIRS" --seconds "$BENCH_SECONDS" \
	--rate "$BENCH_RATE" --flood "$BENCH_FLOOD" --ways "$BENCH_WAYS" "$port_a"
