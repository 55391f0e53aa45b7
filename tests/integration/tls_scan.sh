#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What sslscan, and in the long run testssl, find at the TLS of a node: nothing.  The control is a
# server of OpenSSL that speaks what a node must not.
#
# STIPA_HOSTILE_LONG=1 ("make check-hostile-long") has testssl too, which takes minutes.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

judge()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/hostile/scans.py" "$@"
}

scan()
{
	sslscan --no-colour --xml="$dir/sslscan.xml" "127.0.0.1:$1" >"$dir/sslscan.log" 2>&1 ||
		{ tail -5 "$dir/sslscan.log"; return 1; }
	judge sslscan "$dir/sslscan.xml"
}

# Loopback needs no names, and no connection leaves the machine.
test_ssl()
{
	rm -f "$dir/testssl.json"
	timeout 1200 testssl --quiet --warnings off --color 0 --nodns none \
		--connect-timeout 60 --openssl-timeout 60 --add-ca "$dir/tls/ca.pem" \
		--jsonfile "$dir/testssl.json" \
		"127.0.0.1:$1" </dev/null >"$dir/testssl.log" 2>&1
	[ -s "$dir/testssl.json" ] || { tail -5 "$dir/testssl.log"; return 1; }
	judge testssl "$dir/testssl.json"
}

# The control: a server that takes ciphers without forward secrecy, and renegotiates.
start_weak_server()
{
	port_weak=$(free_port)
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-keyout "$dir/weak.key" -out "$dir/weak.pem" 2>/dev/null &&
	{
		openssl s_server -accept "127.0.0.1:$port_weak" -key "$dir/weak.key" \
			-cert "$dir/weak.pem" -cipher ALL -quiet >/dev/null 2>&1 &
	} && nodes="$nodes $!" && wait_for is_there "$port_weak"
}

is_there()
{
	openssl s_client -connect "127.0.0.1:$1" </dev/null >/dev/null 2>&1
}

a_weak_server_is_seen()
{
	! scan "$port_weak"
}

a_weak_server_is_seen_by_testssl()
{
	! test_ssl "$port_weak" && grep -qE '"id" *: "scanTime"' "$dir/testssl.json"
}

command -v sslscan >/dev/null || fail "no sslscan: install sslscan"
start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "A node is ready" start_node a "$port_a"
run_step "sslscan finds nothing" scan "$port_a"
if [ -n "$STIPA_HOSTILE_LONG" ]; then
	command -v testssl >/dev/null || fail "no testssl: install testssl.sh"
	run_step "testssl finds nothing" test_ssl "$port_a"
fi
run_step "A weak server is there" start_weak_server
run_step "The control: what it speaks is found" a_weak_server_is_seen
[ -z "$STIPA_HOSTILE_LONG" ] ||
	run_step "The control: testssl finds it too" a_weak_server_is_seen_by_testssl
run_step "The node drains" stop_node a
