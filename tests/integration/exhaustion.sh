#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# What hostile connections cost: at most 384 KiB each, 20 KiB for an idle one, no spin without
# descriptors; and afterwards everything is as it was (I15).
#
# STIPA_IDLE sets how many idle connections (1,000; "make check-hostile-long" takes 10,000).
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

: "${STIPA_IDLE:=1000}"

make_accounts()
{
	make_account a 1001 && make_account hidden 1002
}

# One edge, which all connections meet.
start_one_edge()
{
	node_conf a "$port_a" &&
	sed -i 's/^edges.*/edges = 1/' "$dir/a.conf" &&
	echo "connections_per_address_max = 0" >>"$dir/a.conf" &&
	start_node a "$port_a" && edge=$(children_named "$pid_a" edge)
}

resources()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/hostile/resources.py" --pid "$edge" --port "$port_a" \
		--socket "$dir/a.sock" --secret "$dir/secret-a" --hidden "$dir/secret-hidden" \
		--idle "$STIPA_IDLE" "$@"
}

it_is_the_same_edge()
{
	[ "$(children_named "$pid_a" edge)" = "$edge" ]
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "A node with one edge is ready" start_one_edge
run_step "I15: what hostile and idle connections cost is little, and comes back" \
	resources greedy heads bodies records hellos halves answers idle descriptors
run_step "The edge has not died of it" it_is_the_same_edge
run_step "The node drains" stop_node a
