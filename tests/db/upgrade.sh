#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A database with data goes on after the migrations that follow the first five: what was right is
# right, what was written is as it was, and no old program issues by mistake.
# shellcheck disable=SC2154
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

# $1: from this number, $2: to that.
migrate_from_to()
{
	for migration in "$srcdir"/db/migrations/*.sql; do
		number=$(basename "$migration" | sed 's/^0*\([0-9]*\)_.*/\1/')
		if [ "$number" -ge "$1" ] && [ "$number" -le "$2" ]; then
			sql -1 -U stipa_owner -f "$migration" >/dev/null || return 1
		fi
	done
}

the_first_five()
{
	sql -f "$srcdir/db/roles.sql" && sql -c "CREATE DATABASE stipa OWNER stipa_owner" || return 1
	PGDATABASE=stipa
	migrate_from_to 1 5 && [ "$(sql -c "SELECT stipa.schema_version()")" = 5 ]
}

# Twenty accounts, tokens and refusals of the function as it was, an act of each kind.
data_of_then()
{
	seed && sql <<-'SQL' >/dev/null
		SELECT stipa.account_token_life('test', 'then', 'sp-2', '1 h');
		SELECT stipa.client_rotate('test', 'then', 'client-3', sha256('client-3b'),
			now() + interval '1 year');
		SELECT stipa.policy_set('test', 'then', '12 h', 0::int2, NULL, true, NULL);
		SELECT * FROM stipa.issue_tokens('test', clock_timestamp(),
			ARRAY[sha256('client-1'), sha256('client-2')], '{sp-1,sp-2}', '{1001,9999}',
			'{MAigBhYEMTAwMQ==,MAigBhYEMTAwMQ==}',
			array_fill('SHA256 00' || repeat(':00', 31), ARRAY[2]), '{f,f}', '{1,1}',
			'{0,0}', ARRAY[new_jti(), new_jti()], '{then,then}',
			array_fill('\x00000000000000000000ffff7f000001'::bytea, ARRAY[2]));
	SQL
}

# What was read then, and must read the same after: the columns of then.
what_is_there()
{
	sql -c "SET timezone = 'UTC'" \
	    -c "SELECT jti, account_id, client_id, credential_id, spc, tkvalue, ca, fingerprint,
			form, optional_claims, iss, kid, issued_at, expires_at, request_id, peer
		FROM stipa.token ORDER BY jti" \
	    -c "SELECT id, refused_at, client_id, account, spc, verdict, defect, request_id, peer
		FROM stipa.token_refusal ORDER BY id" \
	    -c "SELECT id, client_id, digest, created_at, expires_at, revoked_at
		FROM stipa.credential ORDER BY id" \
	    -c "SELECT * FROM stipa.audit_event ORDER BY id" \
	    -c "SELECT version, begins_at, token_life, optional_claims, issuer, form_2017
		FROM stipa.policy ORDER BY version" \
	    -c "SELECT id, account_id, name, created_at, disabled_at
		FROM stipa.api_client ORDER BY id"
}

the_rest()
{
	what_is_there >"$dir/then"
	[ "$(wc -l <"$dir/then")" -gt 100 ] && migrate_from_to 6 9999
}

nothing_has_changed()
{
	what_is_there | diff "$dir/then" -
}

# The helpers of the tests, now for the function of now.
rights_are_as_they_were()
{
	sql -c "DROP FUNCTION order_token, order_tokens" &&
	sed -n '/^-- A batch of orders/,$p' "$srcdir/tests/db/fixture.sql" | sql &&
	[ "$(sql -U stipa_authority -c "SELECT string_agg(concat_ws(' ', verdict, exp - iat), ', '
		ORDER BY n) FROM order_tokens('{1,2,3}', '{sp-1,sp-2,sp-3}',
		'{1001,1002,1003}')")" = "0 43200, 0 3600, 1 43200" ]
}

the_old_call_is_gone()
{
	[ "$(sqlstate_as stipa_authority "SELECT * FROM stipa.issue_tokens('test', now(), '{}', '{}',
		'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')")" = 42883 ]
}

the_chain_goes_on()
{
	[ "$(sql -c "SELECT stipa.audit_verify() IS NULL")" = t ] &&
	sql -U stipa_operator -c "SELECT stipa.client_allow('test', 'now', 'client-1', '{::1}')" \
		>/dev/null &&
	[ "$(sql -c "SELECT stipa.audit_verify() IS NULL AND h.id = max(e.id) AND h.id > 80
		FROM stipa.audit_head AS h, stipa.audit_event AS e GROUP BY h.id")" = t ]
}

# A secret of then gives an access token, and is found by nobody's report.
secrets_of_then_are_good()
{
	[ "$(sql -U stipa_authority -c "SELECT verdict FROM stipa.grant_tokens(clock_timestamp(),
		'{1}', ARRAY[sha256('client-2')], '{\"\"}', '{\"\"}', '{\"\"}', '{0}', '{0}',
		ARRAY[sha256('t')], ARRAY['\x00000000000000000000ffff7f000001'::bytea], '{r}')" \
	    -c "SELECT verdict FROM order_tokens('{2}', '{sp-2}', '{1002}', tokens => '{t}')" \
	    -c "SELECT hit FROM stipa.report_secrets(ARRAY[sha256('client-2')], '{NULL}', '{r}',
		'{NULL}')" | tr '\n' ' ')" = "0 0 f " ]
}

the_next_month_has_its_columns()
{
	sql -c "SET timezone = 'UTC'" -c "DO \$\$ BEGIN EXECUTE
		'DROP TABLE stipa.' || stipa.token_partition(
			date_trunc('month', now()) + interval '3 months'); END \$\$"
	[ "$(sql -U stipa_authority -c "SELECT stipa.token_partitions_extend()")" = 1 ]
}

start_postgres
run_step "A database is made by the first five migrations" the_first_five
run_step "It has accounts, tokens and refusals" data_of_then
run_step "The migrations since then run" the_rest
run_step "What was written is as it was" nothing_has_changed
run_step "The program of then cannot issue" the_old_call_is_gone
run_step "Rights are as they were" rights_are_as_they_were
run_step "A secret of then is good for an access token" secrets_of_then_are_good
run_step "The audit chain goes on" the_chain_goes_on
run_step "The ledger's next partition is made" the_next_month_has_its_columns
