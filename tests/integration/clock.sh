#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154  # pid_a is stop_node's
# The clock of a node jumps, by a second and by ten years, to and fro, while a client asks.  Every
# token's iat is the database's own second; while the clocks are apart the node is not ready and
# says so; it comes back by itself, and no deadline of its own is early.
#
# STIPA_JUMPS sets how many more jumps there are, of any size (0; "make check-clock-long" takes 60),
# STIPA_SEED repeats them.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

: "${STIPA_JUMPS:=0}"
: "${STIPA_SEED:=$(date +%s)}"
hour=3600 day=86400
years=$((3650 * day))

a_node_with_that_clock()
{
	node_conf a "$port_a" || return 1
	# shellcheck disable=SC2086 # several words
	env $shimmed ./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $!"
	wait_ready a
}

# iat is of the claims that a policy may add.
tokens_have_iat()
{
	ctl policy set --claims iat --reason test >/dev/null
}

jump()
{
	shim_set clock "$1"000000
}

# apart SECONDS: the jump, refused as long as it lasts; back, and it issues.
apart()
{
	jump "$1"
	asks_until 503 "$port_a" >/dev/null || return 1
	for _ in 1 2 3 4 5; do
		[ "$(ask "$port_a")" = 503 ] && is_503_with_retry_after || return 1
		sleep 0.2
	done
	# it is said at the next look
	wait_for says_not_ready a "clock and the database's differ" ||
		{ echo "  $1 s: not said"; return 1; }
	jump 0
	back=$(asks_until 200 "$port_a") || return 1
	slowest=$(printf '%s\n%s\n' "${slowest:-0}" "$back" | sort -g | tail -1)
}

# near SECONDS: within what is allowed, nobody notices.
near()
{
	jump "$1"
	for _ in 1 2 3 4 5; do
		[ "$(ask "$port_a")" = 200 ] || return 1
		sleep 0.5
	done
	jump 0
}

small_jumps_change_nothing()
{
	undisturbed near 1 && undisturbed near -1
}

large_jumps_stop_it()
{
	for seconds in $hour -$hour -$day $years; do
		apart "$seconds" || { echo "  $seconds s"; return 1; }
	done
}

# A connection waits for its head for 5 s, whatever the time of day does meanwhile.  The time is
# taken from before there is a connection, so that it cannot be too short by our own slowness.
no_deadline_is_early()
{
	"$STIPA_PYTHON" - "$port_a" "$dir/tls/ca.pem" "$dir/begun" >"$dir/waited" <<-'PY' &
		import socket, ssl, sys, time
		context = ssl.create_default_context(cafile=sys.argv[2])
		began = time.monotonic()
		with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
		    with context.wrap_socket(plain, server_hostname="127.0.0.1") as slow:
		        slow.sendall(b"POST ")
		        open(sys.argv[3], "w").close()
		        slow.settimeout(60)
		        while slow.recv(4096):
		            pass
		        print(f"{time.monotonic() - began:.2f}")
	PY
	waiting=$!
	wait_for test -e "$dir/begun"
	for seconds in $years -$day $hour 0; do
		jump "$seconds"
		sleep 0.3
	done
	wait "$waiting" && awk '$1 < 4.9 { exit 1 }' "$dir/waited" ||
		{ echo "  the head was waited for $(cat "$dir/waited") s"; return 1; }
}

# has_tokens N: so many in the client's log.
has_tokens()
{
	[ "$(grep -c '"status": 200' "$stream_log")" -ge "$1" ]
}

# more_tokens N: until the client has so many more.
more_tokens()
{
	wait_for has_tokens "$(($(grep -c '"status": 200' "$stream_log") + $1))"
}

# STIPA_JUMPS times: seconds, as many hours as days as years, and for how long.
jumps_at_random()
{
	"$STIPA_PYTHON" -c "import random
random.seed('$STIPA_SEED')
for _ in range($STIPA_JUMPS):
    most = random.choice((10, $hour, $day, $years))
    print(random.randint(-most, most), round(random.uniform(0.1, 3), 1))"
}

