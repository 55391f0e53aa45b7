#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many of the requests that a node refuses for their bytes alone are accepted by servers that
# everybody uses: nginx and Node.  Neither is at fault, as both must serve everybody; that they are
# strict as well, and that rows are left, shows that the table is no mere collection of noise.
# For "make check-hostile-long".
dir=$(mktemp -d "${TMPDIR:-/tmp}/stipa-controls.XXXXXX") || exit 1
nginx_pid=
trap '[ -z "$nginx_pid" ] || kill "$nginx_pid"; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
: "${srcdir:=.}" "${STIPA_PYTHON:=/usr/bin/python3}"

need()
{
	command -v "$1" >/dev/null || { echo "FAIL: no $1: install $2"; exit 1; }
}

# battery NAME PORT
battery()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/hostile/battery.py" other "127.0.0.1:$2" >"$dir/$1.said"
	sed "s/^ *[^ ]*:/  $1:/" "$dir/$1.said"
}

accepted()
{
	sed -nE 's/.*: ([0-9]+) of .*/\1/p' "$dir/$1.said"
}

# A server of ours that prints its port first and what it ran last: NAME PROGRAM...
compare_with()
{
	name=$1
	shift
	mkfifo "$dir/$name" || exit 1
	"$@" <"$dir/$name" >"$dir/$name.out" &
	server=$!
	exec 8>"$dir/$name"
	for _ in $(seq 100); do
		[ -s "$dir/$name.out" ] && break
		sleep 0.1
	done
	battery "$name" "$(head -1 "$dir/$name.out")"
	exec 8>&-
	wait "$server"
	echo "  $name: hidden requests that it ran: $(tail -1 "$dir/$name.out")"
}

nginx_conf()
{
	cat <<-CONF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/nginx.errors;
		events { }
		http {
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			access_log off;
			keepalive_timeout 1s;
			server {
				listen 127.0.0.1:$1;
				location / { return 200 "ok"; }
				location = /readyz { access_log $dir/ran; return 200 "ok"; }
			}
		}
	CONF
}

compare_with_nginx()
{
	port=$("$STIPA_PYTHON" -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	nginx_conf "$port" >"$dir/nginx.conf"
	nginx -e "$dir/nginx.errors" -c "$dir/nginx.conf" &
	nginx_pid=$!
	for _ in $(seq 100); do
		[ -s "$dir/nginx.pid" ] && break
		sleep 0.1
	done
	battery nginx "$port"
	kill "$nginx_pid" && wait "$nginx_pid"
	nginx_pid=
	echo "  nginx: hidden requests that it ran: $(wc -l <"$dir/ran")"
}

need nginx nginx-core
need node nodejs
nginx -v 2>&1 | sed 's/^/  /'
compare_with_nginx
echo "  node version: $(node --version)"
compare_with node node "$srcdir/tests/hostile/node_control.mjs"
compare_with python "$STIPA_PYTHON" -B "$srcdir/tests/hostile/gullible.py"
[ "$(accepted python)" -ge 10 ] || { echo "FAIL: the gullible one accepts nothing"; exit 1; }
for name in nginx node; do
	[ "$(accepted "$name")" -lt "$(accepted python)" ] ||
		{ echo "FAIL: $name accepts as much as the gullible one"; exit 1; }
done
