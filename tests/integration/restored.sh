#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154  # pid_a is stop_node's
# An older copy of the database is put in its place.  A node that has issued since then refuses,
# says why and what to do, and goes on only when the operator has decided so.  The control is a
# node without a mark, which issues from the same copy.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

# A cold copy: everything that a backup could have of that moment.
copy_is_taken()
{
	[ "$(ask "$port_a")" = 200 ] && database_stop &&
	as_postgres cp -a "$dir/data" "$dir/data.old" && database_start &&
	asks_until 200 "$port_a" 10 >/dev/null
}

tokens_go_on()
{
	for _ in 1 2 3; do
		[ "$(ask "$port_a")" = 200 ] || return 1
	done
	lost=$(sql -c "SELECT count(*) FROM stipa.token") && [ "$lost" -ge 5 ]
}

copy_is_restored()
{
	database_stop immediate
	as_postgres rm -rf "$dir/data" && as_postgres cp -a "$dir/data.old" "$dir/data" &&
	database_start
}

# The node lives: what it knows is in its memory.
a_living_node_refuses()
{
	copy_is_restored && told=$(wc -l <"$dir/a.log") &&
	for _ in $(seq 50); do
		tail -n "+$told" "$dir/a.log" | grep -q "older than what this node issued" && break
		sleep 0.1
	done
	refuses
}

# For as long as anybody looks, and never once otherwise.
refuses()
{
	for _ in $(seq 25); do
		[ "$(ask "$port_a")" = 503 ] && is_503_with_retry_after || return 1
		sleep 0.1
	done
	[ "$(local_get a readyz)" = 503 ] && [ "$(metric a stipa_ledger_behind)" = 1 ] &&
	grep "not ready to issue" "$dir/a.log" | tail -1 | grep -q "stipactl mark accept"
}

# Started anew: what it knows is in its mark.
a_node_started_again_refuses()
{
	stop_node a
	./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $!"
	for _ in $(seq 50); do
		[ "$(metric a stipa_ledger_behind)" = 1 ] && break
		sleep 0.1
	done
	refuses
}

the_doctor_says_why()
{
	ctl --json doctor "$dir/a.conf" --tls-ca "$dir/tls/ca.pem" 2>/dev/null |
		jq -e '.[] | select(.check == "mark") | .result == "failed" and
			(.found | test("lacks token")) and (.to_do | test("mark accept"))' \
		>/dev/null
}

# Without a mark, the same copy is good enough: this is what would happen.
the_control_issues()
{
	start_node b "$port_b" && [ "$(ask "$port_b")" = 200 ]
}

the_operator_accepts()
{
	ctl mark show "$dir/a.conf" >"$dir/shown" && grep -q '^known *no$' "$dir/shown" &&
	ctl mark accept "$dir/a.conf" --reason "backup of noon, decided by anna" >"$dir/accepted" &&
	grep -q "Tokens issued after .* are unknown to this database" "$dir/accepted" &&
	accepted_after=$(asks_until 200 "$port_a" 10) &&
	[ "$(local_get a readyz)" = 200 ] && [ "$(metric a stipa_ledger_behind)" = 0 ] &&
	ctl audit tail | grep -q "mark_accept.*decided by anna"
}

# From here on the mark is of this ledger again, and guards it anew.
the_mark_goes_on()
{
	[ "$(ask "$port_a")" = 200 ] && sleep 1.5 &&
	jti=$(ctl --json mark show "$dir/a.conf" | jq -r .jti) &&
	[ "$(sql -c "SELECT count(*) FROM stipa.token WHERE jti = '$jti'")" = 1 ] &&
	a_living_node_refuses
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The account is made" make_accounts 1
run_step "A node is ready" start_node a "$port_a"
run_step "A copy of the database is taken" copy_is_taken
run_step "Tokens are issued after it" tokens_go_on
run_step "The copy in its place, the node that lives refuses" a_living_node_refuses
run_step "Started again, it refuses by its mark" a_node_started_again_refuses
run_step "The doctor says why" the_doctor_says_why
run_step "The control: a node without a mark issues from the copy" the_control_issues
run_step "When the operator has accepted it, the node issues" the_operator_accepts
run_step "The next older copy is refused as well" the_mark_goes_on
echo "I18 holds: from a restored copy no token in $((25 * 3)) requests, after the operator's word" \
	"the first within $accepted_after s | control: without a mark the node issued from it"
run_step "The node drains" stop_node a
