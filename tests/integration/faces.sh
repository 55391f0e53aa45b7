#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# Every face of a live node: ATIS-1000080, RFC 9447, deployed clients and OAuth; what each is told
# when it is refused; dry runs, leak reports, allow lists, pins and limits.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

ours="stipa_demo_pw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

# A password of ours has a checksum; a chosen one is kept by argon2id.
make_users()
{
	ours=$ours$(printf %s "$ours" | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' |
		cut -c 1-6)
	echo "$ours" >"$dir/password"
	sql -v ours="$ours" <<-'SQL'
		SET search_path = stipa, public;
		SELECT api_user_add('test', 'test', 'client-a', 'user-ours',
			sha256('\x6c6f67696e00'::bytea || 'user-ours'::bytea || '\x00'::bytea || :'ours'::bytea),
			NULL);
		SELECT api_user_add('test', 'test', 'client-a', 'user-chosen', NULL,
			'$argon2id$v=19$m=19456,t=2,p=1$c3RpcGEtdGVzdC1zYWx0IQ$1RjZvl4mjKV2ebokIt9Ytv5KOljxaE7EQfML5adw9qE');
	SQL
}

make_key()
{
	openssl ecparam -name prime256v1 -genkey -noout -out "$dir/client.key" &&
	spki=$(openssl ec -in "$dir/client.key" -pubout -outform DER 2>/dev/null | od -An -v -tx1 |
		tr -d ' \n') &&
	sql -c "SELECT stipa.client_key_add('test', 'test', 'client-a', 'k-1', '\\x$spki',
		now() + interval '1 day')" >/dev/null
}

make_world()
{
	make_account a 1234 && make_account b 5678 && make_account leak 4321 &&
	make_users >/dev/null && make_key &&
	echo "$port_a" >"$dir/port" && echo "$kid" >"$dir/kid"
}

step()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/faces.py" "$dir" "$1"
}

metrics()
{
	curl -s -m 2 --unix-socket "$dir/a.sock" http://localhost/metrics >"$dir/metrics" &&
	for counted in 'stipa_requests_total{route="token",status="2xx"}' \
		'stipa_requests_total{route="oauth-token",status="4xx"}' \
		'stipa_requests_total{route="token-dry-run",status="2xx"}' \
		stipa_connections_accepted_total; do
		grep -qF "$counted " "$dir/metrics" && ! grep -qxF "$counted 0" "$dir/metrics" ||
			{ echo "not counted: $counted"; return 1; }
	done
	[ "$(tail -1 "$dir/metrics")" = "# EOF" ]
}

start_limited_node()
{
	node_conf b "$port_b" &&
	sed -i -e '/^requests_per_address_s/d' -e '/^failures_per_address_min/d' \
		-e 's/^edges.*/edges = 4/' "$dir/b.conf" &&
	cat >>"$dir/b.conf" <<-CONF &&
		requests_per_address_s = 0
		failures_per_address_min = 1
		failures_per_address_burst = 3
	CONF
	start_node b "$port_b" && echo "$port_b" >"$dir/port"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Accounts, clients, users and a key" make_world
run_step "A node is ready" start_node a "$port_a"
passwords_are_verified_at_once "$pid_a"
run_step "Each face issues, by each credential" step faces_issue
run_step "Each face refuses in its words" step faces_refuse
run_step "Foreign and absent accounts are alike in bytes" step foreign_and_absent_are_alike
run_step "The server's own refusals have the words of their path" \
	step the_server_speaks_the_faces_words
run_step "OAuth grants access tokens" step oauth_grants
run_step "OAuth's errors are those of RFC 6749" step oauth_errors
run_step "A client proves itself by its key" step private_key_jwt
run_step "A revoked access token is of no use" step revocation
run_step "The metadata says where" step metadata
run_step "API users log in and out" step logins
run_step "Logins are refused alike" step logins_are_refused_alike
run_step "Dry runs say what would be, and leave nothing" step dry_runs
run_step "A leaked secret is disabled" step leaks
run_step "An address that is not allowed is named" step addresses
run_step "A fingerprint that is not pinned is refused" step pins
run_step "Deployed clients find the signer's certificate" step certificates
run_step "The local socket tells what was counted" metrics
run_step "The node drains" stop_node a
run_step "A node with low limits is ready" start_limited_node
run_step "Who guesses too often is told so" step limits
run_step "Who guesses on many connections at once pays for each" \
	step what_is_asked_side_by_side_is_owed
run_step "The node drains" stop_node b
