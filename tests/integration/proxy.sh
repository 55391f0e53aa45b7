#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A node behind proxies that say by PROXY protocol version 2 whose a connection is: HAProxy with the
# sample of deploy/, and headers by hand, good and bad.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

haproxy=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v haproxy) ||
	fail "no haproxy: install Debian's package haproxy"

make_world()
{
	make_account a 1234 && make_account limited 5678 && make_account leak 4321 &&
	echo "$port_a" >"$dir/port" &&
	quietly ctl client allow client-a 127.0.0.7,10.1.0.0/16,2001:db8:1::/48 --reason test
}

start_behind_proxies()
{
	node_conf a "$port_a" &&
	with_limits a "requests_per_address_s = 0" "failures_per_address_min = 1" \
		"failures_per_address_burst = 4" "requests_per_client_s = 0" \
		"connections_per_address_max = 8" "handshake_timeout_ms = 6000" &&
	sed -i 's/^edges.*/edges = 1/' "$dir/a.conf" &&
	echo 'proxy_protocol_from = {"127.0.0.1", "127.0.0.2"}' >>"$dir/a.conf" &&
	start_node a "$port_a"
}

# The sample, with the addresses and the name of this test.
start_haproxy()
{
	port_proxy=$(free_port)
	sed -e "s/bind :443/bind 127.0.0.1:$port_proxy/" -e 's/sti-pa\.example/localhost/' \
		-e "s/192\.0\.2\.11:443/127.0.0.1:$port_a/" -e '/server node2/d' \
		-e '/^[[:space:]]log /d' "$srcdir/deploy/haproxy.cfg" >"$dir/haproxy.cfg" &&
	"$haproxy" -c -q -f "$dir/haproxy.cfg" || return 1
	"$haproxy" -db -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 &
	nodes="$nodes $!"
}

# through_haproxy FROM: status of a token request, its answer in $dir/answer.
through_haproxy()
{
	curl -s -m 20 --interface "$1" --cacert "$dir/tls/ca.pem" \
		--resolve "localhost:$port_proxy:127.0.0.1" \
		-u "client-a:$(cat "$dir/secret-a")" -H 'Content-Type: application/json' \
		-d "$(body 1234)" -o "$dir/answer" -w '%{http_code}' \
		"https://localhost:$port_proxy/sti-pa/account/sp-a/token"
}

# Not yet listening is 000, a machine that stands still 503.
is_through_haproxy()
{
	status=$(through_haproxy 127.0.0.7)
	[ "$status" = 200 ]
}

# The ledger and the log have it too.
haproxy_tells_the_address()
{
	wait_for is_through_haproxy || { echo "$status"; cat "$dir/answer" "$dir/haproxy.log"; return 1; }
	[ "$(sql -c "SELECT DISTINCT stipa.peer_text(peer) FROM stipa.token")" = 127.0.0.7 ] &&
	jq -se 'any(.route == "token" and .peer == "127.0.0.7")' "$dir/a.log" >/dev/null
}

haproxy_tells_who_may_not()
{
	[ "$(through_haproxy 127.0.0.8)" = 403 ] && jq -e '.code == "address-not-allowed" and
		(.detail | contains("127.0.0.8"))' "$dir/answer" >/dev/null
}

metric()
{
	curl -s --unix-socket "$dir/a.sock" http://localhost/metrics | sed -n "s/^$1 //p"
}

# Its checks open TLS behind a header LOCAL; some are made, none has failed.
haproxy_has_checked()
{
	before=$(metric stipa_connections_accepted_total) asked=0
	wait_for a_check_was_made &&
	[ "$(metric stipa_handshakes_failed_total)" = 0 ] &&
	! grep -i 'down\|failed' "$dir/haproxy.log"
}

# Each question itself is one more.
a_check_was_made()
{
	asked=$((asked + 1))
	[ "$(metric stipa_connections_accepted_total)" -gt $((before + asked)) ]
}

step()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/integration/proxied.py" "$dir" "$1"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Accounts, and a client with a list of addresses" make_world
run_step "A node that has proxies is ready" start_behind_proxies
run_step "HAProxy is in front" start_haproxy
run_step "HAProxy tells the client's address" haproxy_tells_the_address
run_step "A client that may not ask from its address is told which it is" haproxy_tells_who_may_not
run_step "HAProxy's checks are answered" haproxy_has_checked
run_step "The header's address is that of rights, ledger and audit" step the_address_is_the_headers
run_step "IPv6, also with an IPv4 address in it" step ipv6
run_step "A connection of the proxy's own has the proxy's address" step local_command
run_step "What follows the addresses is skipped, up to the limit" step tlvs
run_step "Limits are those of the header's address" step limits
run_step "Bad headers close the connection and are answered nothing" step bad_headers
run_step "Without its header a proxy is not served, nor is anybody else with one" step who_may_send_it
run_step "The node drains" stop_node a
