#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# No secret of a run is in a log at its most talkative level, in PostgreSQL's log of all statements,
# in a dump or the files of the database, in an answer, in what stipactl prints, or
# in the lists of processes; nor is a key in the memory of a process that does not need it, and
# nobody else may read memory.  The control: a canary in each of these places is found.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

# All that stipactl prints in this test.
act()
{
	ctl "$@" >>"$dir/ctl.out" 2>&1 || { echo "$*"; tail -3 "$dir/ctl.out"; return 1; }
}

make_world()
{
	mkdir "$dir/secrets" &&
	make_account 1 1005 && mv "$dir/secret-1" "$dir/secrets/client-1" &&
	act client add sp-1 client-2 --expires 30d --secret-file "$dir/secrets/client-2" &&
	act client rotate client-2 --secret-file "$dir/secrets/client-2-new" --reason test &&
	act api-user add client-1 user-made --secret-file "$dir/secrets/user-made" &&
	act api-user add client-1 user-2 --secret-file "$dir/secrets/user-2" &&
	act api-user rotate user-2 --secret-file "$dir/secrets/user-2-new" --reason test &&
	echo "Eight chosen words of a person, long enough" >"$dir/secrets/user-chosen" &&
	chmod 600 "$dir/secrets/user-chosen" &&
	act api-user add client-1 user-chosen --password-file "$dir/secrets/user-chosen" &&
	openssl ecparam -name prime256v1 -genkey -noout |
		openssl pkcs8 -topk8 -nocrypt -out "$dir/key.pem" &&
	openssl pkey -in "$dir/key.pem" -pubout -out "$dir/key.pub" &&
	act client key add client-1 "$dir/key.pub" --kid key-1 --expires 30d --reason test
}

talkative_node()
{
	node_conf a "$port_a" && echo 'log_level = "debug"' >>"$dir/a.conf" && start_node a "$port_a"
}

# The arguments and environments of the service's processes, of stipactl and of PostgreSQL.
watch_processes()
{
	while [ -d "$dir" ] && [ ! -e "$dir/stop" ]; do
		# shellcheck disable=SC2046
		cat $(pgrep '^stipa|^postgres' | sed 's,.*,/proc/&/cmdline /proc/&/environ,') \
			/dev/null 2>/dev/null
		echo
		sleep 0.2
	done >>"$dir/processes"
}

use_and_misuse()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/canary_requests.py" "$srcdir/tests/api" \
		"$dir" "$port_a"
}

# What an operator would look at afterwards.
look_around()
{
	for words in "account list" "client list" "client show client-1" "api-user list" \
		"token list" "refusal list" "notice list" "audit tail" "audit export" "pki list" \
		"policy history" "config print $dir/a.conf"; do
		# shellcheck disable=SC2086
		act $words && act --json $words || return 1
	done
	ctl doctor --node "$dir/a.conf" >>"$dir/ctl.out" 2>&1
	for page in livez readyz metrics; do
		curl -s -m 5 --unix-socket "$dir/a.sock" "http://localhost/$page" >>"$dir/answers"
	done
	[ -s "$dir/answers" ]
}

collect()
{
	: >"$dir/stop"
	wait "$watcher"
	"$bin/pg_dump" stipa >"$dir/dump" && "$bin/pg_dumpall" --globals-only >>"$dir/dump" &&
	sql -c CHECKPOINT && find "$dir/data/base" "$dir/data/pg_wal" -type f -exec cat {} + \
		>"$dir/files"
}

# seek PLACE=FILE… [--only PREFIX]
seek()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/canary_search.py" "$dir/secrets.tsv" "$@"
}

# The places, each with enough in it that its search means something.
places="node.log=a.log postgres.log=log dump=dump files=files answers=answers
	stipactl=ctl.out processes=processes"

all_places()
{
	for place in $places; do
		echo "${place%%=*}=$dir/${place#*=}"
	done
}

places_are_full()
{
	grep -q '"level":"info"' "$dir/a.log" || { echo "no log"; return 1; }
	for word in "execute issue_tokens" duration: DEBUG; do
		grep -q "$word" "$dir/log" || { echo "PostgreSQL's log has no $word"; return 1; }
	done
	for word in 400 401 403 404; do
		grep -q "HTTP/1.1 $word" "$dir/answers" || { echo "no answer $word"; return 1; }
	done
	for word in stipad stipactl postgres; do
		grep -q "$word" "$dir/processes" || { echo "no process $word"; return 1; }
	done
	grep -q client-1 "$dir/dump" && grep -q client-1 "$dir/ctl.out" && grep -q client-1 "$dir/files"
}

nothing_is_found()
{
	places_are_full || return 1
	# shellcheck disable=SC2046
	seek $(all_places) >"$dir/found" || return 1
	hits=$(wc -l <"$dir/found")
	secrets=$(wc -l <"$dir/secrets.tsv")
	head -20 "$dir/found"
	[ "$hits" = 0 ]
}

