#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# A node that stands still (SIGSTOP) at a random moment while rights are taken away: its authority
# alone, all of it, or its session in the database with the lock in its hand.  The suspension is
# acknowledged in time, the other node goes on, and when the frozen one goes on too, no ledger row
# follows.  The control: a session that may not be ended holds a suspension up for as long as it
# likes.
#
# STIPA_SEED repeats a run.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

: "${STIPA_SEED:=$(date +%s)}"
rounds=6
# One to end what stands still after 2 s; the rest is for a machine that has other work.  That it is
# acknowledged at all while the node still stands shows that it waits for nobody.
in_time_s=20

make_accounts()
{
	for i in $(seq "$((rounds + 1))"); do
		make_account "$i" "$((1000 + i))" || return 1
		echo "sp-$i client-$i $dir/secret-$i $((1000 + i)) false" >>"$dir/jobs"
	done
}

sleep_at_random()
{
	sleep "$("$STIPA_PYTHON" -c "import random
random.seed('$STIPA_SEED-$1'); print(round(random.uniform(0.1, 0.6), 3))")"
}

# What of node a stands still in round $1, as process ids.
victims()
{
	case $(($1 % 3)) in
	0) children_named "$pid_a" authority ;;
	1) children_named "$pid_a" '' ;;
	2) sql -c "SELECT pid FROM pg_stat_activity WHERE usename = 'stipa_authority'
		AND query LIKE '%issue_tokens%' ORDER BY backend_start LIMIT 1" ;;
	esac
}

# A session is frozen by its server process: as if its node had gone in the middle of a batch.
freeze()
{
	frozen=$(victims "$1") && [ -n "$frozen" ] || { echo "nobody to freeze"; return 1; }
	# shellcheck disable=SC2086
	kill -STOP $frozen
}

thaw()
{
	# shellcheck disable=SC2086
	kill -CONT $frozen 2>/dev/null
	frozen=
}

now()
{
	date +%s.%N
}

# since TIME: seconds, to the millisecond.
since()
{
	echo "$(now) $1" | awk '{ printf "%.3f", $1 - $2 }'
}

# Tokens of another account from node b after this moment.
other_node_goes_on()
{
	wait_for received_from_b_after "$1" || { echo "node b stands still too"; return 1; }
}

received_from_b_after()
{
	tail -n 200 "$dir/stream.log" | "$STIPA_PYTHON" -c "import json, sys
for line in sys.stdin:
    try: line = json.loads(line)
    except ValueError: continue
    if line['status'] == 200 and line['port'] == $port_b and line['asked'] > $1: sys.exit(0)
sys.exit(1)"
}

rows_of()
{
	sql -c "SELECT count(*) FROM stipa.token WHERE spc = '$((1000 + $1))'"
}

has_rows()
{
	[ "$(rows_of "$1")" -gt 0 ]
}

# The server process may not be ended while it stands still: it hears of its end as it goes on.  A
# suspension that waits for it would wait for ever, so that it goes on after the time to end it.
suspend_in_time()
{
	begun=$(now)
	if [ $(($1 % 3)) = 2 ]; then
		{ sleep 3; thaw; } &
	fi
	timeout 60 ./stipactl --config "$dir/stipactl.conf" account suspend "sp-$1" --reason test \
		>"$dir/act.out" 2>&1 || { cat "$dir/act.out"; return 1; }
	took=$(since "$begun")
	echo "$took" >>"$dir/took"
	[ "${took%.*}" -lt "$in_time_s" ] || { echo "acknowledged after $took s"; return 1; }
}

one_round()
{
	wait_for has_rows "$1" && sleep_at_random "$1"
	wait_for freeze "$1" && suspend_in_time "$1"
	done=$?
	rows=$(rows_of "$1")
	[ "$done" = 0 ] && other_node_goes_on "$(now)"
	done=$?
	thaw
	echo "$1 $rows" >>"$dir/seen"
	[ "$done" = 0 ] && wait_ready a
}

freeze_and_suspend()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/stream.log" --jobs "$dir/jobs" --until "$dir/stop" --seconds 900 \
		--pause 0.005 "$port_a" "$port_b" &
	client=$!
	survived=0
	for i in $(seq "$rounds"); do
		one_round "$i" || { survived=1; break; }
	done
	sleep 1
	: >"$dir/stop"
	wait "$client" && [ "$survived" = 0 ] && [ "$(wc -l <"$dir/took")" = "$rounds" ]
}

no_row_follows()
{
	while read -r i rows; do
		more=$(sql -c "SELECT count(*) - $rows FROM stipa.token WHERE spc = '$((1000 + i))'")
		[ "$rows" -gt 0 ] && [ "$more" = 0 ] || { echo "sp-$i: $rows and $more"; return 1; }
	done <"$dir/seen"
	longest=$(sort -n "$dir/took" | tail -1)
	echo "  the slowest suspension was acknowledged after $longest s"
}

the_ledger_is_consistent()
{
	ledger_is_consistent "$dir/stream.log"
}

somebody_holds()
{
	[ "$(sql -c "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND granted AND usename = 'postgres'")" != 0 ]
}

# A superuser's session is nobody's to end.
what_cannot_be_ended_holds_up()
{
	mkfifo "$dir/holder" && { sql <"$dir/holder" >/dev/null & holder=$!; }
	exec 8>"$dir/holder"
	echo "BEGIN; SELECT pg_advisory_xact_lock_shared(stipa.rights_lock());" >&8
	wait_for somebody_holds || return 1
	{ sleep 9; echo "COMMIT;" >&8; } &
	letting_go=$!
	begun=$(now)
	ctl account suspend "sp-$((rounds + 1))" --reason test >/dev/null 2>&1
	held=$(since "$begun")
	exec 8>&-
	wait "$letting_go" "$holder"
	echo "  held up for $held s"
	[ "${held%.*}" -ge 6 ]
}

echo "seed: $STIPA_SEED"
start_postgres fsync=on
trap 'thaw; stop_all' EXIT
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "Node a is ready" start_node a "$port_a"
run_step "Node b is ready" start_node b "$port_b"
run_step "Each suspension is acknowledged in time, and node b goes on" freeze_and_suspend
run_step "No ledger row follows" no_row_follows
run_step "The whole ledger is consistent" the_ledger_is_consistent
run_step "The control: what cannot be ended holds a suspension up" what_cannot_be_ended_holds_up
echo "I4 holds: $rounds suspensions while a node stood still, the slowest acknowledged after" \
	"$longest s, no ledger row follows | control: a session that may not be ended held one up" \
	"for $held s"
run_step "Node a drains" stop_node a
run_step "Node b drains" stop_node b
