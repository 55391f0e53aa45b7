#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a live node counts, read strictly by the OpenMetrics parser of the Prometheus client library:
# types, units and the end; each counter moves by what was done, and none falls when a process dies.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

make_world()
{
	make_account a 1234 && user_of client-a user-ours >/dev/null &&
	echo "$port_a" >"$dir/port"
}

# Few failures are borne, so that a limit can be seen to be hit.
start_limited()
{
	node_conf a "$port_a" &&
	with_limits a "requests_per_address_s = 0" "failures_per_address_min = 1" \
		"failures_per_address_burst = 8" "requests_per_client_s = 0" &&
	start_node a "$port_a"
}

# step NAME: one function of metrics.py, which is told the node's processes.
step()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/integration/metrics.py" "$dir" "$1" \
		"$(children_named "$pid_a" edge | head -1)" "$(children_named "$pid_a" authority)"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "An account, a client and a user" make_world
run_step "A node is ready" start_limited
run_step "A parser that is not ours reads all of it" step is_read_strictly
run_step "Control: that parser refuses what is not OpenMetrics" step is_refused_when_wrong
run_step "Each counter moves by what was done" undisturbed step counters_move
run_step "No counter falls when a process dies" step counters_outlive_a_process
run_step "The node drains" stop_node a
