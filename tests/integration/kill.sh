#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# A client with its own log while an edge, the authority, a backend and the postmaster of
# PostgreSQL are killed with SIGKILL at random moments.  Every token that it received is in the
# ledger with the same signing input, none twice; it saw nothing but 503 or a dropped connection,
# and the service came back by itself.
#
# STIPA_KILLS sets how many (8 as a rule; "make check-kill-long" takes 100), STIPA_SEED repeats a run.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

: "${STIPA_KILLS:=8}"
: "${STIPA_SEED:=$(date +%s)}"

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

# A place whose process has just died may be empty for a moment.
pid_of_one()
{
	for _ in $(seq 50); do
		children_named "$pid_a" "$1" | one_of | grep . && return
		sleep 0.1
	done
	return 1
}

kill_an_edge()
{
	victim=$(pid_of_one edge) && kill -9 "$victim"
}

kill_the_authority()
{
	victim=$(pid_of_one authority) && kill -9 "$victim"
}

# The postmaster starts all of its processes anew and recovers.
kill_a_backend()
{
	victim=$(sql -c "SELECT pid FROM pg_stat_activity WHERE usename = 'stipa_authority' LIMIT 1")
	[ -n "$victim" ] && kill -9 "$victim" && wait_for_the_database
}

# What would start it again in production, a service manager, is this loop.
kill_the_postmaster()
{
	kill -9 "$(head -1 "$dir/data/postmaster.pid")"
	for _ in $(seq 100); do
		as_postgres "$bin/pg_ctl" -D "$dir/data" -o "$options" -l "$dir/log" -w start \
			>/dev/null 2>&1 && wait_for_the_database && return
		sleep 0.1
	done
	return 1
}

wait_for_the_database()
{
	for _ in $(seq 300); do
		sql -c "SELECT 1" >/dev/null 2>&1 && back=$(date +%s.%N) && return
		sleep 0.1
	done
	return 1
}

# make_fault KIND, and note when it was and when the database was there again.
make_fault()
{
	since=$(date +%s.%N)
	back=$since
	case $1 in
	edge) kill_an_edge ;;
	authority) kill_the_authority ;;
	backend) kill_a_backend ;;
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
		for kind in edge authority backend postmaster; do
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
	for _ in $(seq 100); do
		sleep 0.1
		tail -n 50 "$dir/client.log" | "$STIPA_PYTHON" -c "import json, sys
for line in sys.stdin:
    try: line = json.loads(line)
    except ValueError: continue
    if line['status'] == 200 and line['asked'] > $made: sys.exit(0)
sys.exit(1)" && return
	done
	echo "  no token within 10 s of the fault at $since ($kind)"
	return 1
}

stream_through_the_kills()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/client.log" --jobs "$dir/jobs" --until "$dir/stop" \
		--seconds $((STIPA_KILLS * 20 + 20)) --per-job 2 "$port_a" &
	client=$!
	sleep 1
	kill_at_random
	survived=$?
	sleep 1
	: >"$dir/stop"
	wait "$client" && [ "$survived" = 0 ]
}

print_ledger()
{
	sql -c "SELECT row_to_json(row) FROM (SELECT token.*, signer_certificate.x5u
		FROM stipa.token JOIN stipa.signer_certificate USING (kid)) AS row" >"$1"
}

the_log_and_the_ledger_agree()
{
	print_ledger "$dir/ledger" &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$dir/client.log" "$dir/ledger" \
		--faults "$dir/faults"
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
		"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$dir/client.log" \
			"$dir/ledger.$ledger" >"$dir/control" && return 1
		grep -q "FAULT: $received" "$dir/control" || return 1
	done
}

echo "seed: $STIPA_SEED, kills: $STIPA_KILLS"
start_postgres fsync=on
trap stop_all EXIT
yes "$STIPA_SEED" | head -c 65536 >"$dir/seed"
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "A node is ready" start_node a "$port_a"
run_step "Tokens flow again after every kill" stream_through_the_kills
run_step "What the client received is what the ledger holds" the_log_and_the_ledger_agree
run_step "The control: a missing or changed row is noticed" a_lost_row_is_noticed
run_step "The node drains" stop_node a
