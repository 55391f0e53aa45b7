#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The connection to the database is broken at each message of a batch, and a wait for a synchronous
# standby is cancelled: whenever the outcome of the commit is not known for good, no token leaves,
# the client is told 503, and the next one has a token within seconds.
#
# STIPA_CUTS=all delays every message as well ("make check-commit-long").
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

: "${STIPA_CUTS:=short}"

proxy_is_there()
{
	mkdir -m 777 "$dir/proxy" || return 1
	"$STIPA_PYTHON" "$srcdir/tests/integration/cut.py" "$dir/proxy/.s.PGSQL.5432" \
		"$PGHOST/.s.PGSQL.5432" "$dir/proxy" 2>"$dir/proxy.log" &
	proxy=$!
	nodes="$nodes $proxy"
	wait_for test -S "$dir/proxy/.s.PGSQL.5432"
}

a_node_behind_it()
{
	node_conf a "$port_a" &&
	sed -i "s|host=$PGHOST |host=$dir/proxy |" "$dir/a.conf" &&
	start_node a "$port_a"
}

rows()
{
	sql -c "SELECT count(*) FROM stipa.token"
}

# arm SIDE MESSAGE ACTION: whole at once, since batches under load look for it at any moment.
arm()
{
	rm -f "$dir/proxy/fired"
	echo "$*" >"$dir/proxy/arm.new" && mv "$dir/proxy/arm.new" "$dir/proxy/arm"
}

# Ask until a batch has met what is armed; a node that has lost its connection refuses before that.
ask_into_it()
{
	for _ in $(seq 50); do
		status=$(ask "$port_a")
		[ "$status" = 503 ] && [ -e "$dir/proxy/arm" ] || return
		sleep 0.1
	done
}

# cut_at SIDE MESSAGE ACTION: one request meets it.  What it was told decides.
cut_at()
{
	before=$(rows)
	arm "$@"
	ask_into_it
	wait_for test -e "$dir/proxy/fired" && grep -q "^$1 $2 $3 " "$dir/proxy/fired" ||
		{ echo "  $*: was not met: $status"; return 1; }
	is_503_with_retry_after && ! grep -q token "$dir/asked.body" ||
		{ echo "  $*: status $status"; return 1; }
	took=$(asks_until 200 "$port_a") || { echo "  $*: no token afterwards"; return 1; }
	# one token was received since; a second row is of the cut, and nobody has its token
	echo "$1 $2 $3 $(cut -d' ' -f4 "$dir/proxy/fired") $(($(rows) - before - 1)) $took" \
		>>"$dir/cuts"
}

at_every_message()
{
	: >"$dir/cuts"
	for action in cut half; do
		for message in B D E S; do
			cut_at node "$message" "$action" || return 1
		done
		for message in 2 T D C Z; do
			cut_at server "$message" "$action" || return 1
		done
	done
	for message in 2 T D C Z; do
		cut_at server "$message" garble || return 1
	done
	cut_at node S flush || return 1
	case $STIPA_CUTS in
	all) delayed="node:B node:D node:E node:S server:2 server:T server:D server:C server:Z" ;;
	*) delayed="node:S server:Z" ;;
	esac
	for at in $delayed; do
		cut_at "${at%:*}" "${at#*:}" delay || return 1
	done
	awk '{ n++; issued += $4; rows += $5; if ($4 > 0 && $5 == 0) gone++; if ($6 > most) most = $6 }
		END { printf "cuts=%d issued=%d rows=%d gone=%d most=%s\n", n, issued, rows, gone, most
		}' "$dir/cuts" >"$dir/sum" && . "$dir/sum"
}

# The control: rows had already called the order issued, and yet nothing was committed.  Whoever
# believes rows hands out such tokens.
believing_rows_would_be_wrong()
{
	[ "$issued" -ge 3 ] && [ "$gone" -ge 1 ] || { cat "$dir/cuts"; return 1; }
}

# Everything received, and nothing else, by a client's own log while one cut follows the other.
under_load()
{
	stream load --per-job 3 "$port_a"
	for at in "server Z cut" "node S flush" "server C half" "server D garble" "node S cut"; do
		sleep 0.5
		arm "$at"
		wait_for test -e "$dir/proxy/fired" || { echo "  $at: was not met"; stream_end; return 1; }
	done
	sleep 1
	stream_end && print_ledger &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$stream_log" "$dir/ledger" &&
	! grep -v '"status": 200' "$stream_log" | grep -v '"status": 503' | head -3 | grep . &&
	echo "  $(statuses "$stream_log")"
}

# ---- a synchronous standby that is not there ----

standby()
{
	sql -c "ALTER SYSTEM SET synchronous_standby_names = '$1'" -c "SELECT pg_reload_conf()" \
		>/dev/null
}

# wait_is_ended FUNCTION ROLE PROCESS: the backend of the role that waits for the standby, as long as
# the process asks.
wait_is_ended()
{
	while kill -0 "$3" 2>/dev/null; do
		[ "$(PGOPTIONS='-c synchronous_commit=local' sql -c "SELECT count($1(pid))
			FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = '$2'")" != 0 ] &&
			return
		sleep 0.02
	done
	return 1
}

# ended_wait FUNCTION: a node's commit that was made here, but not where it should also be.  A node
# that has lost its connection just now refuses at once: then it is asked again.
ended_wait()
{
	for _ in $(seq 50); do
		before=$(PGOPTIONS='-c synchronous_commit=local' rows)
		ask "$port_a" >"$dir/told" &
		asking=$!
		wait_is_ended "$1" stipa_authority "$asking"
		met=$?
		wait "$asking"
		[ "$met" != 0 ] || break
		sleep 0.1
	done
	[ "$met" = 0 ] || { echo "  $1: no wait was met"; return 1; }
	[ "$(cat "$dir/told")" = 503 ] && is_503_with_retry_after || { cat "$dir/told"; return 1; }
	[ "$(PGOPTIONS='-c synchronous_commit=local' rows)" -gt "$before" ]
}

no_token_of_an_ended_wait()
{
	standby nobody || return 1
	for _ in 1 2 3; do
		ended_wait pg_cancel_backend || return 1
	done
	ended_wait pg_terminate_backend
}

# The control: a plain client sees a success.
a_plain_client_believes_it()
{
	sql -c "SET client_min_messages = error" -c "CREATE TABLE public.plain ()" \
		>"$dir/plain" 2>&1 &
	plain=$!
	wait_is_ended pg_cancel_backend postgres "$plain" && wait "$plain" && [ ! -s "$dir/plain" ]
}

it_goes_on_without_a_standby()
{
	standby '' && back=$(asks_until 200 "$port_a")
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Accounts are made" make_accounts 3
run_step "The proxy stands between" proxy_is_there
run_step "A node is ready behind it" a_node_behind_it
run_step "No token leaves, wherever the connection breaks" at_every_message
run_step "The control: rows said issued, and nothing was committed" believing_rows_would_be_wrong
run_step "The same with a client's log under load" under_load
run_step "A wait for the standby that was ended gives no token" no_token_of_an_ended_wait
run_step "The control: a plain client takes it for a success" a_plain_client_believes_it
run_step "Without the standby it goes on" it_goes_on_without_a_standby
echo "I3 holds: $cuts broken batches gave 503 and no token, $rows of their commits having happened;" \
	"a token again within $most s | control: rows had called $issued of them issued, and $gone" \
	"of these are not in the ledger"
echo "I3 holds: 4 waits for a standby ended, 503 and no token; again within $back s |" \
	"control: a plain client was told of a success"
run_step "The node drains" stop_node a
