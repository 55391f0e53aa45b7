# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks measure: a node, a PostgreSQL with fsync on, and nginx as the yardstick.
# The servers are held to one core and the load to the other; PostgreSQL may use both.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

server_core=1 load_core=0

need()
{
	command -v "$1" >/dev/null || fail "$1 is missing: install the Debian package $2"
}

# A PostgreSQL with the memory that docs/install.md wants for a million accounts, and that has run for
# a while: what it writes next goes to files that it has used before.
# Until its first checkpoints a new one fills each WAL file of 16 MB with zeros, and whoever commits
# waits for that.  The others: settings.
start_seasoned_postgres()
{
	start_postgres fsync=on shared_buffers=4GB min_wal_size=2GB max_wal_size=8GB \
		checkpoint_timeout=1h "$@" &&
	for _ in $(seq 120); do
		echo "SELECT pg_logical_emit_message(false, 'bench', ''); SELECT pg_switch_wal();"
	done | sql >/dev/null && sql -c CHECKPOINT
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
	nginx_pid=$!
	nodes="$nodes $nginx_pid"
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
	cat >>"$dir/a.conf" <<-CONF
		log_level = "warning"
		requests_per_connection_max = 1000000
		connections_per_address_max = 20000
		idle_timeout_ms = 600000
	CONF
	taskset -c $server_core ./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $pid_a"
	wait_ready a
}

# What the measuring programs need to know.
tell_stand()
{
	BENCH_EDGE=$(children_named "$pid_a" edge)
	BENCH_AUTHORITY=$(children_named "$pid_a" authority)
	BENCH_POSTMASTER=$(head -1 "$dir/data/postmaster.pid")
	BENCH_TOKEN_URL="https://127.0.0.1:$port_a/sti-pa/account/sp-1/token"
	BENCH_BODY=$(body 1001)
	BENCH_AUTHORIZATION="Basic $(printf 'client-1:%s' "$(head -1 "$dir/secret-1")" | base64 -w0)"
	BENCH_DIR=$dir
	BENCH_CORE=$load_core
	export BENCH_EDGE BENCH_AUTHORITY BENCH_POSTMASTER BENCH_TOKEN_URL BENCH_BODY \
		BENCH_AUTHORIZATION BENCH_DIR BENCH_CORE
}
