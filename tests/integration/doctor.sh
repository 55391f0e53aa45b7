#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stipactl doctor: a node that is well, then one fault after the other, each found by the check that
# is for it, and by no other than it must.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

command -v jq >/dev/null || fail "jq is missing: install jq"
[ -x ./stipactl ] || fail "stipactl is not built: make"
[ -x ./stipad ] || fail "stipad is not built: make"

# doctor STATUS ARGUMENT…: the exit status, and the rows in $dir/rows.
doctor()
{
	wanted=$1
	shift
	ctl --json doctor "$@" --tls-ca "$dir/tls/ca.pem" >"$dir/rows" 2>"$dir/err"
	is=$?
	[ $is = "$wanted" ] || { echo "  exit $is, not $wanted:"; cat "$dir/rows" "$dir/err"; return 1; }
	jq -e 'all(.result == "ok" or .to_do != "")' "$dir/rows" >/dev/null
}

# The checks with this result, sorted, in one line.
with_result()
{
	jq -r --arg result "$1" '[.[] | select(.result == $result).check] | unique | join(" ")' \
		"$dir/rows"
}

# finds "CHECK…" WORDS FILE ARGUMENT…: these checks fail, no other; the first one says the words.
finds()
{
	undisturbed finds_once "$@"
}

finds_once()
{
	checks=$1 words=$2
	shift 2
	doctor 1 "$@" || return 1
	[ "$(with_result failed)" = "$(echo "$checks" | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')" ] &&
	jq -r --arg check "${checks%% *}" '.[] | select(.check == $check).found' "$dir/rows" |
		grep -q -- "$words" && jq -e '.error.code == "not-well"' "$dir/err" >/dev/null ||
		{ echo "  not '$checks' with '$words':"; jq -c '.[] | select(.result != "ok")' "$dir/rows"; return 1; }
}

# A configuration like the node's, with another line for an option.
changed()
{
	sed "s|^\(\s*$1 = \).*|\1$2|" "$dir/a.conf" >"$dir/changed.conf"
	! cmp -s "$dir/a.conf" "$dir/changed.conf" || { echo "  $1: nothing changed"; return 1; }
}

a_node_that_is_well()
{
	doctor 0 "$dir/a.conf" && [ "$(with_result failed)" = "" ] &&
	# This cluster is without fsync.
	[ "$(jq length "$dir/rows")" -ge 22 ] &&
	[ "$(with_result warning)" = "database-settings" ] &&
	ctl doctor "$dir/a.conf" --tls-ca "$dir/tls/ca.pem" >"$dir/text" &&
	grep -q "^check  *result  *found$" "$dir/text" &&
	grep -q "^x5u  *ok  *https://127.0.0.1:$port_a/" "$dir/text" &&
	grep -q "^  database-settings: a crash would" "$dir/text"
}

nothing_is_changed()
{
	[ "$(sql -c "SELECT count(*) FROM stipa.audit_event WHERE action NOT IN
		('policy_set', 'signer_register')")" = 0 ]
}

wrong_use()
{
	for arguments in "a b" "--disk 0" "--disk" "--nothing"; do
		# shellcheck disable=SC2086 # several words
		ctl doctor $arguments >/dev/null 2>&1
		[ $? = 2 ] || { echo "  $arguments"; return 1; }
	done
}

a_wrong_configuration()
{
	changed edges many && finds configuration "changed.conf:[0-9]*: edges: " "$dir/changed.conf" &&
	[ "$(jq length "$dir/rows")" = 1 ] &&
	finds configuration "nowhere" "$dir/nowhere"
}

another_environment()
{
	changed environment '"staging"' &&
	# what a demo may do is a fault elsewhere
	finds "environment database-settings" "staging, stipactl.conf of demo" "$dir/changed.conf"
}

no_database()
{
	changed database "\"host=$dir/nowhere user=stipa_authority\"" &&
	finds database "No such file" "$dir/changed.conf"
}

a_read_only_database()
{
	changed database "\"host=$PGHOST dbname=stipa user=stipa_authority options='-c default_transaction_read_only=on'\"" &&
	finds "database-settings issuing" "read_only is on" "$dir/changed.conf"
}

a_database_that_is_not_durable()
{
	changed database "\"host=$PGHOST dbname=stipa user=stipa_authority options='-c synchronous_commit=off'\"" &&
	finds "database-settings issuing" "synchronous_commit is off" "$dir/changed.conf"
}

# The name that the statement asks for is taken by a function of ours.
clocks_that_differ()
{
	sql -c "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC;
		CREATE FUNCTION other.clock_timestamp() RETURNS timestamptz LANGUAGE sql
		RETURN pg_catalog.now() + interval '10 s'" &&
	changed database "\"host=$PGHOST dbname=stipa user=stipa_authority options='-c search_path=other,pg_catalog'\"" &&
	finds clock "s behind the database" "$dir/changed.conf" &&
	sql -c "DROP SCHEMA other CASCADE" 2>/dev/null
}

