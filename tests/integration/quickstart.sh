#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./quickstart from a release, as make dist packs it, in a path with spaces: the proof, a second run, an env
# that a client can use, Ctrl-C, and an end that leaves nothing behind.
. "${srcdir:-.}/tests/integration/lib.sh"

# By a path without spaces: make cannot write into another.
copy_release()
{
	(unset MAKEFLAGS MFLAGS MAKELEVEL && make -s distdir distdir="$dir/release") &&
	mv "$dir/release" "$checkout"
}

quickstart()
{
	(cd "$checkout" && ./quickstart "$@" </dev/null >"$dir/out" 2>&1)
}

says()
{
	grep -Eq "$1" "$dir/out" && return
	cat "$dir/out"
	echo "wanted: $1"
	return 1
}

# shown WHAT: the step failed, so what quickstart said is worth reading.
shown()
{
	"$@" && return
	cat "$dir/out"
	return 1
}

first_run_proves_itself()
{
	start=$(date +%s)
	shown quickstart --once --port "$port" &&
	says '^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$' &&
	says '"atc":' && says 'curl --cacert' &&
	says 'verify-token-openssl: ES256' && says 'verify-token-jose: ES256' &&
	says 'verify-token-jwcrypto: ES256' && first_took=$(($(date +%s) - start))
}

nothing_runs()
{
	quickstart status && return 1
	says 'PostgreSQL does not run' && says 'node does not run' &&
	! ls "$short"/pg/.s.* >/dev/null 2>&1
}

second_run_is_fast()
{
	start=$(date +%s)
	shown quickstart --detach --port "$port" || return 1
	took=$(($(date +%s) - start))
	echo "  $took s, the first $first_took s"
	[ "$took" -lt $((first_took / 2)) ]
}

env_is_private_and_complete()
{
	[ "$(stat -c %a "$env")" = 600 ] || return 1
	(
		set -eu
		. "$env"
		: "$STIPA_URL$STIPA_CA_FILE$STIPA_PA_ROOT$STIPA_ACCOUNT$STIPA_SPC$STIPA_CLIENT_ID"
		: "$STIPA_CLIENT_SECRET"
		[ "$(psql -XqAt "$STIPA_DB" -c 'SELECT count(*) FROM stipa.token')" = 2 ]
		$STIPA_CTL --json account show "$STIPA_ACCOUNT" | grep -q '"active"'
	)
}

# The line that it printed, run as it stands.
printed_line_works()
{
	line=$(grep 'curl --cacert' "$dir/out")
	(cd "$checkout" && sh -c "$line" 2>&1) | grep -q '"status": *"success"'
}

# The requests of three runs stand in the log; the control shows that a grep would find them.
log_keeps_secrets()
{
	log=$checkout/.quickstart/log/stipad.log
	(
		. "$env"
		basic=$(printf '%s:%s' "$STIPA_CLIENT_ID" "$STIPA_CLIENT_SECRET" | base64 -w0)
		[ "$(grep -c '"route":"token","status":200' "$log")" -ge 3 ] &&
		! grep -Eq "$STIPA_CLIENT_SECRET|$basic|stipa_demo_|eyJ" "$log" &&
		grep -q "$STIPA_CLIENT_SECRET" "$env"
	)
}

status_says_so()
{
	quickstart status && says "runs on https://127.0.0.1:$port" && says 'PostgreSQL runs'
}

a_run_beside_it_changes_nothing()
{
	pid=$(cut -d' ' -f1 "$checkout/.quickstart/run/stipad.pid")
	quickstart --once --port "$port" &&
	[ "$pid" = "$(cut -d' ' -f1 "$checkout/.quickstart/run/stipad.pid")" ] && kill -0 "$pid"
}

is_taken()
{
	curl -s -m 20 -o /dev/null "http://127.0.0.1:$1/"
}

a_taken_port_is_said()
{
	taken=$(free_port)
	/usr/bin/python3 -m http.server --bind 127.0.0.1 "$taken" >/dev/null 2>&1 &
	server=$!
	wait_for is_taken "$taken"
	quickstart --once --port "$taken"
	status=$?
	kill $server
	[ $status = 1 ] && says "port $taken of 127.0.0.1 is taken" && says 'port N'
}

stop_stops()
{
	quickstart stop && nothing_runs
}

# Ctrl-C is a SIGINT; a shell gives its background jobs an ignored one, which env takes back.
ctrl_c_stops_what_it_started()
{
	(cd "$checkout" && exec env --default-signal=INT ./quickstart --port "$port" \
		</dev/null >"$dir/out" 2>&1) &
	runner=$!
	wait_for grep -q 'Ctrl-C stops it' "$dir/out"
	kill -INT $runner
	wait $runner
	nothing_runs
}

reset_leaves_nothing()
{
	quickstart reset && [ ! -e "$short" ] && [ ! -e "$env" ]
}

clean()
{
	[ ! -x "$checkout/quickstart" ] || quickstart reset
	rm -rf "$dir"
}

srcdir=$(cd "$srcdir" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/stipa-quickstart.XXXXXX") || exit 1
dir=$(cd "$dir" && pwd -P)
trap clean EXIT
checkout="$dir/a check out"
env="$checkout/.quickstart/env"
short=/var/tmp/stipa-$(printf %s "$checkout" | sha256sum | head -c 8)
port=$(free_port)
run_step "A release stands in a path with spaces" copy_release
run_step "A first run ends with a verified token" first_run_proves_itself
run_step "It leaves nothing running" nothing_runs
run_step "A second run is fast" second_run_is_fast
run_step "The request that it printed works" printed_line_works
run_step "Neither a secret nor a token is in the log" log_keeps_secrets
run_step "Its status says so" status_says_so
run_step "Its env is private, complete and right" env_is_private_and_complete
run_step "A run beside it changes nothing" a_run_beside_it_changes_nothing
run_step "A port that is taken is said, with the way out" a_taken_port_is_said
run_step "Stop stops" stop_stops
run_step "Ctrl-C stops what it started" ctrl_c_stops_what_it_started
run_step "Reset leaves nothing" reset_leaves_nothing
