#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# Reloads under load: the configuration, the TLS certificate and the program change, new settings
# are refused for five reasons, SIGHUPs come in heaps and processes die or hang in the middle, while
# clients stream on kept connections, on new ones, and now and then on idle ones.  Their own log has
# nothing but tokens, all of them in the ledger.  The control, a plain restart, loses requests.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

make_accounts()
{
	make_account 1 1001 && make_account 2 1002 || return 1
	for i in 1 2; do
		echo "sp-$i client-$i $dir/secret-$i 100$i false"
	done >"$dir/jobs"
}

# ---- the service manager, and a program that can be replaced ----

start_manager()
{
	NOTIFY_SOCKET="@stipa-test-$$"
	"$STIPA_PYTHON" "$srcdir/tests/integration/notified.py" "$NOTIFY_SOCKET" >"$dir/notified" &
	nodes="$nodes $!"
	export NOTIFY_SOCKET
	export WATCHDOG_USEC=400000
	wait_for grep -q listening "$dir/notified"
}

notified()
{
	grep -q -- "$1" "$dir/notified"
}

start_program()
{
	cp ./stipad "$dir/stipad" && node_conf a "$port_a" && echo "head_timeout_ms = 20000" >>"$dir/a.conf" &&
	cp "$dir/a.conf" "$dir/a.conf.good" || return 1
	"$dir/stipad" --config "$dir/a.conf" --ready-timeout 10 >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $pid_a"
	unset NOTIFY_SOCKET WATCHDOG_USEC
	wait_ready a && wait_for notified "READY=1"
}

# ---- clients ----

# stream NAME OPTION...: until $dir/stop.NAME is there.
stream()
{
	name=$1
	shift
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/client.$name" --jobs "$dir/jobs" --until "$dir/stop" --seconds 900 \
		"$@" "$port_a" &
	streams="$streams $!"
}

start_clients()
{
	streams=
	rm -f "$dir/stop"
	stream kept --per-job 2
	stream fresh --fresh --pause 0.02
	stream idle --pause 2.3
	wait_for test -s "$dir/client.idle"
}

stop_clients()
{
	: >"$dir/stop"
	for pid in $streams; do
		wait "$pid" || return 1
	done
	cat "$dir"/client.* >"$dir/log.all"
}

lost()
{
	lost_in "$dir/log.all" >"$dir/lost"
	wc -l <"$dir/lost"
}

nothing_was_lost()
{
	stop_clients
	[ "$(lost)" = 0 ] && return
	echo "  $(wc -l <"$dir/lost") of $(wc -l <"$dir/log.all") requests lost:"
	cut -c1-400 "$dir/lost" | head -5
	return 1
}

# A client that is not ours, with kept connections.
h2load_loses_nothing()
{
	printf '%s' "$(body 1001)" >"$dir/body"
	h2load --h1 -c 8 -D 4 --warm-up-time 0 -d "$dir/body" -H 'Content-Type: application/json' \
		-H "Authorization: Basic $(printf 'client-1:%s' "$(cat "$dir/secret-1")" | base64 -w 0)" \
		"https://127.0.0.1:$port_a/sti-pa/account/sp-1/token" >"$dir/h2load" 2>&1 &
	loader=$!
	reloads && reloads && wait "$loader" || return 1
	grep -E '^(requests|status codes):' "$dir/h2load"
	grep -q ' 0 failed, 0 errored, 0 timeout' "$dir/h2load" &&
	grep -q ' 0 3xx, 0 4xx, 0 5xx' "$dir/h2load"
}

every_token_is_in_the_ledger()
{
	sql -c "SELECT row_to_json(row) FROM (SELECT token.*, signer_certificate.x5u
		FROM stipa.token JOIN stipa.signer_certificate USING (kid)) AS row" >"$dir/ledger" &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$dir/log.all" "$dir/ledger"
}

# ---- generations ----

# The number of the generation that was the last to serve.
serving()
{
	grep -o '"generation serves","generation":[0-9]*' "$dir/a.log" | tail -1 | grep -o '[0-9]*$' ||
		echo 1
}

serves()
{
	[ "$(serving)" = "$1" ]
}

refused()
{
	[ "$(grep -c 'is refused, the old one serves on' "$dir/a.log")" = "$1" ]
}

leader_of()
{
	pgrep -P "$pid_a" -f -- "--generation $1\$"
}

# None is on its way.
is_quiet()
{
	[ "$(grep -c '"reloading"' "$dir/a.log")" = \
		"$(grep -cE '"generation serves"|the old one serves on' "$dir/a.log")" ]
}

