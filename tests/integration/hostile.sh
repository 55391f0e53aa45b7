#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Raw requests that a trust anchor must refuse, over TLS and on a plain socket: tests/hostile/cases.py
# is the table.  None is accepted, no hidden request is run, and each connection is closed by its
# deadline and a second.  The controls: well-formed requests are answered, the hidden request on its
# own is seen, and a server that takes what it is given accepts many of the same rows.
#
# STIPA_HOSTILE_LONG=1 ("make check-hostile-long") does it with the deadlines as they come instead.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

short="handshake=700,head=500,body=500,response=800,idle=900"
[ -z "$STIPA_HOSTILE_LONG" ] ||
	short="handshake=5000,head=5000,body=5000,response=10000,idle=120000"

make_accounts()
{
	make_account a 1001 && make_account hidden 1002
}

# The deadlines of a node: the same words as the battery's.
deadlines()
{
	echo "$2" | tr , '\n' | sed 's/=/_timeout_ms = /' >>"$dir/$1.conf"
}

start_short_node()
{
	node_conf a "$port_a" && deadlines a "$short" && start_node a "$port_a"
}

battery()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/hostile/battery.py" "$@" --report "$dir/battery"
}

battery_over_tls()
{
	battery node "$1" --deadlines "$2" --secret "$dir/secret-a" --hidden "$dir/secret-hidden"
}

battery_on_a_plain_socket()
{
	asked_before=$(counted 'stipa_requests_total{route="readyz",status="2xx"}')
	battery local "$dir/a.sock" --deadlines "$short" || return 1
	asked=$(counted 'stipa_requests_total{route="readyz",status="2xx"}')
	[ "$asked" = "$asked_before" ] || { echo "  /readyz: $asked_before, then $asked"; return 1; }
}

# counted METRIC
counted()
{
	curl -s -m 2 --unix-socket "$dir/a.sock" http://localhost/metrics |
		awk -v name="$1" '$1 == name { print $2 }'
}

orders_of_the_hidden()
{
	sql -c "SELECT (SELECT count(*) FROM stipa.token_view WHERE account = 'sp-hidden')
		+ (SELECT count(*) FROM stipa.refusal_view WHERE client = 'client-hidden')"
}

no_hidden_order()
{
	[ "$(orders_of_the_hidden)" = 0 ]
}

# The control: on its own the hidden request leaves its mark.
the_hidden_order_would_be_seen()
{
	body 1002 | curl -s -m 5 -o /dev/null --cacert "$dir/tls/ca.pem" \
		-u "client-hidden:$(cat "$dir/secret-hidden")" -H "Content-Type: application/json" \
		--data-binary @- "https://localhost:$port_a/sti-pa/account/sp-hidden/token" &&
	[ "$(orders_of_the_hidden)" = 1 ]
}

# The other one: the same rows, and a server that is not strict.
a_gullible_server_accepts_them()
{
	mkfifo "$dir/gullible" || return 1
	"$STIPA_PYTHON" -B "$srcdir/tests/hostile/gullible.py" <"$dir/gullible" \
		>"$dir/gullible.out" &
	gullible=$!
	exec 8>"$dir/gullible"
	for _ in $(seq 50); do
		[ -s "$dir/gullible.out" ] && break
		sleep 0.1
	done
	battery other "127.0.0.1:$(head -1 "$dir/gullible.out")" | tee "$dir/gullible.said"
	exec 8>&-
	wait "$gullible"
	ran=$(tail -1 "$dir/gullible.out")
	accepted=$(sed -nE 's/.*: ([0-9]+) of .*/\1/p' "$dir/gullible.said")
	echo "  hidden requests that it ran: $ran"
	[ "$accepted" -ge 10 ] && [ "$ran" -ge 1 ]
}

connections_are_gone()
{
	for _ in $(seq 100); do
		[ "$(counted stipa_connections)" = 1 ] && return  # the one that asks
		sleep 0.1
	done
	return 1
}

still_issues()
{
	body 1001 | curl -s -m 5 -o /dev/null -w '%{http_code}' --cacert "$dir/tls/ca.pem" \
		-u "client-a:$(cat "$dir/secret-a")" -H "Content-Type: application/json" \
		--data-binary @- "https://localhost:$port_a/sti-pa/account/sp-a/token" | grep -q 200
}

no_child_died()
{
	! grep -E 'crashed|exited|killed' "$dir/a.log"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "A node is ready" start_short_node
run_step "Over TLS none is accepted and each ends in time" battery_over_tls "$port_a" "$short"
run_step "No hidden order reached the ledger or the refusals" no_hidden_order
run_step "On a plain socket none is accepted and no hidden request was run" \
	battery_on_a_plain_socket
run_step "Their connections are gone" connections_are_gone
run_step "No process died of it" no_child_died
run_step "The node still issues" still_issues
run_step "The control: a hidden order would have been seen" the_hidden_order_would_be_seen
run_step "The control: a gullible server accepts them" a_gullible_server_accepts_them
run_step "The node drains" stop_node a
