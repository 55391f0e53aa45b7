#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154  # pid_b is stop_node's
# The disk under PostgreSQL is full, or broken, while a client asks: its data, its log, the log's
# sync.  Meanwhile nothing but 503 with Retry-After and no token without a row, and when the disk is
# good again tokens flow by themselves.  The node's own disk counts too: without its mark it does
# not issue.
#
# STIPA_BREAKS sets how often it breaks: 4 times as a rule, each way once; "make check-disk-long" takes
# 40, at random, for longer and in two more ways.  STIPA_SEED repeats a run.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

: "${STIPA_BREAKS:=4}"
: "${STIPA_SEED:=$(date +%s)}"
ENOSPC=28
EIO=5

# What a service manager does, as long as the test lasts.
keep_the_database()
{
	while [ -d "$dir" ] && [ ! -e "$dir/enough" ]; do
		as_postgres "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1 ||
			as_postgres env $shimmed "$bin/pg_ctl" -D "$dir/data" -o "$options" \
				-l "$dir/log" -t 5 -w start >/dev/null 2>&1
		sleep 0.2
	done
}

database_with_that_disk()
{
	database_stop || return 1
	options="$options -c wal_recycle=off -c max_wal_size=64MB -c checkpoint_timeout=30s"
	keep_the_database &
	keeping=$!
	wait_for statements_are_taken
}

statements_are_taken()
{
	sql -c "SELECT 1" >/dev/null 2>&1
}

# Whatever is in the way of the next insert: a new page, a new segment of the log.
wants_room()
{
	sql -c "SELECT pg_switch_wal()" -c "CHECKPOINT" >/dev/null 2>&1
	return 0
}

# The database takes statements again: from then on the service has its time.
back_now()
{
	wait_for sql -c "CREATE TEMP TABLE room ()" >/dev/null 2>&1 && date +%s.%N
}

# broken NAME WHAT ERRNO PART [SECONDS]: for 2 s and more; then for how long nobody gets a token.
broken()
{
	since=$(date +%s.%N)
	hits=$(shim_hits)
	shim_set "$2" "$3" "$4"
	wants_room &
	room=$!
	wait_for is_answered 503 "$port_a" >/dev/null
	is_503_with_retry_after || { echo "  $1: $(head -1 "$dir/asked.head")"; return 1; }
	sleep "${5:-2}"
	[ "$(ask "$port_a")" = 503 ] || { echo "  $1: issues while it fails"; return 1; }
	[ "$(shim_hits)" -gt "$hits" ] || { echo "  $1: nothing was made to fail"; return 1; }
	shim_set "$2" 0
	wait "$room"
	good=$(date +%s.%N)
	asks_until 200 "$port_a" >/dev/null || { echo "  $1: does not come back"; return 1; }
	echo "$1 $since $(back_now)" >>"$dir/faults"
	echo "$1 $(seconds_since "$good")" >>"$dir/back"
}

# Each way once, or so many of all at random: its name, what fails how and where, seconds.
breaks()
{
	"$STIPA_PYTHON" -c "import random
random.seed('$STIPA_SEED')
ways = ['data-full write $ENOSPC /base/', 'log-full write $ENOSPC pg_wal',
        'log-io write $EIO pg_wal', 'log-sync sync $EIO pg_wal']
for way in ways:
    print(way, 2)
for _ in range($STIPA_BREAKS - len(ways)):
    way = random.choice(ways + ['data-io write $EIO /base/', 'data-sync sync $EIO /base/'])
    print(way, round(random.uniform(0.5, 6), 1))"
}

the_disk_fails()
{
	: >"$dir/faults"
	breaks >"$dir/breaks"
	stream disk --per-job 2 --pause 0.005 --seconds $((STIPA_BREAKS * 60 + 300)) "$port_a"
	wait_for is_answered 200 "$port_a" && broke=0 || broke=1
	while [ "$broke" = 0 ] && read -r name what errno part seconds; do
		broken "$name" "$what" "$errno" "$part" "$seconds" || broke=1
	done <"$dir/breaks"
	sleep 1
	stream_end && [ "$broke" = 0 ]
}

the_log_and_the_ledger_agree()
{
	print_ledger &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$stream_log" "$dir/ledger" \
		--faults "$dir/faults" --back-within 20 &&
	statuses "$stream_log" >"$dir/statuses" && echo "  $(cat "$dir/statuses")"
	# never another answer, and each 503 says when to come again
	! grep -v '"status": 200' "$stream_log" |
		grep -vE '"status": 503, "retry_after": "[0-9]+"' | head -3 | grep .
}

# The control: the same log against a ledger that the fault has cost a row.
a_row_that_the_disk_lost_is_noticed()
{
	received=$(grep -m 1 '"status": 200' "$stream_log" | "$STIPA_PYTHON" -c "import base64, json, sys
part = json.loads(sys.stdin.readline())['token'].split('.')[1]
print(json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))['jti'])") &&
	grep -v "$received" "$dir/ledger" >"$dir/ledger.short" &&
	! "$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$stream_log" \
		"$dir/ledger.short" >"$dir/control" &&
	grep -q "FAULT: $received" "$dir/control"
}

# ---- the node's own disk ----

a_node_on_that_disk()
{
	node_conf b "$port_b" && shim_page "$dir/page-b" || return 1
	# shellcheck disable=SC2086 # several words
	env $shimmed ./stipad --config "$dir/b.conf" >>"$dir/b.log" 2>&1 &
	pid_b=$!
	nodes="$nodes $!"
	wait_ready b
}

without_its_mark_it_does_not_issue()
{
	shim_set sync $EIO ''
	since=$(date +%s.%N)
	wait_for is_answered 503 "$port_b" &&
	is_503_with_retry_after && stopped=$(seconds_since "$since") &&
	wait_for grep -q "the mark cannot be written: .*state-b/mark: Input/output error" \
		"$dir/b.log" &&
	shim_set sync 0 && marked=$(asks_until 200 "$port_b")
}

slowest_of_each()
{
	awk '$2 > most[$1] { most[$1] = $2 } END { for (name in most) print name, most[name] }' \
		"$dir/back" | sort | tr '\n' ' '
}

echo "seed: $STIPA_SEED, breaks: $STIPA_BREAKS"
start_postgres fsync=on
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Accounts are made" make_accounts 3
run_step "The disk can be broken" shim_made
run_step "The database is on it" database_with_that_disk
run_step "A node is ready" start_node a "$port_a"
run_step "The disk fails and recovers, and so does the service" the_disk_fails
run_step "What the client received is what the ledger holds" the_log_and_the_ledger_agree
run_step "The control: a lost row is noticed" a_row_that_the_disk_lost_is_noticed
run_step "A second node has that disk itself" a_node_on_that_disk
run_step "A node that cannot write its mark stops" without_its_mark_it_does_not_issue
echo "I9 holds: through $STIPA_BREAKS failing disks ($(cat "$dir/statuses")) nothing but 200, and 503 with" \
	"Retry-After | control: a ledger that lacks one row is found"
echo "I14 holds: with the log full, failing, or not synced no token without its row; without its" \
	"mark a node stopped within $stopped s | control: a ledger that lacks one row is found"
echo "I16 holds: after the disk was good again, a token within seconds:" \
	"$(slowest_of_each)(with the mark: $marked s) | control: 2 s later, the disk still failing, it was 503 each time"
: >"$dir/enough"
wait "$keeping"
run_step "The first node drains" stop_node a
run_step "The second node drains" stop_node b