# The next one serves, whatever number it has.
reloads()
{
	wait_for is_quiet || return 1
	before=$(serving)
	kill -HUP "$pid_a"
	wait_for serves_after "$before"
}

serves_after()
{
	[ "$(serving)" -gt "$1" ]
}

# is_refused WHY: the new one does not come to serve, for a reason that is told.
is_refused()
{
	wait_for is_quiet || return 1
	before=$(serving)
	n=$(grep -c 'is refused, the old one serves on' "$dir/a.log")
	kill -HUP "$pid_a"
	wait_for refused $((n + 1)) && serves "$before" || return 1
	grep 'is refused, the old one serves on' "$dir/a.log" | tail -1 | grep -q -- "$1" ||
		{ grep 'is refused' "$dir/a.log" | tail -1; return 1; }
	wait_for notified "READY=1 STATUS=generation [0-9]* refused: .*$1" && wait_ready a &&
	wait_for is_measured stipa_reload_refused 1
}

# is_measured METRIC VALUE
is_measured()
{
	curl -s -m 10 --unix-socket "$dir/a.sock" http://localhost/metrics | grep -qx "$1 $2"
}

good_settings()
{
	cp "$dir/a.conf.good" "$dir/a.conf"
}

# ---- the steps ----

settings_take_effect()
{
	sed "s,^crl_url = .*,crl_url = \"https://pa.example/new\"," "$dir/a.conf.good" >"$dir/a.conf"
	reloads &&
	curl -s -m 20 --retry 5 --cacert "$dir/tls/ca.pem" -u "client-1:$(cat "$dir/secret-1")" \
		-H 'Content-Type: application/json' -d "$(body 1001)" \
		"https://127.0.0.1:$port_a/sti-pa/account/sp-1/token" |
		grep -q '"crl":"https://pa.example/new"'
}

served_certificate()
{
	openssl s_client -connect "127.0.0.1:$port_a" </dev/null 2>/dev/null |
		openssl x509 -noout -fingerprint
}

certificate_takes_effect()
{
	old=$(served_certificate)
	cp "$dir/tls/server.pem" "$dir/tls/old.pem"
	openssl x509 -req -in "$dir/tls/server.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" \
		-CAcreateserial -days 2 -extfile "$dir/tls/ext" -out "$dir/tls/new.pem" 2>/dev/null &&
	mv "$dir/tls/new.pem" "$dir/tls/server.pem" &&
	[ "$(served_certificate)" = "$old" ] && reloads &&
	[ "$(served_certificate)" != "$old" ] &&
	[ "$(served_certificate)" = "$(openssl x509 -in "$dir/tls/server.pem" -noout -fingerprint)" ]
}

program_takes_effect()
{
	inode=$(stat -c %i "$dir/stipad")
	cp "$dir/stipad" "$dir/stipad.new" && mv "$dir/stipad.new" "$dir/stipad" && reloads &&
	leader=$(leader_of "$(serving)") &&
	[ "$(stat -Lc %i "/proc/$leader/exe")" = "$(stat -c %i "$dir/stipad")" ] &&
	[ "$(stat -Lc %i "/proc/$pid_a/exe")" = "$inode" ]
}

is_served()
{
	curl -s -m 20 -o /dev/null --cacert "$dir/tls/ca.pem" "https://127.0.0.1:$1/nothing"
}

addresses_take_effect()
{
	port_c=$(free_port)
	sed -e "s/^listen = .*/listen = {\"127.0.0.1:$port_a\", \"127.0.0.1:$port_c\"}/" \
		-e "s,^local_socket = .*,local_socket = \"$dir/other.sock\"," \
		"$dir/a.conf.good" >"$dir/a.conf"
	reloads && is_served "$port_c" && is_served "$port_a" &&
	wait_for is_ready other && wait_for not test -e "$dir/a.sock" && good_settings &&
	reloads && is_served "$port_a" && wait_for not is_served "$port_c" &&
	wait_ready a && wait_for not test -e "$dir/other.sock"
}

not()
{
	! "$@"
}

