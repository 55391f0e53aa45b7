#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast a token is, beside yardsticks in the same run: make bench
#
# Each round measures, one after the other: P-256 signatures of one core (openssl speed), nginx
# answering 1 KiB over TLS with keep-alive, and stipad issuing durable tokens, with 64 connections
# of wrk.  The server is held to one core and wrk to the other; PostgreSQL (fsync on) may use both.
# Wall figures move with the machine's other work; the ratio within a round and the CPU time of
# each process are what to trust.  The median of BENCH_ROUNDS (3) rounds of BENCH_SECONDS (5).
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

: "${BENCH_ROUNDS:=3}" "${BENCH_SECONDS:=5}"
server_core=1 load_core=0

need()
{
	command -v "$1" >/dev/null || fail "$1 is missing: install the Debian package $2"
}

start_nginx()
{
	mkdir -p "$dir/nginx/www" && head -c 1024 /dev/zero | tr '\0' x >"$dir/nginx/www/1k" &&
	chmod -R a+rX "$dir/nginx" &&
	nginx_port=$(free_port)
	cat >"$dir/nginx/conf" <<-CONF
		worker_processes 1;
		daemon off;
		pid $dir/nginx/pid;
		error_log $dir/nginx/error.log;
		events { worker_connections 1024; }
		http {
			access_log off;
			keepalive_requests 1000000;
			server {
				listen 127.0.0.1:$nginx_port ssl;
				root $dir/nginx/www;
				ssl_certificate $dir/tls/server.pem;
				ssl_certificate_key $dir/tls/server.key;
				ssl_protocols TLSv1.2 TLSv1.3;
			}
		}
	CONF
	taskset -c $server_core nginx -p "$dir/nginx" -c "$dir/nginx/conf" 2>/dev/null &
	nodes="$nodes $!"
	for _ in $(seq 50); do
		curl -s --cacert "$dir/tls/ca.pem" -o /dev/null "https://127.0.0.1:$nginx_port/1k" &&
			return
		sleep 0.1
	done
	return 1
}

start_pinned_node()
{
	node_conf a "$port_a"
	sed -i 's/^edges.*/edges = 1/' "$dir/a.conf"
	echo 'log_level = "warning"' >>"$dir/a.conf"
	echo 'requests_per_connection_max = 1000000' >>"$dir/a.conf"
	taskset -c $server_core ./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $pid_a"
	wait_ready a
}

# CPU ticks (user and system) of the processes whose ids come in.
ticks()
{
	while read -r pid; do
		cut -d')' -f2- "/proc/$pid/stat" 2>/dev/null
	done | awk '{ sum += $12 + $13 } END { print sum + 0 }'
}

postgres_ticks()
{
	postmaster=$(head -1 "$dir/data/postmaster.pid")
	{ echo "$postmaster"; pgrep -P "$postmaster"; } | ticks
}

signatures_per_s()
{
	taskset -c $server_core openssl speed -seconds 1 ecdsap256 2>/dev/null |
		awk '/256 bits ecdsa/ { print $(NF - 1) }'
}

load()
{
	taskset -c $load_core wrk -t1 -c64 -d"$BENCH_SECONDS" --latency "$@" >"$dir/wrk.out" 2>&1 ||
		{ cat "$dir/wrk.out"; return 1; }
	awk '/^Requests\/sec/ { print $2 }' "$dir/wrk.out"
}

# One round: a line "signatures nginx tokens edge-us authority-us postgres-us".
round()
{
	signatures=$(signatures_per_s)
	nginx=$(load "https://127.0.0.1:$nginx_port/1k") || return 1
	rows=$(sql -c "SELECT count(*) FROM stipa.token")
	edge=$(children_named "$pid_a" edge | ticks)
	authority=$(children_named "$pid_a" authority | ticks)
	postgres=$(postgres_ticks)
	tokens=$(load -s "$srcdir/tests/bench/token.lua" \
		"https://127.0.0.1:$port_a/sti-pa/account/sp-1/token") || return 1
	grep -q '^refused: 0$' "$dir/wrk.out" || fail "some answers were not 200"
	cp "$dir/wrk.out" "$dir/wrk.token"
	answers=$(awk '/requests in/ { print $1 }' "$dir/wrk.out")
	hz=$(getconf CLK_TCK)
	edge=$((($(children_named "$pid_a" edge | ticks) - edge) * 1000000 / hz))
	authority=$((($(children_named "$pid_a" authority | ticks) - authority) * 1000000 / hz))
	postgres=$((($(postgres_ticks) - postgres) * 1000000 / hz))
	gained=$(($(sql -c "SELECT count(*) FROM stipa.token") - rows))
	[ "$gained" -ge "$answers" ] || fail "$answers answers, but only $gained ledger rows"
	echo "$signatures $nginx $tokens $edge $authority $postgres $answers" |
		awk '{ printf "%d %d %d %.1f %.1f %.1f\n", $1, $2, $3, $4 / $7, $5 / $7, $6 / $7 }'
}

report()
{
	"$STIPA_PYTHON" - "$dir/rounds" <<-'PY'
		import statistics, sys
		rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
		median = lambda f: statistics.median(f(row) for row in rows)
		print(f"rounds                      {len(rows)}")
		print(f"P-256 signatures/s          {median(lambda r: r[0]):.0f}")
		print(f"nginx 1 KiB over TLS, req/s {median(lambda r: r[1]):.0f}")
		print(f"stipad durable tokens/s     {median(lambda r: r[2]):.0f}")
		print(f"tokens / nginx              {median(lambda r: r[2] / r[1]):.2f}")
		print(f"CPU us a token: edge        {median(lambda r: r[3]):.1f}")
		print(f"                authority   {median(lambda r: r[4]):.1f}")
		print(f"                PostgreSQL  {median(lambda r: r[5]):.1f}")
	PY
	echo "latency of the last round:"
	grep -E '^ +(50|99)%' "$dir/wrk.token"
}

need wrk wrk
need nginx nginx-core
start_postgres fsync=on
trap stop_all EXIT
make_authority || fail "no authority"
make_account 1 1001 || fail "no account"
start_nginx || fail "nginx does not start"
start_pinned_node || fail "the node does not start"
BENCH_BODY=$(body 1001)
BENCH_AUTHORIZATION="Basic $(printf 'client-1:%s' "$(head -1 "$dir/secret-1")" | base64 -w0)"
export BENCH_BODY BENCH_AUTHORIZATION
n=0
while [ "$n" -lt "$BENCH_ROUNDS" ]; do
	round >>"$dir/rounds" || fail "round $n"
	n=$((n + 1))
done
report