# A chosen password's hash stands in one column, and nowhere else.
no_hash_is_found()
{
	sql -c "SELECT 'hash' || chr(9) || encode(convert_to(split_part(hash, '\$', 6), 'UTF8'), 'hex')
		FROM stipa.api_user WHERE hash IS NOT NULL" >"$dir/hash.tsv" &&
	[ "$(wc -l <"$dir/hash.tsv")" = 1 ] || return 1
	# shellcheck disable=SC2046
	"$STIPA_PYTHON" "$srcdir/tests/integration/canary_search.py" "$dir/hash.tsv" \
		$(all_places) >"$dir/found" || return 1
	grep -q '^dump: ' "$dir/found" || return 1  # where it belongs
	! grep -vE '^(dump|files): ' "$dir/found"
}

# in_memory PROCESS SECRETS…: lines for those that its memory has.
in_memory()
{
	for process in $(children_named "$pid_a" "$1"); do
		seek "$1=pid:$process" --only "$2" || return 1
	done
}

# To each its own key; who is not root cannot read the memory of others, and so not look.
keys_stay_apart()
{
	if [ "$(id -u)" != 0 ]; then
		! cat "/proc/$(children_named "$pid_a" authority)/mem" >/dev/null 2>&1
		return
	fi
	in_memory edge key-pa >"$dir/found" && in_memory edge passphrase >>"$dir/found" &&
	in_memory authority key-tls >>"$dir/found" || return 1
	! grep . "$dir/found" || return 1
	in_memory edge key-tls >"$dir/found" && grep -q . "$dir/found" || { echo "no edge has its own key"; return 1; }
	for process in $(children_named "$pid_a" ''); do
		grep -q '^Max core file size  *0  *0 ' "/proc/$process/limits" || return 1
		! as_postgres cat "/proc/$process/mem" "/proc/$process/environ" >/dev/null 2>&1 ||
			return 1
	done
}

secret()
{
	cat "$dir/secrets/$1"
}

# In each place by the way that leads there.
plant()
{
	printf 'Authorization: Basic %s\n' "$(printf 'client-1:%s' "$(secret client-1)" | base64 -w 0)" \
		>>"$dir/a.log"
	sql -c "SELECT '$(secret user-made | xxd -p | tr -d '\n')'" >/dev/null
	sql -c "CREATE TABLE public.planted AS SELECT '$(secret client-2)' AS secret" &&
	"$bin/pg_dump" stipa >"$dir/dump" && sql -c CHECKPOINT &&
	find "$dir/data/base" "$dir/data/pg_wal" -type f -exec cat {} + >"$dir/files" &&
	openssl pkey -in "$dir/tls/server.key" -outform DER >>"$dir/answers" &&
	ctl client add sp-1 client-3 --expires 30d >>"$dir/ctl.out" &&
	sed -n 's/.*\(stipa_demo_[A-Za-z0-9_-]*\).*/\1/p' "$dir/ctl.out" | tail -1 |
		tr -d '\n' | xxd -p | tr -d '\n' | sed 's/^/client-3\t/; s/$/\n/' >>"$dir/secrets.tsv" &&
	rm "$dir/stop" && { watch_processes & watcher=$!; } &&
	cp "$(readlink -f /bin/sh)" "$dir/stipa-planted" &&
	plant_a_process
}

# Until the watcher has seen it.
plant_a_process()
{
	STOP=$dir/stop SECRET=$(secret user-2) "$dir/stipa-planted" \
		-c 'until [ -e "$STOP" ]; do sleep 0.1; done' "$(secret user-chosen)" &
	process=$!
	wait_for watcher_has_seen "$(secret user-chosen)"
	: >"$dir/stop"
	wait "$process" "$watcher"
}

watcher_has_seen()
{
	grep -qaF "$1" "$dir/processes"
}

every_canary_is_found()
{
	plant
	# shellcheck disable=SC2046
	seek $(all_places) >"$dir/found" || return 1
	planted=0
	for pair in "node.log: client-1, base64" "postgres.log: user-made, hex" \
		"dump: client-2, text" "files: client-2, text" "answers: key-tls, bytes" \
		"stipactl: client-3, text" "processes: user-2, text" "processes: user-chosen, text"; do
		grep -q "^$pair" "$dir/found" || { cat "$dir/found"; echo "missed $pair"; return 1; }
		planted=$((planted + 1))
	done
}

echo "Every level of every log is on."
start_postgres log_statement=all log_min_duration_statement=0 log_min_messages=debug2 \
	log_parameter_max_length=-1 log_parameter_max_length_on_error=-1 log_error_verbosity=verbose
trap stop_all EXIT
: >"$dir/processes"
watch_processes &
watcher=$!
run_step "The authority is made" make_authority
run_step "Clients, users and a key" make_world
run_step "A node that says everything" talkative_node
passwords_are_verified_at_once "$pid_a"
run_step "Secrets are used, and put where they do not belong" use_and_misuse
run_step "An operator looks around" look_around
run_step "All that was written is collected" collect
run_step "No secret is in it" nothing_is_found
run_step "A hash is in its column only" no_hash_is_found
run_step "Each key is in the memory of its process only" keys_stay_apart
run_step "The control: a canary in each place is found" every_canary_is_found
run_step "The node drains" stop_node a
echo "I13 holds: $secrets secrets in $(echo "$places" | wc -w) places: $hits found | control:" \
	"$planted canaries planted, all found"
