#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154  # pid_a is stop_node's
# An older copy of the database is put in its place.  A node that has issued since then refuses,
# says why and what to do, and goes on only when the operator has decided so.  The control is a
# node without a mark, which issues from the same copy.
#
# STIPA_RESTORES sets how many copies more are restored, at random under a node that lives, that was
# drained, or that was killed (0; "make check-restored-long" takes 20).  STIPA_SEED repeats a run.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

: "${STIPA_RESTORES:=0}"
: "${STIPA_SEED:=$(date +%s)}"

# A cold copy: everything that a backup could have of that moment.
copy_is_taken()
{
	as_postgres rm -rf "$dir/data.old" && asks_until 200 "$port_a" >/dev/null && database_stop &&
	as_postgres cp -a "$dir/data" "$dir/data.old" && database_start &&
	asks_until 200 "$port_a" >/dev/null
}

tokens_go_on()
{
	for _ in 1 2 3; do
		asks_until 200 "$port_a" >/dev/null || return 1
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
	wait_for says_it_since "$told" && refuses
}

says_it_since()
{
	tail -n "+$1" "$dir/a.log" | grep -q "older than what this node issued"
}

knows_it_is_behind()
{
	[ "$(metric a stipa_ledger_behind)" = 1 ]
}

# grant PORT: client-1 asks for an access token; the status.
grant()
{
	curl -s -m 20 -o "$dir/granted" -w '%{http_code}' --cacert "$dir/tls/ca.pem" \
		-u "client-1:$(cat "$dir/secret-1")" -d grant_type=client_credentials \
		"https://127.0.0.1:$1/oauth2/token"
}

grants()
{
	[ "$(grant "$1")" = 200 ]
}

# For as long as anybody looks, and never once otherwise; an access token neither: the copy may have
# forgotten that its client had lost the right.
refuses()
{
	[ "$(grant "$port_a")" = 503 ] || { cat "$dir/granted"; return 1; }
	for _ in $(seq 25); do
		[ "$(ask "$port_a")" = 503 ] && is_503_with_retry_after || return 1
		sleep 0.1
	done
	knows_it_is_behind && wait_for says_not_ready a "stipactl mark accept"
}

# Started anew: what it knows is in its mark.
a_node_started_again_refuses()
{
	./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $!"
	wait_for knows_it_is_behind && refuses
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
	start_node b "$port_b" && asks_until 200 "$port_b" >/dev/null && wait_for grants "$port_b"
}

the_operator_accepts()
{
	ctl mark show "$dir/a.conf" >"$dir/shown" && grep -q '^known *no$' "$dir/shown" &&
	ctl mark accept "$dir/a.conf" --reason "backup of noon, decided by anna" >"$dir/accepted" &&
	grep -q "Tokens issued after .* are unknown to this database" "$dir/accepted" &&
	accepted_after=$(asks_until 200 "$port_a") &&
	wait_ready a && ! knows_it_is_behind && wait_for grants "$port_a" &&
	ctl audit tail | grep -q "mark_accept.*decided by anna"
}

# From here on the mark is of this ledger again, and guards it anew.
the_mark_goes_on()
{
	asks_until 200 "$port_a" >/dev/null && wait_for mark_is_in_the_ledger && a_living_node_refuses
}

# The copy's last token is not this one: it was issued since.
mark_is_in_the_ledger()
{
	jti=$(ctl --json mark show "$dir/a.conf" | jq -r .jti) &&
	[ "$(sql -c "SELECT jti FROM stipa.token ORDER BY jti DESC LIMIT 1")" = "$jti" ]
}

# What is restored under it: a node that lives, was drained, or was killed.
restores()
{
	"$STIPA_PYTHON" -c "import random
random.seed('$STIPA_SEED')
for n in range($STIPA_RESTORES):
    print(('lives', 'drained', 'killed')[n % 3], random.randint(1, 30))"
}

kill_node()
{
	all=$(descendants "$pid_a")
	kill -9 "$pid_a"
	wait "$pid_a" 2>/dev/null
	wait_for are_gone "$all"
}

# one_more HOW TOKENS: a copy, so many tokens, the copy in its place; it refuses, until accepted.
one_more()
{
	copy_is_taken || return 1
	for _ in $(seq "$2"); do
		asks_until 200 "$port_a" >/dev/null || return 1
	done
	wait_for mark_is_in_the_ledger || return 1
	case $1 in
	lives) a_living_node_refuses ;;
	drained) stop_node a && copy_is_restored && a_node_started_again_refuses ;;
	killed) kill_node && copy_is_restored && a_node_started_again_refuses ;;
	esac && the_operator_accepts || return 1
	requests=$((requests + 25))
}

copies_are_restored_at_random()
{
	restores >"$dir/restores"
	while read -r how tokens; do
		one_more "$how" "$tokens" || { echo "  $how, after $tokens tokens"; return 1; }
	done <"$dir/restores"
}

echo "seed: $STIPA_SEED, restores: $STIPA_RESTORES more"
requests=75
start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The account is made" make_accounts 1
run_step "A node is ready" start_node a "$port_a"
run_step "A copy of the database is taken" copy_is_taken
run_step "Tokens are issued after it" tokens_go_on
run_step "The copy in its place, the node that lives refuses" a_living_node_refuses
stop_node a
run_step "Started again, it refuses by its mark" a_node_started_again_refuses
run_step "The doctor says why" the_doctor_says_why
run_step "The control: a node without a mark issues from the copy" the_control_issues
run_step "When the operator has accepted it, the node issues" the_operator_accepts
run_step "The next older copy is refused as well" the_mark_goes_on
[ "$STIPA_RESTORES" = 0 ] || run_step "When it is accepted, the node issues" the_operator_accepts
run_step "So is every other one" copies_are_restored_at_random
echo "I18 holds: from $((3 + STIPA_RESTORES)) restored copies no token in $requests requests, after the operator's word" \
	"the first within $accepted_after s | control: without a mark the node issued from it"
run_step "The node drains" stop_node a