what_is_wrong_is_refused()
{
	echo "edges = many" >>"$dir/a.conf"
	is_refused "a.conf:$(wc -l <"$dir/a.conf"): edges: " || return 1
	sed "s,^tls_key = .*,tls_key = \"$dir/tls/ca.key\"," "$dir/a.conf.good" >"$dir/a.conf"
	is_refused "edge-[12]: .*ca.key" || return 1
	sed "s,^signer_key = .*,signer_key = \"$dir/tls/server.key\"," "$dir/a.conf.good" >"$dir/a.conf"
	is_refused "authority: .*key" || return 1
	sed "s,^listen = .*,listen = {\"192.0.2.1:1\"}," "$dir/a.conf.good" >"$dir/a.conf"
	is_refused "listen on 192.0.2.1:1: " || return 1
	sed "s,^database = .*,database = \"host=$dir/tls user=stipa_authority\"," "$dir/a.conf.good" \
		>"$dir/a.conf"
	is_refused "not ready in time: authority: " || return 1
	good_settings
	mv "$dir/stipad" "$dir/stipad.away"
	is_refused "stipad: No such file" || return 1
	cp /bin/false "$dir/stipad"
	is_refused "it ended" || return 1
	mv "$dir/stipad.away" "$dir/stipad"
	reloads && is_measured stipa_reload_refused 0
}

# Each is followed by one that read after it, and no more than that.
many_at_once_are_sound()
{
	before=$(serving)
	for _ in $(seq 20); do
		kill -HUP "$pid_a"
	done
	wait_for serves_after "$before" && wait_for is_quiet &&
	[ $(($(last_generation) - before)) -le 4 ] && reloads && reloads && reloads && reloads &&
	wait_ready a
}

# has_one_guest LEADER: the streams have gone over, so that its death is nobody's loss.
has_one_guest()
{
	# shellcheck disable=SC2046
	"$STIPA_PYTHON" - "$port_a" $(pgrep -P "$1") <<-'PY'
		import os, sys
		with open("/proc/net/tcp", encoding="ascii") as file:
		    rows = [line.split() for line in file][1:]
		guests = {f"socket:[{row[9]}]" for row in rows
		          if row[3] == "01" and int(row[1].split(":")[1], 16) == int(sys.argv[1])}
		files = [f"/proc/{pid}/fd/{fd}" for pid in sys.argv[2:] for fd in os.listdir(f"/proc/{pid}/fd")]
		sys.exit(sum(os.path.islink(file) and os.readlink(file) in guests for file in files) != 1)
	PY
}

deaths_in_the_middle_are_sound()
{
	# the one that comes
	sed "s,^database = .*,database = \"host=$dir/tls user=stipa_authority\"," "$dir/a.conf.good" \
		>"$dir/a.conf"
	before=$(serving)
	n=$(grep -c 'is refused, the old one serves on' "$dir/a.log")
	last=$(($(last_generation) + 1))
	kill -HUP "$pid_a"
	wait_for leader_of "$last" >/dev/null && sleep 0.2 &&
	kill -9 "$(leader_of "$last")" && wait_for refused $((n + 1)) && serves "$before" || return 1
	# a child of the one that leaves, and itself, as a guest in the middle of a head keeps it
	good_settings
	old=$(leader_of "$before")
	rm -f "$dir/guest-may-go"
	{ printf 'GET /' && wait_for test -e "$dir/guest-may-go" >/dev/null; } |
		openssl s_client -ign_eof -connect "127.0.0.1:$port_a" >"$dir/guest" 2>&1 &
	guest=$!
	wait_for grep -q "Verify return code" "$dir/guest" && sleep 0.3 &&
	reloads && wait_for has_one_guest "$old" &&
	victim=$(pgrep -P "$old" | head -1) && [ -n "$victim" ] &&
	kill -9 "$victim" && sleep 0.1 && kill -9 "$old"
	died=$?
	: >"$dir/guest-may-go"
	wait "$guest"
	return $died
}

last_generation()
{
	grep -o '"generation starts","generation":[0-9]*' "$dir/a.log" | tail -1 | grep -o '[0-9]*$'
}

# ---- hangs and deaths: seconds until tokens flow again ----

received_after()
{
	tail -n 50 "$dir/client.kept" | "$STIPA_PYTHON" -c "import json, sys
for line in sys.stdin:
    try: line = json.loads(line)
    except ValueError: continue
    if line['status'] == 200 and line['asked'] > $1: sys.exit(0)
sys.exit(1)"
}

child_of_serving()
{
	children_named "$(leader_of "$(serving)")" "$1" | head -1
}

is_replaced()
{
	[ ! -e "/proc/$1/exe" ]
}

hangs_are_noticed_soon()
{
	echo "hang_timeout_ms = 2000" >>"$dir/a.conf" && reloads
}

hung_ones_are_replaced()
{
	for kind in edge authority; do
		victim=$(child_of_serving "$kind")
		[ -n "$victim" ] && kill -STOP "$victim" && wait_for is_replaced "$victim" &&
		wait_for received_after "$(date +%s.%N)" || return 1
		grep -q "a child hangs, and is killed.*\"child\":\"$kind" "$dir/a.log" || return 1
	done
}

