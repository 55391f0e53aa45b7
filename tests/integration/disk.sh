#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154  # pid_b is stop_node's
# The disk under PostgreSQL is full, or broken, while a client asks: its data, its log, the log's
# sync.  Meanwhile nothing but 503 with Retry-After and no token without a row, and when the disk is
# good again tokens flow by themselves.  The node's own disk counts too: without its mark it does
# not issue.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

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
	for _ in $(seq 100); do
		sql -c "SELECT 1" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
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
	for _ in $(seq 150); do
		sql -c "CREATE TEMP TABLE room ()" >/dev/null 2>&1 && date +%s.%N && return
		sleep 0.1
	done
	return 1
}

# broken NAME WHAT ERRNO PART: for 3 s; then for how long nobody gets a token.
broken()
{
	since=$(date +%s.%N)
	hits=$(shim_hits)
	shim_set "$2" "$3" "$4"
	wants_room &
	room=$!
	for _ in $(seq 60); do  # until somebody is told so
		sleep 0.1
		[ "$(ask "$port_a")" = 503 ] && break
	done
	is_503_with_retry_after || { echo "  $1: $(head -1 "$dir/asked.head")"; return 1; }
	sleep 2
	[ "$(ask "$port_a")" = 503 ] || { echo "  $1: issues while it fails"; return 1; }
	[ "$(shim_hits)" -gt "$hits" ] || { echo "  $1: nothing was made to fail"; return 1; }
	shim_set "$2" 0
	wait "$room"
	good=$(date +%s.%N)
	asks_until 200 "$port_a" 15 >/dev/null || { echo "  $1: does not come back"; return 1; }
	echo "$1 $since $(back_now)" >>"$dir/faults"
	echo "$1 $(seconds_since "$good")" >>"$dir/back"
}

the_disk_fails()
{
	: >"$dir/faults"
	stream disk --per-job 2 --pause 0.005 "$port_a"
	sleep 1
	broken data-full write $ENOSPC /base/ &&
	broken log-full write $ENOSPC pg_wal &&
	broken log-io write $EIO pg_wal &&
	broken log-sync sync $EIO pg_wal
	broke=$?
	sleep 1
	stream_end && [ "$broke" = 0 ]
}

the_log_and_the_ledger_agree()
{
	print_ledger &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$stream_log" "$dir/ledger" \
		--faults "$dir/faults" --back-within 10 &&
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
	for _ in $(seq 200); do
		[ "$(ask "$port_b")" = 503 ] && is_503_with_retry_after && break
		sleep 0.1
	done
	is_503_with_retry_after && stopped=$(seconds_since "$since") &&
	grep -q "the mark cannot be written: .*state-b/mark: Input/output error" "$dir/b.log" &&
	shim_set sync 0 && marked=$(asks_until 200 "$port_b" 10)
}

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
echo "I9 holds: through four failing disks ($(cat "$dir/statuses")) nothing but 200, and 503 with" \
	"Retry-After | control: a ledger that lacks one row is found"
echo "I14 holds: with the log full, failing, or not synced no token without its row; without its" \
	"mark a node stopped within $stopped s | control: a ledger that lacks one row is found"
echo "I16 holds: after the disk was good again, a token within seconds:" \
	"$(tr '\n' ' ' <"$dir/back")(with the mark: $marked s) | control: 2 s later, the disk still failing, it was 503 each time"
: >"$dir/enough"
wait "$keeping"
run_step "The first node drains" stop_node a
run_step "The second node drains" stop_node b
