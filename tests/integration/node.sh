# shellcheck shell=sh disable=SC2034,SC2154
# For integration tests of the whole service: a database, a PA and nodes on loopback, all made
# with the product's own commands.  After lib.sh.  The working directory is the build folder.

export STIPA_PYTHON="${STIPA_PYTHON:-/usr/bin/python3}"
nodes=

ctl()
{
	./stipactl --config "$dir/stipactl.conf" "$@"
}

sql()
{
	psql -XqAt -v ON_ERROR_STOP=1 "$@"
}

make_database()
{
	sql -f "$srcdir/db/roles.sql" >/dev/null &&
	sql -c "CREATE DATABASE stipa OWNER stipa_owner" || return 1
	PGDATABASE=stipa
	cat >"$dir/stipactl.conf" <<-CONF
		database = "host=$PGHOST dbname=stipa user=stipa_operator"
		database_owner = "host=$PGHOST dbname=stipa user=stipa_owner"
		environment = "demo"
		migrations = "$(cd "$srcdir" && pwd)/db/migrations"
	CONF
	ctl db migrate >"$dir/migrate.log" 2>&1 || { cat "$dir/migrate.log"; return 1; }
}

# A TLS authority for this test and a certificate for 127.0.0.1.
make_tls()
{
	mkdir -p "$dir/tls" &&
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
		-subj "/CN=Test TLS CA" -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.pem" \
		2>/dev/null &&
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
		-keyout "$dir/tls/server.key" -out "$dir/tls/server.csr" 2>/dev/null &&
	echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$dir/tls/ext" &&
	openssl x509 -req -in "$dir/tls/server.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" \
		-CAcreateserial -days 90 -extfile "$dir/tls/ext" -out "$dir/tls/server.pem" \
		2>/dev/null &&
	chmod 600 "$dir/tls/server.key"
}

# The PA's root and token signer; x5u speaks of the port of the first node.
make_pa()
{
	port_a=$(free_port)
	port_b=$(free_port)
	head -c 24 /dev/urandom | base64 >"$dir/passphrase"
	chmod 600 "$dir/passphrase"
	ctl pki init --dir "$dir/pki" --base-url "https://127.0.0.1:$port_a" \
		--passphrase-file "$dir/passphrase" --environment demo >"$dir/pki.log" 2>&1 ||
		{ cat "$dir/pki.log"; return 1; }
	kid=$(basename "$dir"/pki/certs/*.pem .pem)
}

make_authority()
{
	make_database && make_tls && make_pa
}

# node_conf NAME PORT
node_conf()
{
	# the authority makes it, where it may: not in the server's folder
	mkdir -p "$dir/state-$1"
	cat >"$dir/$1.conf" <<-CONF
		listen = {"127.0.0.1:$2"}
		server_names = {"127.0.0.1", "localhost"}
		tls_certificate = "$dir/tls/server.pem"
		tls_key = "$dir/tls/server.key"
		local_socket = "$dir/$1.sock"
		edges = 2
		environment = "demo"
		database = "host=$PGHOST dbname=stipa user=stipa_authority"
		signer_certificate = "$dir/pki/certs/$kid.pem"
		signer_key = "$dir/pki/$kid.key"
		signer_passphrase = "$dir/passphrase"
		certificates = "$dir/pki/certs"
		state = "$dir/state-$1"
		crl_url = "https://127.0.0.1:$port_a/sti-pa/crl"
		crl_url_download = "https://127.0.0.1:$port_a/download/v1/crl"
		crl_issuer = "CN=STI-PA CRL,O=Demo STI-PA,C=US"
		base_url = "https://127.0.0.1:$2"
		requests_per_address_s = 0
		failures_per_address_min = 0
		requests_per_client_s = 0
		failures_per_user_min = 0
		password_cpu_percent = 100
	CONF
}

local_get()
{
	curl -s -m 10 -o /dev/null -w '%{http_code}' --unix-socket "$dir/$1.sock" \
		"http://localhost/$2"
}

# is_ready NAME [STATUS]
is_ready()
{
	[ "$(local_get "$1" readyz)" = "${2:-200}" ]
}

# A node that has ended is not waited for.
wait_ready()
{
	eval "node_pid=\$pid_$1"
	for _ in $(seq 600); do
		is_ready "$1" && return
		kill -0 "$node_pid" 2>/dev/null || break
		sleep 0.1
	done
	echo "$1 is not ready; the end of its log:"
	tail -5 "$dir/$1.log"
	return 1
}

# start_node NAME PORT
start_node()
{
	[ -e "$dir/$1.conf" ] || node_conf "$1" "$2"
	./stipad --config "$dir/$1.conf" >>"$dir/$1.log" 2>&1 &
	eval "pid_$1=$!"
	nodes="$nodes $!"
	wait_ready "$1"
}

# Below the monitor stand its generations, and below each of these its children.
descendants()
(
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
)

# are_gone PIDS
are_gone()
{
	for gone in $1; do
		[ ! -e "/proc/$gone/exe" ] || return 1
	done
}

# children_named PID NAME: the edges, or the authority, of a node, a line each.
children_named()
{
	for child in $(descendants "$1"); do
		case $(cat "/proc/$child/comm" 2>/dev/null) in
		"stipa-$2"*) echo "$child" ;;
		esac
	done
}

# Chosen passwords are verified by a thread of the idle class: on a machine that has much other work
# it may wait for ever.  For tests of something else it is as good as the others.
# passwords_are_verified_at_once PID: of the node.
passwords_are_verified_at_once()
{
	for task in "/proc/$(children_named "$1" authority)"/task/*; do
		chrt --other --pid 0 "${task##*/}" || return 1
	done
}