# A node that stood still as a whole is not taken for one that hangs.
a_frozen_node_goes_on()
{
	wait_for only_one_generation || return 1
	hangs=$(grep -c 'hangs, and is killed' "$dir/a.log")
	all="$pid_a $(descendants "$pid_a")"
	kill -STOP $all && sleep 4 && kill -CONT $all && sleep 1.5 && wait_ready a &&
	[ "$(grep -c 'hangs, and is killed' "$dir/a.log")" = "$hangs" ]
}

a_dead_generation_is_replaced()
{
	kill -9 "$(leader_of "$(serving)")"
	sleep 0.05
	wait_ready a
}

the_watchdog_is_fed()
{
	n=$(grep -c "WATCHDOG=1" "$dir/notified")
	sleep 1
	[ $(($(grep -c "WATCHDOG=1" "$dir/notified") - n)) -ge 2 ]
}

the_manager_was_told()
{
	grep -Eq '^RELOADING=1 MONOTONIC_USEC=[0-9]+ STATUS=reloading$' "$dir/notified" &&
	notified "^STATUS=generation [0-9]* serves$" && notified "^STOPPING=1 STATUS=draining$" ||
		{ sort "$dir/notified" | uniq -c | sort -rn | head -20; return 1; }
}

nothing_is_left()
{
	[ ! -e "$dir/a.sock" ] && [ -z "$(pgrep -f -- "--config $dir/a.conf")" ]
}

descriptors()
{
	find "/proc/$pid_a/fd" -mindepth 1 | wc -l
}

# By now only one generation is there: the others had their guests' time.
the_monitor_keeps_nothing()
{
	wait_for only_one_generation && [ "$(descriptors)" -le "$descriptors_before" ] ||
		{ echo "  $(descriptors) descriptors, $descriptors_before before"; return 1; }
}

only_one_generation()
{
	[ "$(pgrep -c -P "$pid_a")" = 1 ]
}

it_ends_in_the_middle_of_a_reload()
{
	kill -HUP "$pid_a" && sleep 0.02 && stop_node a && wait_for nothing_is_left
}

# The control: what a restart does to the same clients is seen.
a_restart_loses_requests()
{
	rm -f "$dir"/client.*
	stop_node a 2>/dev/null  # of a try before
	start_node a "$port_a" && start_clients && stop_node a && start_node a "$port_a" &&
	sleep 0.5 && stop_clients && restart_lost=$(lost) && [ "$restart_lost" -gt 0 ]
}

start_postgres fsync=on
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The accounts are made" make_accounts
run_step "The service manager listens" start_manager
run_step "A node is ready, and says so" start_program
descriptors_before=$(descriptors)
run_step "Clients stream" start_clients
run_step "A reload changes settings" settings_take_effect
run_step "A reload serves the new certificate" certificate_takes_effect
run_step "A reload starts the new program" program_takes_effect
run_step "A reload takes addresses up, and gives them back" addresses_take_effect
run_step "What is wrong is refused, and the reason told" what_is_wrong_is_refused
run_step "h2load loses nothing through two reloads" undisturbed h2load_loses_nothing
run_step "Many SIGHUPs, also while others drain, are sound" undisturbed many_at_once_are_sound
run_step "Deaths in the middle of a reload are sound" deaths_in_the_middle_are_sound
run_step "No request was lost" nothing_was_lost
reloaded=$(wc -l <"$dir/log.all")
run_step "Every token is in the ledger once" every_token_is_in_the_ledger
run_step "The watchdog is fed" undisturbed the_watchdog_is_fed
run_step "The monitor keeps nothing of old generations" the_monitor_keeps_nothing
rm -f "$dir"/client.*
run_step "Clients stream" start_clients
run_step "What hangs is to be noticed soon" hangs_are_noticed_soon
run_step "A process that hangs is replaced" hung_ones_are_replaced
run_step "A node that was frozen as a whole goes on" a_frozen_node_goes_on
run_step "A generation that dies is replaced" a_dead_generation_is_replaced
stop_clients
run_step "The node ends in the middle of a reload" it_ends_in_the_middle_of_a_reload
run_step "The service manager was told" the_manager_was_told
run_step "The control: a restart loses requests" undisturbed a_restart_loses_requests
echo "I17 holds: $reloaded requests through $(serving) generations, none lost | control: a restart loses $restart_lost"
