#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The race: rights are taken away while tokens stream over HTTPS from several connections and two
# nodes.  After the acknowledgement no ledger row follows.  The control, the same function with
# its lock inside the statement, must show rows that do.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

subjects=6  # for each of the five rights

# Each subject is an account of its own with the SPC 1000 + N; ca: only the delegation's.
make_subjects()
{
	for i in $(seq 1 "$((subjects * 5))"); do
		spc=$((1000 + i))
		make_account "$i" "$spc" || return 1
		case $((i % 5)) in
		3)
			ctl delegation grant "sp-$i" "$spc" --sca "Test SCA" --cps-version 1 \
				--evidence test --until 30d --reason test >/dev/null || return 1
			ca=true ;;
		*)
			ca=false ;;
		esac
		echo "sp-$i client-$i $dir/secret-$i $spc $ca"
	done >"$dir/jobs"
}

# Take the right of subject $1 away; which one its number says.
take()
{
	case $(($1 % 5)) in
	0) ctl account suspend "sp-$1" --reason test ;;
	1) ctl spc withdraw "sp-$1" "$((1000 + $1))" --reason test ;;
	2) ctl client disable "client-$1" --reason test ;;
	3) ctl delegation withdraw "$(ctl --json delegation list --account "sp-$1" |
		jq -r '.[0].id')" --reason test ;;
	4) ctl client rotate "client-$1" --expires 30d --reason test \
		--secret-file "$dir/new-secret-$1" ;;
	esac >"$dir/take.out" 2>&1 || { cat "$dir/take.out"; return 1; }
}

give_back()
{
	for i in $(seq 1 "$((subjects * 5))"); do
		case $((i % 5)) in
		0) ctl account reinstate "sp-$i" --reason test ;;
		1) ctl spc assign "sp-$i" "$((1000 + i))" --reason test ;;
		2) ctl client enable "client-$i" --reason test ;;
		3) ctl delegation grant "sp-$i" "$((1000 + i))" --sca "Test SCA" --cps-version 1 \
			--evidence test --until 30d --reason test ;;
		4) mv "$dir/new-secret-$i" "$dir/secret-$i" ;;
		esac >"$dir/give.out" 2>&1 || { cat "$dir/give.out"; return 1; }
	done
}

rows_of()
{
	sql -c "SELECT count(*) FROM stipa.token WHERE spc = '$((1000 + $1))'"
}

# Ledger rows of subject $1 that do not belong: those that came after $2 rows had been counted
# behind the acknowledgement, or were issued after the moment $3 at which the right had ended.
late_rows_of()
{
	sql -c "SELECT greatest(count(*) - $2, count(*) FILTER (WHERE issued_at > '$3'))
		FROM stipa.token WHERE spc = '$((1000 + $1))'"
}

# In this run, whatever the ledger has of the one before.
every_subject_has_tokens()
{
	[ "$(grep '"status": 200' "$1" | grep -o '"account": "[^"]*"' | sort -u | wc -l)" = \
		$((subjects * 5)) ]
}

# Print how many rows are late.  While the last subjects lose their rights the streams of the
# first go on asking.
stream_and_take()
{
	rm -f "$dir/stop" "$dir/seen"
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/$1.log" --jobs "$dir/jobs" --until "$dir/stop" --seconds 600 \
		"$port_a" "$port_b" >&2 &  # who reads what we print does not wait for it
	client=$!
	wait_for every_subject_has_tokens "$dir/$1.log" >&2 || return 1
	for i in $(seq 1 "$((subjects * 5))"); do
		before=$(rows_of "$i")
		take "$i" || return 1
		ended=$(sql -c "SELECT max(at) FROM stipa.audit_event")
		echo "$i $before $(rows_of "$i") $ended" >>"$dir/seen"
	done
	sleep 1
	: >"$dir/stop"
	wait "$client" || return 1
	late=0
	while read -r i before seen ended; do
		[ "$before" -gt 0 ] || fail "no token for subject $i before its right was taken"
		late=$((late + $(late_rows_of "$i" "$seen" "$ended")))
	done <"$dir/seen"
	echo "$late"
}

none_is_late()
{
	late=$(stream_and_take race) || { echo "$late"; return 1; }
	tokens=$(grep -c '"status": 200' "$dir/race.log")
	echo "  late rows: $late; $tokens tokens," \
		"$(grep -c '"status": 403' "$dir/race.log") refused"
	[ "$late" = 0 ]
}

the_whole_ledger_is_consistent()
{
	ledger_is_consistent "$dir/race.log"
}

# The checker has the control's rows before it, and the audit's word on when each right had ended.
the_checker_finds_the_late_rows()
{
	"$STIPA_PYTHON" "$srcdir/tools/stipa-ledger-check" --json --show 0 \
		--database "host=$PGHOST dbname=stipa user=stipa_auditor" >"$dir/findings"
	[ $? = 1 ] || { cat "$dir/findings"; return 1; }
	jq -r '.findings | to_entries[] | "  \(.key): \(.value)"' "$dir/findings"
	[ "$(jq '.findings | add' "$dir/findings")" -gt 0 ] &&
	jq -e '.findings | keys - ["account-not-active", "client-disabled", "credential-revoked",
		"no-delegation", "spc-not-held"] == []' "$dir/findings" >/dev/null
}

the_invariant()
{
	echo "I4 holds: $((subjects * 5)) rights taken while two nodes issued $tokens tokens," \
		"no ledger row follows | control: $late rows with the lock inside the statement"
}

only_200_and_403()
{
	lost_in "$dir/race.log" >"$dir/lost" && ! grep -v '"status": 403' "$dir/lost" | head -3 | grep .
}

# The lock moves into the one statement, whose snapshot is older than the wait for it.
make_control()
{
	sql <<-'SQL'
		DO $do$
		DECLARE
			source text := pg_get_functiondef('stipa.issue_tokens'::regproc);
			control text := replace(replace(source,
				'PERFORM pg_advisory_xact_lock_shared(rights_lock());', ''),
				'SELECT clock_timestamp() AS now',
				'SELECT clock_timestamp() AS now FROM (SELECT '
				'pg_advisory_xact_lock_shared(rights_lock())) AS held');
		BEGIN
			ASSERT control NOT LIKE '%PERFORM pg_advisory_xact_lock_shared%'
				AND control LIKE '%AS now FROM (SELECT pg_advisory%';
			EXECUTE control;
		END $do$;
	SQL
}

# Of thirty that are taken some are late, unless the streams have little of the machine.
control_is_late()
{
	for try in 1 2 3; do
		give_back || return 1
		late=$(stream_and_take "control-$try") || { echo "$late"; return 1; }
		echo "  late rows of the control: $late"
		[ "$late" = 0 ] || return 0
	done
	return 1
}

# A commit takes 20 ms, as on a slow disk: whoever takes a right holds its lock for that long, and
# batches wait for it.  Without that the control would need luck.
start_postgres fsync=on commit_delay=20000 commit_siblings=0
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Thirty subjects are made" make_subjects
run_step "Node a is ready" start_node a "$port_a"
run_step "Node b is ready" start_node b "$port_b"
run_step "No ledger row follows an acknowledged taking" none_is_late
run_step "Every other answer was 403" only_200_and_403
run_step "The whole ledger is consistent" the_whole_ledger_is_consistent
run_step "The control is made" make_control
run_step "With the lock inside the statement, rows do follow" control_is_late
run_step "The ledger checker finds them too" the_checker_finds_the_late_rows
run_step "The invariant" the_invariant
run_step "Node a drains" stop_node a
run_step "Node b drains" stop_node b
