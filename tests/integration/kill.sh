#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# A client with its own log, and an operator with theirs, while an edge, the authority, the monitor,
# and a backend, the WAL writer and the postmaster of PostgreSQL are killed with SIGKILL at random
# moments.  Every token that the client received is in the ledger with the same signing input, none
# twice; every act that was acknowledged stands; the client saw nothing but 503 or a dropped
# connection, and the service came back by itself.
#
# STIPA_KILLS sets how many (6 as a rule; "make check-kill-long" takes 100), STIPA_SEED repeats a run.
# STIPA_LIMITS says how long nobody may get a token after a kill of a kind, as in "edge=1 backend=6";
# without it, as on a machine that does other things too, it is 15 s, from the database's recovery on.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

: "${STIPA_KILLS:=6}"
: "${STIPA_SEED:=$(date +%s)}"
: "${STIPA_LIMITS:=}"
back_within=15
[ -z "$STIPA_LIMITS" ] || back_within=6

make_accounts()
{
	for i in 1 2 3; do
		make_account "$i" "100$i" || return 1
		echo "sp-$i client-$i $dir/secret-$i 100$i false"
	done >"$dir/jobs"
}

one_of()
{
	shuf -n 1 --random-source="$dir/seed"
}

# kill_one COMMAND...: what it names.  A place whose process has just died may be empty for a moment.
kill_one()
{
	victim=$("$@" | one_of) && [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null
}

kill_an_edge()
{
	wait_for kill_one children_named "$pid_a" edge
}

kill_the_authority()
{
	wait_for kill_one children_named "$pid_a" authority
}

# Its children go with it.  What would start it again in production, a service manager, is this: it
# waits for them too.
kill_the_monitor()
{
	all=$(descendants "$pid_a")
	kill -9 "$pid_a" && wait "$pid_a" 2>/dev/null
	wait_for are_gone "$all" && start_node a "$port_a" && back=$(date +%s.%N)
}

# The postmaster starts all of its processes anew and recovers.
kill_the_wal_writer()
{
	wait_for kill_one sql \
		-c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'" &&
	wait_for_the_database
}

kill_a_backend()
{
	wait_for kill_one sql \
		-c "SELECT pid FROM pg_stat_activity WHERE usename = 'stipa_authority' LIMIT 1" &&
	wait_for_the_database
}

kill_the_postmaster()
{
	kill -9 "$(head -1 "$dir/data/postmaster.pid")"
	start_it_again
}

# What would in production, a service manager, is this loop.
start_it_again()
{
	wait_for as_postgres "$bin/pg_ctl" -D "$dir/data" -o "$options" -l "$dir/log" -w start \
		>/dev/null 2>&1 && wait_for_the_database
}

wait_for_the_database()
{
	wait_for sql -c "SELECT 1" >/dev/null 2>&1 && back=$(date +%s.%N)
}

# make_fault KIND, and note when it was and when the database was there again.
make_fault()
{
	since=$(date +%s.%N)
	back=$since
	case $1 in
	edge) kill_an_edge ;;
	authority) kill_the_authority ;;
	monitor) kill_the_monitor ;;
	backend) kill_a_backend ;;
	walwriter) kill_the_wal_writer ;;
	postmaster) kill_the_postmaster ;;
	esac || return 1
	echo "$1 $since $back" >>"$dir/faults"
	made=$(date +%s.%N)
}

# Each kind in turn, at a moment nobody planned.
kill_at_random()
{
	: >"$dir/faults"
	n=0
	while [ "$n" -lt "$STIPA_KILLS" ]; do
		for kind in edge authority monitor backend walwriter postmaster; do
			sleep "$("$STIPA_PYTHON" -c "import random
random.seed('$STIPA_SEED-$n'); print(round(random.uniform(0.3, 1.6), 3))")"
			make_fault "$kind" && wait_for_a_token || return 1
			n=$((n + 1))
		done
	done
}

# One fault at a time: the next comes when tokens flow again.
wait_for_a_token()
{
	wait_for received_after "$made" ||
		{ echo "  no token since the fault at $since ($kind)"; return 1; }
}

