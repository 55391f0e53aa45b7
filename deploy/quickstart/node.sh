# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The node: its settings, its life, and who may end it.

has_ipv6()
{
	grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null
}

settings_write()
{
	(umask 077 && mkdir -p "$work/etc") || die "cannot write in $work"
	cat >"$work/etc/stipactl.conf" <<-EOT
		database = "$(conninfo stipa_operator)"
		database_owner = "$(conninfo stipa_owner)"
		environment = "demo"
		migrations = "$source/db/migrations"
	EOT
	cat >"$short/stipactl" <<-EOT
		#!/bin/sh
		exec "$work/build/stipactl" --config "$work/etc/stipactl.conf" "\$@"
	EOT
	chmod 700 "$short/stipactl"
}

node_settings_write()
{
	local listen="\"127.0.0.1:$port\""
	! has_ipv6 || listen="$listen, \"[::1]:$port\""
	cat >"$work/etc/stipad.conf" <<-EOT
		listen = {$listen}
		server_names = {"localhost", "127.0.0.1", "[::1]"}
		tls_certificate = "$work/tls/server.pem"
		tls_key = "$work/tls/server.key"
		local_socket = "$short/node.sock"
		environment = "demo"
		database = "$(conninfo stipa_authority)"
		signer_certificate = "$(signer_certificate)"
		signer_key = "$(signer_key)"
		signer_passphrase = "$pki/passphrase"
		certificates = "$pki/certs"
		state = "$short/state"
		crl_url = "https://127.0.0.1:$port/sti-pa/crl"
		crl_url_download = "https://127.0.0.1:$port/download/v1/crl"
		crl_issuer = "C=US,O=STI-PA,CN=STI-PA CRL"
		base_url = "https://127.0.0.1:$port"
		connections_max = 10000
		drain_timeout_ms = 5000

		# here one address and one client ask for everybody: the limits are wide
		requests_per_address_s = 20000
		requests_per_address_burst = 40000
		requests_per_client_s = 20000
		requests_per_client_burst = 40000
		failures_per_address_min = 6000
		failures_per_address_burst = 30000
	EOT
}

port_is_taken()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

port_check()
{
	port=${port:-8443}
	[ "$(node_port)" = "$port" ] && return
	port_is_taken && die "port $port of 127.0.0.1 is taken" "./quickstart --port N takes another"
	return 0
}

# The port of the node that runs, if one does.
node_port()
{
	process_of stipad >/dev/null && cat "$work/run/port"
}

# What the node was started with.  A rebuilt program or other settings want a new start.
node_fingerprint()
{
	stat -c '%i %Y' "$work/build/stipad"
	cat "$work/etc/stipad.conf" "$work/tls/server.pem" "$(signer_certificate)" | sha256sum
}

node_says()
{
	curl -s --max-time 10 --unix-socket "$short/node.sock" "http://localhost/$1"
}

node_is_ready()
{
	[ "$(node_says readyz -o /dev/null -w '%{http_code}')" = 200 ]
}

node_failed()
{
	tail -n 8 "$work/log/stipad.log" >&2
	node_says readyz >&2
	die "the node $1" "its log: $work/log/stipad.log"
}

node_wait()
{
	local i
	for ((i = 0; i < 600; i++)); do
		[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 --unix-socket \
			"$short/node.sock" http://localhost/readyz)" = 200 ] && return
		process_of stipad >/dev/null || node_failed "ended"
		sleep 0.1
	done
	node_failed "is not ready after a minute"
}

node_start()
{
	local fingerprint
	node_settings_write
	fingerprint=$(node_fingerprint)
	if process_of stipad >/dev/null; then
		[ "$fingerprint" = "$(cat "$work/run/stipad.made")" ] && return
		step "Stopping the node that runs: its program or its settings are others now"
		process_stop stipad 15
		started_cluster=yes  # it ran for that node; now it ends with this one
	fi
	step "Starting the node on https://127.0.0.1:$port"
	started_node=yes
	setsid "$work/build/stipad" --config "$work/etc/stipad.conf" >>"$work/log/stipad.log" 2>&1 \
		</dev/null 9>&- &
	process_record stipad $!
	echo "$port" >"$work/run/port"
	echo "$fingerprint" >"$work/run/stipad.made"
	node_wait
}

node_stop()
{
	process_stop stipad 15
}

# ---- how a run ends ----

started_cluster='' started_node=''

# The end of a run that did not come to its own: what it started stops with it.
end_early()
{
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP PIPE
	[ -z "$started_node$started_cluster" ] || say "Stopping what was started."
	node_stop_ours
	exit "$status"
}

node_stop_ours()
{
	[ -z "$started_node" ] || node_stop
	[ -z "$started_cluster" ] || cluster_stop
	started_node='' started_cluster=''
}

node_leave()
{
	started_node='' started_cluster=''
	say "The node runs.  ./quickstart stop ends it."
}

node_watch()
{
	local pid
	drop_lock
	if [ -z "$started_node" ]; then
		node_leave
		return
	fi
	say "The node runs; its log is $work/log/stipad.log.  Ctrl-C stops it."
	pid=$(process_of stipad)
	wait "$pid"
	started_node=''
	[ -e "$work/run/stipad.pid" ] && node_failed "ended"
	started_cluster=''
	say "The node was stopped."
}

node_status()
{
	if ! process_of stipad >/dev/null; then
		say "The node does not run.  ./quickstart starts it."
		return 1
	fi
	say "The node runs on https://127.0.0.1:$(node_port), process $(process_of stipad)."
	say "readyz: $(node_says readyz)"
	say "Settings and secrets for a client: $work/env"
}

# Only what quickstart made: $short was checked to be ours.
data_remove()
{
	keys_forget
	rm -rf "$work/run" "$work/log" "$short"/{data,data.new,pg,state} "$short/stipactl" "$short/node.sock"
	rm -f "$work/pg" "$short/checkout"
	rmdir "$short"
}
