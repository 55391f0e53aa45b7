#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A live node, confined: what the kernel says of its processes; what the edges' user cannot do to the
# authority, with root as the control; a database by address, over TLS; limits that are too low.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

# Users that every Debian has.  Who is not root is told so: then all run as himself.
user_edge=daemon
user_authority=bin

give_keys()
{
	chown "$user_edge" "$dir/tls/server.key" &&
	chown "$user_authority" "$dir/pki/$kid.key" "$dir/passphrase" "$dir"/state-* &&
	chmod 755 "$dir/pki" "$dir/pki/certs"
}

users_of()
{
	printf 'user_edge = %s\nuser_authority = %s\n' "$user_edge" "$user_authority" >>"$dir/$1.conf"
}

start_with_users()
{
	node_conf a "$port_a" && users_of a && give_keys && start_node a "$port_a"
}

take_pids()
{
	authority=$(children_named "$pid_a" authority) && edge=$(children_named "$pid_a" edge | head -1) &&
	[ -n "$authority" ] && [ -n "$edge" ]
}

# token PORT: one, as an account would.
token()
{
	[ "$(curl -s -m 20 --retry 9 -o "$dir/answer" -w '%{http_code}' --cacert "$dir/tls/ca.pem" \
		-u "client-one:$(cat "$dir/secret-one")" -H 'Content-Type: application/json' \
		-d "$(body 1234)" "https://127.0.0.1:$1/sti-pa/account/sp-one/token")" = 200 ] ||
		{ cat "$dir/answer"; return 1; }
}

# status PID NAME: a line of /proc/PID/status.
status()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# says PID NAME VALUE
says()
{
	[ "$(status "$1" "$2")" = "$3" ] ||
		{ echo "$(status "$1" Name): $2 is $(status "$1" "$2"), not $3"; return 1; }
}

is_confined()
{
	none=0000000000000000
	says "$1" Seccomp 2 && says "$1" NoNewPrivs 1 && says "$1" CapEff $none &&
	says "$1" CapPrm $none && says "$1" CapBnd $none && says "$1" CapAmb $none &&
	says "$1" Groups "" && says "$1" Uid "$(printf "%s\t%s\t%s\t%s" "$2" "$2" "$2" "$2")" &&
	grep -q '^Max core file size *0 *0 ' "/proc/$1/limits" &&
	[ "$(stat -c %u "/proc/$1/mem")" = 0 ]  # not dumpable: then root's
}

all_are_confined()
{
	for pid in $(children_named "$pid_a" edge); do
		is_confined "$pid" "$(id -u $user_edge)" || return 1
		grep -q '^Max processes *0 *0 ' "/proc/$pid/limits" || return 1
	done
	is_confined "$authority" "$(id -u $user_authority)" &&
	grep -q '^Max open files *1024 *1024 ' "/proc/$authority/limits" &&
	grep -q '^Max core file size *0 *0 ' "/proc/$pid_a/limits" && says "$pid_a" NoNewPrivs 1
}

keys_are_locked()
{
	[ "$(status "$(pgrep -P "$pid_a")" VmLck | tr -dc 0-9)" -ge 4 ] &&
	[ "$(status "$authority" VmLck | tr -dc 0-9)" -ge 32 ] &&
	[ "$(status "$edge" VmLck | tr -dc 0-9)" -ge 1024 ]
}

as_user()
{
	user=$1
	shift
	setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}

intrude()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/integration/intrude.py" "$@"
}

# refused_to USER WAY WHAT: the user may not, and the control, root, may.
refused_to()
{
	user=$1
	shift
	as_user "$user" "$STIPA_PYTHON" -B - "$@" <"$srcdir/tests/integration/intrude.py"
	[ $? = 1 ] || { echo "$user is not refused: $*"; return 1; }
	intrude "$@" || { echo "the control: root is refused: $*"; return 1; }
}

edge_user_is_kept_out()
{
	for what in memory trace; do
		refused_to "$user_edge" "$what" "$authority" || return 1
		refused_to "$user_edge" "$what" "$pid_a" || return 1
		# nor its own user its own process
		refused_to "$user_edge" "$what" "$edge" || return 1
		refused_to "$user_authority" "$what" "$authority" || return 1
	done
	for file in "$dir/pki/$kid.key" "$dir/passphrase" "$dir"/state-a/mark; do
		refused_to "$user_edge" file "$file" || return 1
	done
	refused_to "$user_authority" file "$dir/tls/server.key"
}