received_after()
{
	tail -n 50 "$dir/client.log" | "$STIPA_PYTHON" -c "import json, sys
for line in sys.stdin:
    try: line = json.loads(line)
    except ValueError: continue
    if line['status'] == 200 and line['asked'] > $1: sys.exit(0)
sys.exit(1)"
}

# An act after the other; those that were acknowledged are noted.  Two fall short: those that a
# crash has undone, and those of which it left the operator in doubt.
act_through_the_kills()
{
	act=0
	while [ -d "$dir" ] && [ ! -e "$dir/stop" ]; do
		act=$((act + 1))
		ctl account alias sp-1 "act-$act" >/dev/null 2>&1 && echo "act-$act" >>"$dir/acts"
		sleep 0.1
	done
}

stream_through_the_kills()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/client.log" --jobs "$dir/jobs" --until "$dir/stop" \
		--seconds $((STIPA_KILLS * 60 + 120)) --per-job 2 "$port_a" &
	client=$!
	act_through_the_kills &
	operator=$!
	wait_for test -s "$dir/client.log" && wait_for received_after 0 && kill_at_random
	survived=$?
	sleep 1
	: >"$dir/stop"
	wait "$operator"
	wait "$client" && [ "$survived" = 0 ]
}

print_ledger()
{
	sql -c "SELECT row_to_json(row) FROM (SELECT token.*, signer_certificate.x5u
		FROM stipa.token JOIN stipa.signer_certificate USING (kid)) AS row" >"$1"
}

the_log_and_the_ledger_agree()
{
	print_ledger "$dir/ledger" && hold_against "$dir/client.log" "$dir/ledger" >"$dir/summary"
	agree=$?
	cat "$dir/summary"
	return "$agree"
}

# hold_against LOG LEDGER [OPTION...]: with code that shares nothing with the service.
hold_against()
{
	log=$1 ledger=$2
	shift 2
	# shellcheck disable=SC2086  # each limit is a word
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$log" "$ledger" \
		--faults "$dir/faults" --back-within $back_within --limits $STIPA_LIMITS "$@"
}

the_whole_ledger_is_consistent()
{
	ledger_is_consistent "$dir/client.log"
}

# The control: a ledger with one row taken away or changed must not pass.
a_lost_row_is_noticed()
{
	received=$("$STIPA_PYTHON" -c "import base64, json
for line in open('$dir/client.log'):
    token = json.loads(line)['token']
    if token:
        part = token.split('.')[1]
        print(json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))['jti'])
        break")
	grep -v "$received" "$dir/ledger" >"$dir/ledger.short"
	sed "/$received/s/\"ca\":false/\"ca\":true/" "$dir/ledger" >"$dir/ledger.changed"
	for ledger in short changed; do
		hold_against "$dir/client.log" "$dir/ledger.$ledger" >"$dir/control" && return 1
		grep -q "FAULT: $received" "$dir/control" || return 1
	done
}

# Every alias that an operator was told of is there, and its event with it.
acknowledged_acts_stand()
{
	acts=$(wc -l <"$dir/acts")
	sql -c "SELECT alias FROM stipa.account_alias JOIN stipa.audit_event
		ON action = 'alias_add' AND evidence->>'alias' = alias" | sort >"$dir/standing"
	sort "$dir/acts" | comm -23 - "$dir/standing" | grep . && return 1
	echo "  $acts acts acknowledged, $(wc -l <"$dir/standing") stand"
	[ "$acts" -gt 0 ]
}

# The control: a session that does not wait for its commits is told of rows that a kill undoes;
# unless something else has flushed them just then, so that it may take another try.
unsafe_rows_are_lost()
{
	sql -c "CREATE TABLE public.unsafe (n int)" || return 1
	for _ in 1 2 3; do
		told=$({ echo "SET synchronous_commit = off; TRUNCATE public.unsafe;"
			for row in $(seq 20); do
				echo "INSERT INTO public.unsafe VALUES ($row) RETURNING n;"
			done; } | sql | wc -l) &&
		kill_the_postmaster && kept=$(sql -c "SELECT count(*) FROM public.unsafe") ||
			return 1
		echo "  $told rows acknowledged, $kept stand"
		[ "$told" = 20 ] && [ "$kept" -lt 20 ] && return
	done
	return 1
}