jumps_under_load()
{
	stream jumps --per-job 2 --pause 0.02 "$port_a"
	for seconds in 1 $hour 0 -$day 0 $years -1 0; do
		sleep 0.7
		jump "$seconds"
	done
	jumps_at_random >"$dir/jumps"
	while read -r seconds lasting; do
		more_tokens 5 && jump "$seconds" && sleep "$lasting" && jump 0 || return 1
	done <"$dir/jumps"
	wait_for is_answered 200 "$port_a" && more_tokens 20 &&
	stream_end && print_ledger && echo "  $(statuses "$stream_log")"
}

# The difference between each token's iat and the true time at which it was received, which is the
# database's, and between it and its row; nothing but 200 and 503.
iats_are_right()
{
	"$STIPA_PYTHON" - "$stream_log" "$dir/ledger" "${1:-0}" <<-'PY'
		import base64, json, sys
		from datetime import datetime
		lines = [json.loads(line) for line in open(sys.argv[1])]
		rows = {row["jti"]: row for row in map(json.loads, open(sys.argv[2]))}
		wrong, tokens, worst, last = [], 0, 0.0, 0
		wrong += [line["status"] for line in lines if line["status"] not in (200, 503)]
		wrong += [line for line in lines if line["status"] == 503 and not line["retry_after"]]
		for line in sorted((l for l in lines if l["token"]), key=lambda l: l["asked"]):
		    part = line["token"].split(".")[1]
		    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
		    iat = claims["iat"] + int(sys.argv[3])
		    row = datetime.fromisoformat(rows[claims["jti"]]["issued_at"]).timestamp()
		    apart = max(line["asked"] - 1 - iat, iat - line["at"], 0)
		    worst = max(worst, apart)
		    if apart > 2 or iat != int(row) or claims["exp"] <= line["at"]:
		        wrong.append((iat, row, line["asked"], line["at"]))
		    tokens += 1
		print(f"{tokens} tokens, iat at most {worst:.1f} s outside of asking and answer")
		sys.exit(tokens < 20 or bool(wrong))
	PY
}

no_iat_is_wrong()
{
	seen=$(iats_are_right) || { echo "  $seen"; return 1; }
}

# The control: what it would be with the node's own clock in place of the database's.
an_iat_of_the_node_would_be_wrong()
{
	! iats_are_right 3600 >"$dir/control"
}

# The control of the guard: without it, the function takes whatever clock the node has.
without_the_guard_it_goes_on()
{
	sql <<-'SQL' || return 1
		DO $do$
		DECLARE
			source text;
		BEGIN
			source := pg_get_functiondef('stipa.issue_tokens'::regproc);
			ASSERT strpos(source, 'BETWEEN ''-2 s'' AND ''2 s''') > 0;
			EXECUTE replace(source, 'BETWEEN ''-2 s'' AND ''2 s''',
				'BETWEEN ''-30 y'' AND ''30 y''');
			source := pg_get_functiondef('stipa.issuing_state'::regproc);
			ASSERT strpos(source, 'node_clock - now)) > 2 ') > 0;
			EXECUTE replace(source, 'node_clock - now)) > 2 ',
				'node_clock - now)) > 2000000 ');
		END $do$;
	SQL
	jump $hour
	sleep 2.5  # it has looked
	wait_for is_answered 200 "$port_a" && jump 0
}

echo "seed: $STIPA_SEED, jumps: $STIPA_JUMPS more"
start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Accounts are made" make_accounts 2
run_step "Tokens have iat" tokens_have_iat
run_step "The clock can be turned" shim_made
run_step "A node is ready with it" a_node_with_that_clock
run_step "A second to either side changes nothing" small_jumps_change_nothing
run_step "An hour, a day and ten years: not ready, said, and back" large_jumps_stop_it
run_step "No deadline is early" no_deadline_is_early
run_step "A client asks through jumps" jumps_under_load
run_step "Every iat is right" no_iat_is_wrong
run_step "The control: the same tokens with an hour more are found" an_iat_of_the_node_would_be_wrong
run_step "The control: without the guard it would issue" without_the_guard_it_goes_on
echo "I8 holds: $seen, through $((8 + STIPA_JUMPS)) jumps of up to ten years; ready again within" \
	"$slowest s; a deadline of 5 s took $(cat "$dir/waited") s | control: an hour more is found in them, and without the" \
	"guard a node an hour ahead issued"
run_step "The node drains" stop_node a