# SIGTERM drains: the exit status is the node's own.
stop_node()
{
	eval "node_pid=\$pid_$1"
	kill "$node_pid" 2>/dev/null
	wait "$node_pid"
}

# A confined process asks for nothing that it must not have, whatever is done to it.
no_call_was_refused()
{
	! grep -hE '"message":"system call|"signal":"SYS"' "${dir:-.}"/*.log
}

stop_all()
{
	status=$?
	for pid in $nodes; do
		kill "$pid" 2>/dev/null
	done
	for pid in $nodes; do
		wait "$pid" 2>/dev/null
	done
	no_call_was_refused || status=1
	stop_postgres
	exit "$status"
}

# Account sp-$1 with the SPC $2 and the client client-$1; its secret is in $dir/secret-$1.
make_account()
{
	ctl account add "sp-$1" --organisation "org-$1" --verified-until 365d >/dev/null &&
	ctl account approve "sp-$1" --reason "test" --evidence "test" --verified-until 365d >/dev/null &&
	ctl spc assign "sp-$1" "$2" --reason "test" >/dev/null &&
	ctl client add "sp-$1" "client-$1" --expires 30d --secret-file "$dir/secret-$1" >/dev/null
}

# The base64 of the TNAuthList of a four-character SPC.
tkvalue()
{
	printf '\060\010\240\006\026\004%s' "$1" | base64
}

fingerprint="SHA256 56:3E:CF:AE:83:CA:4D:15:B0:29:FF:1B:71:D3:BA:B9:19:81:F8:50:9B:DF:4A:D4:39:72:E2:B1:F0:B9:38:E3"

# order ACCOUNT SPC [CA]: the body of a request.
body()
{
	printf '{"atc":{"tktype":"TNAuthList","tkvalue":"%s","ca":%s,"fingerprint":"%s"}}' \
		"$(tkvalue "$1")" "${2:-false}" "$fingerprint"
}

# Judge the whole ledger anew, beside what clients received: ledger_is_consistent [LOG...]
ledger_is_consistent()
{
	received=
	for log; do
		received="$received --received $log"
	done
	# shellcheck disable=SC2086
	"$STIPA_PYTHON" "$srcdir/tools/stipa-ledger-check" $received \
		--database "host=$PGHOST dbname=stipa user=stipa_auditor" >"$dir/ledger-check" ||
		{ cat "$dir/ledger-check"; return 1; }
	sed 's/^/  /' "$dir/ledger-check"
}
