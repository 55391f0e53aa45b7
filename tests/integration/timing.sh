#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by start_node
# I7: foreign and absent accounts look the same, and so do known and unknown API users, in bytes and
# in time.  Thousands of requests over one connection, the kinds in random order, judged by their
# medians (within 5 %, and what the draw itself may err) and by ranks; a leak that is
# planted in the database, and a hash that costs twice as much, must be told apart by the same judge.
#
# STIPA_TIMING: how many times the requests of the short run; "make check-timing-long" has 10.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

: "${STIPA_TIMING:=1}"

# Known: a password of ours, a chosen one, and one that another system has hashed at a higher cost.
make_users()
{
	user_of client-a user-ours &&
	sql -c "SELECT stipa.api_user_add('test', 'test', 'client-a', 'user-mine', NULL,
		'\$argon2id\$v=19\$m=19456,t=2,p=1\$c3RpcGEtdGVzdC1zYWx0IQ\$1RjZvl4mjKV2ebokIt9Ytv5KOljxaE7EQfML5adw9qE'),
		stipa.api_user_add('test', 'test', 'client-a', 'user-slow', NULL,
		'\$argon2id\$v=19\$m=19456,t=4,p=1\$c3RpcGEtdGVzdC1zYWx0IQ\$1RjZvl4mjKV2ebokIt9Ytv5KOljxaE7EQfML5adw9qE')"
}

make_world()
{
	make_account a 1234 && make_account b 5678 && make_users >/dev/null
}

# compare SUBJECT
compare()
{
	"$STIPA_PYTHON" -B "$srcdir/tests/integration/timing.py" "$dir" "$port_a" "$1" \
		"$STIPA_TIMING"
}

# The judgement of sp-b takes twice as long, however busy the machine is.
plant_leak()
{
	sql <<-'SQL'
		SET search_path = stipa, public;
		ALTER FUNCTION issue_tokens RENAME TO issue_tokens_alike;
		SELECT format($f$
			CREATE FUNCTION stipa.issue_tokens(%s) RETURNS %s LANGUAGE plpgsql AS $g$
			DECLARE
				begun timestamptz := clock_timestamp();
				took interval;
			BEGIN
				RETURN QUERY SELECT * FROM stipa.issue_tokens_alike(%s);
				took := clock_timestamp() - begun;
				WHILE 'sp-b' = ANY ($4) AND clock_timestamp() < begun + 2 * took LOOP
				END LOOP;
			END $g$ $f$, pg_get_function_arguments(oid), pg_get_function_result(oid),
			(SELECT string_agg('$' || i, ',' ORDER BY i)
			 FROM generate_series(1, pronargs) AS i))
		FROM pg_proc WHERE proname = 'issue_tokens_alike' \gexec
		GRANT EXECUTE ON FUNCTION issue_tokens TO stipa_authority;
	SQL
}

# It has prepared its statement.
start_again()
{
	stop_node a && start_node a "$port_a"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Two accounts and three users" make_world
run_step "A node is ready" start_node a "$port_a"
passwords_are_verified_at_once "$pid_a"
run_step "I7: foreign and absent accounts are alike in bytes and in time" compare accounts
run_step "I7: known and unknown users of generated passwords are alike" compare logins
run_step "I7: known and unknown users of chosen passwords are alike; control: a slower hash is not" \
	compare passwords
run_step "Control: a leak is planted" plant_leak
run_step "A node is ready" start_again
run_step "Control: the leak is found" compare leak
echo "I7 holds: foreign and absent accounts, known and unknown users are alike in bytes and time" \
	"(median $(cat "$dir/median-accounts") us) | control: a planted leak and a slower hash are" \
	"told apart"
run_step "The node drains" stop_node a