# Libpq reads the authority's certificate of the server anew for each connection, which is made by
# address.
make_tls_database()
{
	cp "$dir/tls/server.pem" "$dir/tls/server.key" "$dir/data/" &&
	chown postgres "$dir/data/server.pem" "$dir/data/server.key" &&
	sql -c "ALTER SYSTEM SET ssl_cert_file = 'server.pem'" \
		-c "ALTER SYSTEM SET ssl_key_file = 'server.key'" -c "ALTER SYSTEM SET ssl = on" \
		-c "SELECT pg_reload_conf()" >/dev/null
}

start_by_address()
{
	conninfo="hostaddr=127.0.0.1 port=$PGPORT dbname=stipa user=stipa_authority"
	conninfo="$conninfo sslmode=verify-ca sslrootcert=$dir/tls/ca.pem"
	node_conf b "$port_b" && users_of b && give_keys &&
	sed -i "s|^database = .*|database = \"$conninfo\"|" "$dir/b.conf" &&
	start_node b "$port_b"
}

over_tls()
{
	[ "$(sql -c "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
		WHERE client_addr = '127.0.0.1' AND usename = 'stipa_authority'")" = t ]
}

# They are made anew, confined.
lose_connections()
{
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE usename = 'stipa_authority'" >/dev/null &&
	wait_ready a && wait_ready b && token "$port_a" && token "$port_b" && wait_for over_tls
}

# does_not_start WHY COMMAND...: it ends with a failure, and says why.
does_not_start()
{
	why=$1
	shift
	timeout 60 "$@" ./stipad --config "$dir/c.conf" >"$dir/c.out" 2>&1
	[ $? = 1 ] && grep -q "$why" "$dir/c.out" || { cat "$dir/c.out"; return 1; }
}

what_is_wrong_is_told()
{
	node_conf c "$(free_port)" && users_of c && give_keys && chmod 755 "$dir/state-c" &&
	does_not_start "32 KiB for keys cannot be locked in memory: raise RLIMIT_MEMLOCK" \
		prlimit --memlock=0:0 &&
	sed -i 's/^user_authority = .*/user_authority = stipa-nobody/' "$dir/c.conf" &&
	does_not_start "user stipa-nobody: there is none" env &&
	sed -i "s/^user_authority = .*/user_authority = $user_edge/" "$dir/c.conf" &&
	does_not_start "$dir/passphrase: Permission denied" env
}

# Whoever is not root becomes nobody else.
others_stay_who_they_are()
{
	node_conf c "$(free_port)" && users_of c && mkdir -p "$dir/c" && chown nobody "$dir/c" &&
	sed -i "s|^local_socket = .*|local_socket = \"$dir/c/sock\"|" "$dir/c.conf" &&
	does_not_start "becomes another user" \
		setpriv --reuid=nobody --regid=nogroup --clear-groups
}

# The control of what every test of a node ends with.
a_refused_call_would_be_noticed()
{
	no_call_was_refused || return 1
	echo '{"message":"system call refused","call":"openat","number":257}' >"$dir/forged.log"
	! no_call_was_refused >/dev/null && rm "$dir/forged.log"
}

[ "$(id -u)" = 0 ] || fail "want root, who starts nodes of several users"
PGPORT=$(free_port)
export PGPORT
start_postgres listen_addresses=127.0.0.1 "port=$PGPORT"
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "An account" make_account one 1234
run_step "A node of two users starts" start_with_users
run_step "Its processes are there" take_pids
run_step "They are confined, without privileges, cores and more users" all_are_confined
run_step "Keys are locked in memory" keys_are_locked
run_step "Confined they issue" token "$port_a"
run_step "The edges' user is kept out; control: root is not" edge_user_is_kept_out
run_step "The database speaks TLS" make_tls_database
run_step "A node reaches it by address" start_by_address
run_step "It does so over TLS" over_tls
run_step "It issues" token "$port_b"
run_step "Connections are made anew, confined" lose_connections
run_step "What is wrong is told" what_is_wrong_is_told
run_step "Nobody but root becomes another user" others_stay_who_they_are
run_step "No call was refused; control: it would be noticed" a_refused_call_would_be_noticed
run_step "A node drains" stop_node a
run_step "The other drains" stop_node b