# A log with one answer in it that may not be.  log_with STATUS RETRY-AFTER AT
log_with()
{
	cat "$dir/client.log"
	echo "{\"asked\": $3, \"at\": $3, \"status\": $1, \"retry_after\": $2, \"token\": null}"
}

# The control: 500 at any time, 503 without Retry-After, and 503 before the first fault.
wrong_answers_are_noticed()
{
	first=$(head -1 "$dir/faults" | cut -d ' ' -f 2)
	log_with 500 '"1"' "$first" >"$dir/log.500"
	log_with 503 null "$first" >"$dir/log.bare"
	log_with 503 '"1"' "$(echo "$first" | sed 's/^\(.*\)\./\1 ./' | awk '{ print $1 - 5 }')" \
		>"$dir/log.early"
	for wrong in 500 bare early; do
		hold_against "$dir/log.$wrong" "$dir/ledger" >"$dir/control" && return 1
		grep -q "FAULT: status" "$dir/control" || return 1
	done
}

# The control: with a limit that nobody meets, every outage is noticed.
outages_are_noticed()
{
	hold_against "$dir/client.log" "$dir/ledger" --back-within 0.002 >"$dir/control" && return 1
	grep -q "FAULT: .*: without a token from" "$dir/control" || return 1
	for kind in edge authority monitor backend walwriter postmaster; do
		hold_against "$dir/client.log" "$dir/ledger" --limits "$kind=0.0005" \
			>"$dir/control" && return 1
		grep -q "FAULT: $kind: without a token from" "$dir/control" || return 1
	done
}

the_invariants()
{
	tokens=$(sed -n 's/^tokens received: //p' "$dir/ledger-check")
	faults=$(wc -l <"$dir/faults")
	told_503=$(grep -c '"status": 503' "$dir/client.log")
	echo "I1 holds: $tokens tokens received through $faults kills, each in the ledger," \
		"byte for byte | control: a row taken away and a row changed are noticed"
	echo "I2 holds: $tokens tokens and $acts acts acknowledged through $faults kills stand" \
		"| control: without waiting for commits, $kept of $told rows stand"
	echo "I5 holds: $(sed -n 's/^ledger rows judged: //p' "$dir/ledger-check") rows written" \
		"through $faults kills, no jti twice | control: ledger_check forges a second row of one"
	echo "I16 holds: tokens flowed again by themselves within $back_within s of each of $faults kills, of" \
		"the database's from its recovery on ($(sed -n 's/^.*without a token: //p' \
			"$dir/summary"); limits from the kill on: ${STIPA_LIMITS:-none in a short run}) |" \
		"control: held against 0.5 ms, outages of every kind are noticed"
	echo "I9 holds: $told_503 answers 503, all with Retry-After and within $back_within s of one of" \
		"$faults faults, no other 5xx | control: a 500, a bare 503 and an early 503 are noticed"
}

echo "seed: $STIPA_SEED, kills: $STIPA_KILLS"
start_postgres fsync=on wal_writer_delay=10s
trap stop_all EXIT
yes "$STIPA_SEED" | head -c 65536 >"$dir/seed"
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "A node is ready" start_node a "$port_a"
run_step "Tokens flow again after every kill" stream_through_the_kills
run_step "What the client received is what the ledger holds" the_log_and_the_ledger_agree
run_step "The control: a missing or changed row is noticed" a_lost_row_is_noticed
run_step "The control: an answer that may not be is noticed" wrong_answers_are_noticed
run_step "The control: an outage is noticed" outages_are_noticed
run_step "Every acknowledged act stands" acknowledged_acts_stand
run_step "The whole ledger is consistent" the_whole_ledger_is_consistent
run_step "The node drains" stop_node a
run_step "The control: what does not wait for its commit is lost" unsafe_rows_are_lost
run_step "The invariants" the_invariants