# What the node would be told by a schema of yesterday, and of tomorrow.
another_schema()
{
	schema=$(sql -c "SELECT stipa.schema_version()") &&
	for other in $((schema - 1)) $((schema + 1)); do
		sql -c "CREATE OR REPLACE FUNCTION stipa.schema_version() RETURNS int LANGUAGE sql
			IMMUTABLE RETURN $other" || return 1
		finds schema "version $other, and this program \(wants\|knows\) $schema" "$dir/a.conf"
		status=$?
		sql -c "CREATE OR REPLACE FUNCTION stipa.schema_version() RETURNS int LANGUAGE sql
			IMMUTABLE RETURN $schema" && [ $status = 0 ] || return 1
	done
}

# Drop the last of the ledger's (empty) partitions.
drop_last_partition()
{
	part=$(sql -c "SELECT inhrelid::regclass FROM pg_inherits
		WHERE inhparent = 'stipa.token'::regclass
		ORDER BY inhrelid::regclass::text DESC LIMIT 1") &&
	sql -c "DROP TABLE $part"
}

partitions_that_end()
{
	drop_last_partition && drop_last_partition && doctor 0 "$dir/a.conf" &&
	with_result warning | grep -qw partitions && drop_last_partition &&
	doctor 1 "$dir/a.conf" && # the node itself may, or may not yet, have noticed
	with_result failed | grep -q "issuing.* partitions" &&
	grep -q "for 1 month from now on" "$dir/rows"
	status=$?
	ctl db partitions >/dev/null && wait_ready a && return $status
}

another_key()
{
	ctl pki init --dir "$dir/other" --base-url "https://127.0.0.1:$port_a" --no-database \
		--passphrase-file "$dir/passphrase" --environment demo >/dev/null &&
	changed signer_key "\"$(echo "$dir"/other/token-*.key)\"" &&
	finds signer-key "is not the key of" "$dir/changed.conf"
}

another_passphrase()
{
	echo "not the passphrase" >"$dir/other.pass" && chmod 600 "$dir/other.pass" &&
	changed signer_passphrase "\"$dir/other.pass\"" &&
	finds signer-key "passphrase" "$dir/changed.conf" &&
	changed signer_passphrase "\"$dir/no.pass\"" &&
	finds signer-key "No such file" "$dir/changed.conf"
}

a_signer_that_is_not_registered()
{
	other=$(basename "$dir"/other/certs/*.pem .pem) &&
	changed signer_certificate "\"$dir/other/certs/$other.pem\"" &&
	sed -i "s|$dir/pki/$kid.key|$dir/other/$other.key|" "$dir/changed.conf" &&
	finds "signer-registered issuing" "$other is not registered" "$dir/changed.conf" &&
	# the registered name, with another certificate
	cp "$dir/other/certs/$other.pem" "$dir/other/$kid.pem" &&
	sed -i "s|$dir/other/certs/$other.pem|$dir/other/$kid.pem|" "$dir/changed.conf" &&
	finds "signer-registered x5u" "registered with another certificate" "$dir/changed.conf"
}

a_certificate_that_cannot_be_read()
{
	mkdir -p "$dir/broken" && echo nonsense >"$dir/broken/$kid.pem" &&
	changed signer_certificate "\"$dir/broken/$kid.pem\"" &&
	finds signer-chain "$kid.pem" "$dir/changed.conf" &&
	openssl x509 -in "$dir/pki/certs/$kid.pem" >"$dir/broken/$kid.pem" && # without its root
	changed signer_certificate "\"$dir/broken/$kid.pem\"" && doctor 1 "$dir/changed.conf" &&
	with_result failed | grep -q x5u
}

# tls_certificate DAYS NAME: another certificate of the server's key.
tls_certificate()
{
	openssl req -new -key "$dir/tls/server.key" -subj "/CN=$2" -out "$dir/tls/o.csr" 2>/dev/null &&
	echo "subjectAltName=DNS:$2" >"$dir/tls/o.ext" &&
	openssl x509 -req -in "$dir/tls/o.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" \
		-CAcreateserial -days "$1" -extfile "$dir/tls/o.ext" -out "$dir/tls/o.pem" 2>/dev/null
}

tls_that_ends()
{
	tls_certificate 1 localhost && changed tls_certificate "\"$dir/tls/o.pem\"" &&
	finds tls-days "0 days left\|1 day left" "$dir/changed.conf" &&
	with_result warning | grep -qw tls-names &&
	tls_certificate -1 localhost && finds tls-days "has expired" "$dir/changed.conf" &&
	tls_certificate 10 localhost && doctor 0 "$dir/changed.conf" &&
	with_result warning | grep -qw tls-days
}

tls_of_another_key()
{
	changed tls_key "\"$dir/tls/ca.key\"" &&
	finds tls-key "is not the key of" "$dir/changed.conf" &&
	changed tls_key "\"$dir/tls/none.key\"" && finds tls-key "none.key" "$dir/changed.conf"
}

files_that_others_may_read()
{
	chmod 640 "$dir/tls/server.key" && finds file-modes "server.key: mode 0640" "$dir/a.conf" &&
	chmod 600 "$dir/tls/server.key" && chmod 644 "$dir/passphrase" &&
	finds "file-modes signer-key" "passphrase: mode 0644" "$dir/a.conf" &&
	chmod 600 "$dir/passphrase" && chmod 666 "$dir/a.conf" &&
	finds file-modes "a.conf: mode 0666" "$dir/a.conf" && chmod 644 "$dir/a.conf"
}

a_full_disk()
{
	finds disk "MiB free" "$dir/a.conf" --disk 9999999999
}

too_few_files()
{
	changed connections_max 1000000 &&
	finds limits "the node may open [0-9]* files; connections_max wants 1000128" "$dir/changed.conf"
}

another_chain_at_x5u()
{
	cp "$dir/pki/certs/$kid.pem" "$dir/kept.pem" &&
	echo "# changed after the node has read it" >>"$dir/pki/certs/$kid.pem" &&
	finds x5u "is not $dir/pki/certs/$kid.pem" "$dir/a.conf"
	status=$?
	cp "$dir/kept.pem" "$dir/pki/certs/$kid.pem" && return $status
}

an_x5u_that_nobody_may_trust()
{
	ctl --json doctor "$dir/a.conf" >"$dir/rows" 2>"$dir/err"
	[ $? = 1 ] && [ "$(with_result failed)" = x5u ] &&
	jq -r '.[] | select(.check == "x5u").found' "$dir/rows" | grep -q "the server's certificate: "
}

a_broken_audit()
{
	sql -c "SET session_replication_role = replica" \
		-c "UPDATE stipa.audit_event SET reason = 'another' WHERE id = 2" &&
	finds audit "event 2: its content is not what was hashed" "$dir/a.conf" &&
	sql -c "SET session_replication_role = replica" \
		-c "DELETE FROM stipa.audit_event WHERE id = 1" &&
	finds audit "event 1 is missing" "$dir/a.conf"
}

a_retired_signer()
{
	sql -c "SELECT stipa.signer_retire('tester', 'test', '$kid')" >/dev/null &&
	doctor 1 "$dir/a.conf" && with_result failed | grep -qw signer-registered &&
	with_result failed | grep -qw issuing
}

no_node()
{
	stop_node a
	doctor 1 "$dir/a.conf" && with_result failed | grep -qw node &&
	with_result failed | grep -qw x5u &&
	jq -r '.[] | select(.check == "limits").found' "$dir/rows" | grep -q "no node runs"
}

start_postgres max_connections=50
trap stop_all EXIT
make_authority || fail "no authority"
# Days enough for the check of them.
openssl x509 -req -in "$dir/tls/server.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" \
	-CAcreateserial -days 90 -extfile "$dir/tls/ext" -out "$dir/tls/server.pem" 2>/dev/null
node_conf a "$port_a"
echo "connections_max = 1000" >>"$dir/a.conf"
start_node a "$port_a" || fail "no node"

run_step "A node that is well" undisturbed a_node_that_is_well
run_step "Nothing is changed" nothing_is_changed
run_step "Wrong use is exit 2" wrong_use
run_step "A wrong configuration" a_wrong_configuration
run_step "Another environment" another_environment
run_step "No database" no_database
run_step "A read-only database" a_read_only_database
run_step "A database that is not durable" a_database_that_is_not_durable
run_step "Clocks that differ" clocks_that_differ
run_step "Another schema" another_schema
run_step "Partitions that end" partitions_that_end
run_step "Another's key" another_key
run_step "Another passphrase, or none" another_passphrase
run_step "A signer that is not registered" a_signer_that_is_not_registered
run_step "A certificate that cannot be read" a_certificate_that_cannot_be_read
run_step "TLS that ends, and lacks a name" tls_that_ends
run_step "TLS of another key" tls_of_another_key
run_step "Files that others may read" files_that_others_may_read
run_step "A full disk" a_full_disk
run_step "Too few files" too_few_files
run_step "Another chain at x5u" another_chain_at_x5u
run_step "An x5u that nobody may trust" an_x5u_that_nobody_may_trust
run_step "A broken audit" a_broken_audit
run_step "A retired signer" a_retired_signer
run_step "No node" no_node
