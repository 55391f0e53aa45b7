#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a flood of guesses weighs on the token path: make bench-floods
#
# A steady load asks for tokens at a fixed rate, a quarter of what this node does at most (measured
# first), over 50 connections that each keep to their schedule whatever the answers do: an open
# loop.  Its p99 is measured alone and beside a flood, in short pairs whose order changes; what
# counts is the median over the pairs of "beside" / "alone", because the machine's other work moves
# both.  For each of BENCH_WAYS (chosen,login,basic): BENCH_PAIRS (15) of BENCH_SECONDS (3) each.
#
# The flood is BENCH_FLOOD (500) requests a second, evenly, over 500 connections: wrong passwords as
# people choose them (argon2id), or of our form, or wrong secrets.  It is the flood that gets through
# the limits for each address and each name, as if it came from as many of both: the node has none.
# The way "none" is the control: a second moment alone in the place of the flood.
# BENCH_CPU_PERCENT (25) is the node's password_cpu_percent.
#
# The node is held to one core and the loads to the other; PostgreSQL may use both, without fsync:
# the disk is everybody's, and its waits would hide what is sought.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

: "${BENCH_PAIRS:=15}" "${BENCH_SECONDS:=3}" "${BENCH_FLOOD:=500}" "${BENCH_CPU_PERCENT:=25}"
: "${BENCH_WAYS:=none,chosen,login,basic}"
server_core=1 load_core=0

# BENCH_REALTIME=1, where others use the machine too: the bench goes before everybody else
# (SCHED_RR), and argon2id's thread, of the idle class otherwise, beside everybody else.
[ -z "${BENCH_REALTIME-}" ] || chrt -r -p 1 $$ || fail "no leave for BENCH_REALTIME"

command -v h2load >/dev/null || fail "h2load is missing: install the Debian package nghttp2-client"

start_pinned_node()
{
	node_conf a "$port_a" &&
	cat >>"$dir/a.conf" <<-CONF &&
		log_level = "warning"
		requests_per_connection_max = 1000000
		connections_per_address_max = 0
	CONF
	sed -i "s/password_cpu_percent.*/password_cpu_percent = $BENCH_CPU_PERCENT/" "$dir/a.conf" &&
	start_node a "$port_a" && taskset -a -p -c $server_core "$pid_a" >/dev/null &&
	for child in $(descendants "$pid_a"); do
		taskset -a -p -c $server_core "$child" >/dev/null || return 1
	done
}

# The thread of argon2id: the only one of the idle class.
argon2_thread()
{
	argon2=$(find /proc/"$(children_named "$pid_a" authority)"/task -mindepth 1 -maxdepth 1 |
		while read -r task; do
			sed 's/.*) //' "$task/stat" | awk -v task="$task" '$39 == 5 { print task }'
		done)
	[ -d "$argon2" ] || return 1
	[ -z "${BENCH_REALTIME-}" ] || chrt -o -p 0 "$(basename "$argon2")"
}

bodies()
{
	body 1234 >"$dir/token.json" &&
	echo '{"userId":"somebody","password":"summer-1"}' >"$dir/chosen.json" &&
	jq -n --arg password "$(cat "$dir/secret-demo-user")" \
		'{userId: "somebody", $password}' >"$dir/login.json"
}

start_postgres
trap stop_all EXIT
make_authority || fail "no authority"
quietly make_demo || fail "no account"
start_pinned_node || fail "the node does not start"
argon2_thread || fail "argon2id has not one thread"
bodies || fail "no requests"
taskset -c $load_core "$STIPA_PYTHON" -B "$srcdir/tests/bench/floods.py" "$dir" "$port_a" "$argon2" \
	--pairs "$BENCH_PAIRS" --seconds "$BENCH_SECONDS" --flood "$BENCH_FLOOD" \
	--ways "$BENCH_WAYS"
