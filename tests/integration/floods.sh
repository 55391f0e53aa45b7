#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# Guessing and login floods, bounded and on loopback: limits hold for whoever guesses and for nobody
# else, memory stays bounded, and 5,000 providers log in within a minute.  How a flood weighs on the
# token path's latency is measured by tests/bench/floods.sh.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

: "${STIPA_LOGINS:=5000}"
growth_max_kb=16384

flood()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/api/floods.py" --ca "$dir/tls/ca.pem" "$port_a" "$@" \
		>"$dir/flood"
}

told()
{
	jq -r ".\"$1\" // 0" "$dir/flood"
}

# A token for the good client, from 127.0.0.1.
good_token()
{
	curl -s -m 20 --retry 5 --cacert "$dir/tls/ca.pem" -u "demo-kms:$(cat "$dir/secret-demo-kms")" \
		-H 'Content-Type: application/json' -d "$(body 1234)" -o "$dir/good" \
		-w '%{http_code}' "https://127.0.0.1:$port_a/sti-pa/account/sp-demo/token"
}

good_client_is_served()
{
	status=$(good_token)
	[ "$status" = 200 ] || { echo "the good client: $status $(cat "$dir/good")"; return 1; }
}

# A burst is judged, then 429 with Retry-After; the next address is judged as if nothing had been.
guessing_is_limited()
{
	for way in basic token oauth login report; do
		first=$((${first:-0} + 10))
		asked=60
		[ "$way" != report ] || asked=900  # no failure: the limit of all requests, 20 a second
		flood guess "$way" --first $first --requests $asked || return 1
		echo "  $way: $(cat "$dir/flood")"
		[ "$(told 429)" -ge 20 ] && [ "$(told 429)" -lt $asked ] &&
		[ "$(told without_retry_after)" = 0 ] && [ "$(told lost)" = 0 ] || return 1
		flood guess "$way" --first $((first + 1)) --requests 1 || return 1
		[ "$(told 429)" = 0 ] || { echo "another address is refused"; return 1; }
	done
	good_client_is_served
}

resident_kb()
{
	for child in $(descendants "$pid_a"); do
		awk -v name="$(cat "/proc/$child/comm")" '/^VmRSS/ { print name, $2 }' \
			"/proc/$child/status"
	done | sort
}

# What each process grew by, the most of them.
growth()
{
	paste -d' ' "$dir/before" "$dir/after" |
		awk '$1 != $3 { print 999999; exit } { g = $4 - $2; if (g > m) m = g }
			END { print m + 0 }'
}

# many_addresses WAY ADDRESSES REQUESTS [AT-ONCE]
many_addresses()
{
	flood guess "$1" --first $((first = first + 5000)) --addresses "$2" --requests "$3" \
		--threads "${4:-16}" && echo "  $1 from $2 addresses: $(cat "$dir/flood")"
}

memory_is_bounded()
{
	many_addresses basic 300 2 && many_addresses login 300 2 || return 1
	resident_kb >"$dir/before"
	rows=$(sql -c "SELECT count(*) FROM stipa.token_refusal")
	many_addresses basic 1500 4 && many_addresses login 1500 2 &&
	many_addresses token 500 4 && many_addresses oauth 500 2 || return 1
	resident_kb >"$dir/after"
	grown=$(growth)
	echo "  the process that grew most: $grown kB"
	[ "$grown" -lt "$growth_max_kb" ] || return 1
	[ "$(sql -c "SELECT count(*) FROM stipa.token_refusal")" = "$rows" ] ||
		{ echo "strangers filled the table of refusals"; return 1; }
	good_client_is_served
}

# good_login USER [RETRIES]: the status of a login with the right password, from 127.0.0.1.
good_login()
{
	jq -n --arg user "$1" --arg password "$(cat "$dir/secret-$1")" \
		'{userId: $user, password: $password}' |
		curl -s -m 20 --retry "${2:-5}" --cacert "$dir/tls/ca.pem" \
			-H 'Content-Type: application/json' --data-binary @- -o "$dir/good" -w '%{http_code}' \
			"https://127.0.0.1:$port_a/api/v1/auth/login"
}

