#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# slowhttptest in its four modes, 1,000 connections each, against a node that would take all of them
# from one address: it goes on to serve both slowhttptest's own probe and a client that works.  The
# control is a server that handles one connection after the other.  For "make check-hostile-long".
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

seconds=25
connections=1000

start_open_node()
{
	node_conf a "$port_a" && echo "connections_per_address_max = 0" >>"$dir/a.conf" &&
		make_account a 1001 && start_node a "$port_a"
}

# slow MODE URL OPTION...: leaves what it saw, second by second, in $dir/$mode.csv.
slow()
{
	mode=$1 url=$2
	shift 2
	(cd "$dir" && timeout $((seconds * 3)) slowhttptest "-$mode" -g -o "$mode" -u "$url" \
		-c $connections -r 200 -l $seconds -p 3 "$@" >"$dir/$mode.log" 2>&1)
}

# Second, closed, pending, connected and whether the probe was answered.
most_connected()
{
	awk -F, 'NR > 1 && $4 > most { most = $4 } END { print most + 0 }' "$dir/$1.csv"
}

seconds_without()
{
	awk -F, 'NR > 1 && $5 == 0 { n++ } END { print n + 0 }' "$dir/$1.csv"
}

# A token each 0.1 s on a connection of its own, for as long as the attack lasts.
work()
{
	body 1001 >"$dir/body"
	while [ -e "$dir/attacked" ]; do
		curl -s -m 10 -o /dev/null -w '%{http_code} %{time_total}\n' \
			--cacert "$dir/tls/ca.pem" -u "client-a:$(cat "$dir/secret-a")" \
			-H "Content-Type: application/json" --data-binary "@$dir/body" \
			"https://localhost:$port_a/sti-pa/account/sp-a/token"
		sleep 0.1
	done >"$dir/worked"
}

# What came of the work: all are tokens, and many.
worked()
{
	sort -k 2 -n "$dir/worked" | awk -v mode="$mode" -v most="$(most_connected "$mode")" \
		-v without="$(seconds_without "$mode")" '
		{ n++; slowest = $2; took[n] = $2 }
		$1 == 200 { ok++ }
		END {
			printf "  -%s: %d connections at once, %d s without an answer to the probe; " \
			       "beside them %d of %d orders served, p50 %.0f ms, the slowest %.0f ms\n",
			       mode, most, without, ok, n, took[int((n + 1) / 2)] * 1000, slowest * 1000
			exit !(n >= 20 && ok == n && without == 0 && most > 0)
		}'
}

# attack MODE PATH OPTION...
attack()
{
	mode=$1 path=$2
	shift 2
	touch "$dir/attacked"
	work &
	worker=$!
	slow "$mode" "https://127.0.0.1:$port_a$path" "$@"
	rm "$dir/attacked"
	wait "$worker"
	worked
}

connections_are_gone()
{
	for _ in $(seq 200); do
		[ "$(curl -s -m 2 --unix-socket "$dir/a.sock" http://localhost/metrics |
			awk '$1 == "stipa_connections" { print $2 }')" = 1 ] && return
		sleep 0.1
	done
	return 1
}

start_serial_server()
{
	port_serial=$(free_port)
	"$STIPA_PYTHON" -c 'import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])),
                       http.server.BaseHTTPRequestHandler).serve_forever()' \
		"$port_serial" 2>/dev/null &
	nodes="$nodes $!"
	sleep 1
}

a_serial_server_is_taken_away()
{
	slow H "http://127.0.0.1:$port_serial/" -i 2 -x 24
	echo "  -H: $(seconds_without H) s without an answer to the probe"
	[ "$(seconds_without H)" -gt 5 ]
}

command -v slowhttptest >/dev/null || fail "no slowhttptest: install slowhttptest"
start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "A node is ready" start_open_node
run_step "Heads that never end (slowloris)" attack H /sti-pa/account/sp-a/token -i 2 -x 24
run_step "Bodies that never end" attack B /sti-pa/account/sp-a/token -i 2 -s 4096 -x 10 \
	-t POST -f application/json
run_step "Many ranges" attack R /sti-pa/cert.crt -a 1 -b 3000
run_step "Answers that are hardly read" attack X /sti-pa/cert.crt -w 1 -y 16 -n 2 -z 8 -k 3
run_step "Their connections are gone" connections_are_gone
run_step "A server that handles one after the other is there" start_serial_server
run_step "The control: it answers nobody any more" a_serial_server_is_taken_away
run_step "The node drains" stop_node a