logs_in()
{
	status=$(good_login "$1")
	[ "$status" = 200 ] || { echo "$1: $status $(cat "$dir/good")"; return 1; }
}

# The one thread of the idle class: argon2id's.
find_the_idle_thread()
{
	thread=$(for stat in /proc/"$(children_named "$pid_a" authority)"/task/*/stat; do
		sed "s/.*) //" "$stat" | awk -v task="${stat%/stat}" '$39 == 5 { print task }'
	done)
	[ -d "$thread" ] || { echo "argon2id has not one thread: $thread"; return 1; }
}

# Its processor time.
idle_ticks()
{
	sed "s/.*) //" "$thread/stat" | awk '{ print $12 + $13 }'
}

# One thread verifies chosen passwords, with a quarter of a core; what is too much is told at once,
# and nobody else waits for it.  Names and addresses are as many as the requests.
chosen_passwords_do_not_block()
{
	find_the_idle_thread && before=$(idle_ticks) || return 1
	many_addresses chosen 800 2 64 &
	flood_pid=$!
	sleep 0.5
	for _ in 1 2 3 4 5; do
		good_client_is_served && logs_in demo-user || return 1
	done
	wait "$flood_pid" || return 1
	spent_ms=$((($(idle_ticks) - before) * 1000 / $(getconf CLK_TCK)))
	may_ms=$(told seconds | awk '{ printf "%d", 250 * ($1 + 1) + 500 }')
	echo "  argon2id took $spent_ms ms of $may_ms ms that it may"
	[ "$spent_ms" -lt "$may_ms" ] && [ "$(told 503)" -gt 0 ] && [ "$(told without_retry_after)" = 0 ] &&
	[ "$(told lost)" = 0 ] && [ $(($(told 403) + $(told 503) + $(told 429))) = 1600 ] &&
	has_counted password-queue
}

# The control: what was measured is what argon2id takes.  From here on its thread is as good as the
# others, so that a machine with much other work does not hold it up.
the_thread_is_the_one_that_verifies()
{
	passwords_are_verified_at_once "$pid_a" && ticks=$(idle_ticks) && logs_in demo-chosen &&
	[ "$(idle_ticks)" -gt "$ticks" ]
}

# has_counted LIMIT
has_counted()
{
	curl -s -m 5 --unix-socket "$dir/a.sock" http://localhost/metrics |
		grep -q "^stipa_limits_hit_total{limit=\"$1\"} [1-9]" ||
		{ echo "no stipa_limits_hit of $1"; return 1; }
}

# Guesses at one user's password from many addresses: twenty and ten a minute are verified, whoever
# he is, and no other user is shut out.
one_user_is_guarded()
{
	logs_in demo-chosen || return 1
	many_addresses one-user 300 1 2 || return 1
	[ "$(told 403)" -le $((21 + $(told seconds | cut -d. -f1) / 6)) ] &&
	[ "$(told 429)" -ge 200 ] && [ "$(told without_retry_after)" = 0 ] &&
	[ "$(told lost)" = 0 ] && has_counted user-failures &&
	[ "$(good_login demo-chosen 0)" = 429 ] && logs_in demo-other && logs_in demo-user
}

# A client's own limit: 429 for it.  Sixty requests on one connection: the part after # is curl's.
clients_are_limited()
{
	curl -si -m 60 --cacert "$dir/tls/ca.pem" -u "slow-kms:$(cat "$dir/secret-slow-kms")" \
		-H 'Content-Type: application/json' -d "$(body 1234)" -o "$dir/told.#1" \
		"https://127.0.0.1:$port_b/sti-pa/account/sp-demo/token#[1-60]" || return 1
	grep -lE '^HTTP/1.1 429' "$dir"/told.* >"$dir/limited" &&
	grep -qE '^HTTP/1.1 200' "$dir"/told.* || { head -1 "$dir"/told.*; return 1; }
	while read -r told; do
		grep -qi '^retry-after: [0-9]' "$told" && grep -q '"too-many-requests"' "$told" ||
			return 1
	done <"$dir/limited"
}

# As many accounts, each with its client and user; made by SQL, because it is many.
make_providers()
{
	sql -v n="$STIPA_LOGINS" >/dev/null <<-'SQL'
		SET search_path = stipa;
		INSERT INTO organisation (name, legal_name, kinds, created_at)
			SELECT 'flood', 'Flood', '{sp}', now();
		INSERT INTO account (organisation_id, name, state, verified_until)
			SELECT o.id, 'sp-flood-' || i, 'active', now() + interval '1 d'
			FROM organisation AS o, generate_series(1, :n) AS i WHERE o.name = 'flood';
		INSERT INTO api_client (account_id, name, created_at)
			SELECT a.id, replace(a.name, 'sp-', ''), now()
			FROM account AS a WHERE a.name LIKE 'sp-flood-%';
	SQL
	"$STIPA_PYTHON" -B - "$srcdir/tests/api" "$STIPA_LOGINS" >"$dir/users" <<-'PY' || return 1
		import sys
		sys.path.insert(0, sys.argv[1])
		import caller
		for n in range(1, int(sys.argv[2]) + 1):
		    text = "stipa_demo_pw_" + caller.b64url(n.to_bytes(32, "big"))
		    check = caller.b64url(caller.hashlib.sha256(text.encode()).digest())[:6]
		    print(f"flood-{n} {text}{check}")
	PY
	{
		echo 'CREATE TEMP TABLE given (name text, password text);'
		echo "COPY given FROM STDIN (DELIMITER ' ');"
		cat "$dir/users"
		echo '\.'
		echo "INSERT INTO stipa.api_user (client_id, name, digest, created_at, tokens_from)
			SELECT c.id, g.name, sha256('login'::bytea || '\\x00' || g.name::bytea ||
				'\\x00' || g.password::bytea), now(), now() - interval '1 s'
			FROM given AS g JOIN stipa.api_client AS c ON c.name = g.name;
			ANALYZE;"
	} | sql
}

# All that the node and its database have taken of the processors so far, in seconds.
taken_s()
{
	for pid in $(descendants "$pid_a") $(descendants "$(head -1 "$dir/data/postmaster.pid")"); do
		sed "s/.*) //" "/proc/$pid/stat"
	done | awk -v per_s="$(getconf CLK_TCK)" '{ ticks += $12 + $13 } END { print ticks / per_s }'
}

# Within a minute of one processor, whoever else wants it too.
everybody_logs_in()
{
	before=$(taken_s)
	flood logins "$dir/users" --first 40000 --threads 24 || return 1
	took=$(echo "$(taken_s) $before" | awk '{ print $1 - $2 }')
	echo "  $(cat "$dir/flood"), $took s of a processor"
	[ "$(told 200)" = "$STIPA_LOGINS" ] && [ "${took%.*}" -gt 0 ] && [ "${took%.*}" -lt 60 ]
}

usual_node()
{
	node_conf a "$port_a" &&
	with_limits a 'requests_per_address_s = 20' 'requests_per_address_burst = 60' &&
	start_node a "$port_a"
}

limited_node()
{
	node_conf b "$port_b" &&
	with_limits b 'requests_per_client_s = 1' 'requests_per_client_burst = 5' &&
	start_node b "$port_b"
}

make_world()
{
	make_demo && client_of sp-demo slow-kms && for user in demo-chosen demo-other; do
		echo "correct horse of $user" >"$dir/secret-$user" && chmod 600 "$dir/secret-$user" &&
		ctl api-user add demo-kms "$user" --password-file "$dir/secret-$user" || return 1
	done
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "The demo service provider" quietly make_world
run_step "$STIPA_LOGINS more of them" make_providers
run_step "A node is ready" usual_node
run_step "Whoever guesses is told 429, and nobody else" guessing_is_limited
run_step "Memory is bounded, and the ledger of refusals" memory_is_bounded
run_step "Chosen passwords do not block the others" chosen_passwords_do_not_block
run_step "The control: a chosen password takes that thread's time" \
	the_thread_is_the_one_that_verifies
run_step "Guesses at one user are limited, wherever they come from" one_user_is_guarded
run_step "$STIPA_LOGINS providers log in within a minute" everybody_logs_in
run_step "The node drains" stop_node a
run_step "A node with low limits is ready" limited_node
run_step "A client that asks too often is told 429" clients_are_limited
run_step "The node drains" stop_node b
