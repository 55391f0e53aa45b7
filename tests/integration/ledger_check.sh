#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The ledger checker: a busy service, whose rights come and go, has a ledger in which it finds
# nothing; and each thing that it looks for is found when it is forged.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

check="$srcdir/tools/stipa-ledger-check"

quietly()
{
	"$@" >"$dir/quiet" 2>&1 || { echo "$*"; tail -5 "$dir/quiet"; return 1; }
}

delegate()
{
	ctl delegation grant "$1" "$2" --sca "Test SCA" --cps-version 1 --evidence test \
		--until 30d --reason test
}

# sp-1 … sp-5 with the SPCs 1001 … 1005 and a stream each; the delegated ones ask for ca.
make_world()
{
	for i in 1 2 3 4 5; do
		make_account "$i" "100$i" || return 1
		case $i in
		3 | 4) delegate "sp-$i" "100$i" && ca=true ;;
		*) ca=false ;;
		esac || return 1
		echo "sp-$i client-$i $dir/secret-$i 100$i $ca" >>"$dir/jobs"
	done &&
	openssl ecparam -name prime256v1 -genkey -noout |
		openssl pkcs8 -topk8 -nocrypt -out "$dir/key.pem" &&
	openssl pkey -in "$dir/key.pem" -pubout -out "$dir/key.pub" &&
	ctl client key add client-5 "$dir/key.pub" --kid key-1 --expires 30d --reason test &&
	ctl api-user add client-5 user-made --secret-file "$dir/secret-user-made" &&
	echo "a chosen password of eight words" >"$dir/chosen" && chmod 600 "$dir/chosen" &&
	ctl api-user add client-5 user-chosen --password-file "$dir/chosen"
}

# Each comes back, so that rows stand before, between and after.
take_and_give()
{
	ctl account suspend sp-1 --reason test && ctl account reinstate sp-1 --reason test &&
	ctl spc withdraw sp-2 1002 --reason test && ctl spc assign sp-2 1002 --reason test &&
	ctl delegation withdraw "$(ctl --json delegation list --account sp-3 |
		jq -r '[.[] | select(.state == "in force")][0].id')" --reason test &&
	ctl delegation grant sp-3 1003 --sca "Test SCA" --cps-version 2 --evidence test \
		--until 30d --clients client-3 --reason test &&
	ctl client disable client-4 --reason test && ctl client enable client-4 --reason test &&
	ctl client rotate client-1 --keep-old-until 1h --secret-file "$dir/new-1" --reason test &&
	ctl account verify sp-2 --verified-until 10d --evidence test --reason test &&
	ctl account token-life sp-2 36h --reason test &&
	ctl client allow client-4 192.0.2.0/24,127.0.0.0/8 --reason test &&
	ctl client scopes client-2 spc-token --reason test
}

narrow_and_widen()
{
	ctl spc verify sp-4 1004 --verified-until 2020-01-01 --evidence test --reason test &&
	ctl spc verify sp-4 1004 --evidence test --reason test &&
	ctl client pin client-3 "SHA256 5A$(printf ":5A%.0s" $(seq 31))" --reason test &&
	ctl spc transfer 1002 --to sp-1 --evidence test --reason test &&
	ctl spc transfer 1002 --to sp-2 --evidence test --reason test &&
	ctl policy set --claims iss,iat,nbf --issuer sti-pa.example --token-life 12h --reason test &&
	ctl policy set --form-2017 off --reason test && sleep 0.3 &&
	ctl policy set --claims iat --form-2017 on --reason test &&
	ctl client rotate client-2 --secret-file "$dir/new-2" --reason test
}

other_credentials()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/ledger_faces.py" "$srcdir/tests/api" "$dir" \
		"$port_a" "$dir/faces.log"
}

end_other_credentials()
{
	ctl client key remove client-5 key-1 --reason test &&
	ctl api-user rotate user-made --secret-file "$dir/secret-user-made2" --reason test &&
	mv "$dir/secret-user-made2" "$dir/secret-user-made" &&
	ctl api-user disable user-chosen --reason test
}

be_busy()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$dir/stream.log" --jobs "$dir/jobs" --until "$dir/stop" --seconds 60 \
		--pause 0.02 "$port_a" &
	client=$!
	sleep 1
	other_credentials && quietly take_and_give && quietly narrow_and_widen &&
	other_credentials && quietly end_other_credentials && other_credentials
	did=$?
	: >"$dir/stop"
	wait "$client" && [ "$did" = 0 ] && busy_enough
}

# Without refusals between the tokens nothing would have been tried.
busy_enough()
{
	for status in 200 403; do
		grep -q "\"status\": $status" "$dir/stream.log" || { echo "no $status"; return 1; }
	done
}

nothing_is_found()
{
	ledger_is_consistent "$dir/stream.log" "$dir/faces.log" || return 1
	sum=$(sed -n 's/^ledger rows judged: //p' "$dir/ledger-check")
	kinds=$(sed -n 's/^rights taken: //p' "$dir/ledger-check" | tr ',' '\n' | wc -l)
}

# What an auditor takes along says the same as the database.
an_export_says_the_same()
{
	"$STIPA_PYTHON" "$check" --database "host=$PGHOST dbname=stipa user=stipa_auditor" \
		--export "$dir/export" &&
	"$STIPA_PYTHON" "$check" --from "$dir/export" --received "$dir/stream.log" \
		--received "$dir/faces.log" >"$dir/again" &&
	cmp "$dir/again" "$dir/ledger-check"
}

# status WANTED ARGUMENT...
status()
{
	wanted=$1
	shift
	"$STIPA_PYTHON" "$check" "$@" >"$dir/out" 2>&1
	got=$?
	[ "$got" = "$wanted" ] || { echo "$*: $got, not $wanted"; tail -3 "$dir/out"; return 1; }
}

what_cannot_run_says_so()
{
	head -c 20000 "$dir/export" >"$dir/cut" && sed '$d' "$dir/export" >"$dir/short" &&
	status 2 --from "$dir/cut" && status 2 --from "$dir/short" &&
	status 2 --from "$dir/absent" && status 2 --database "host=$dir dbname=absent" &&
	status 2 --from "$dir/export" --received "$dir/absent" &&
	status 2 --database "host=$PGHOST dbname=stipa user=stipa_authority" &&
	status 2 --from "$dir/export" --audit-head nonsense &&
	status 1 --from "$dir/export" --audit-head "1:$(printf '%064d' 0)" &&
	status 0 --from "$dir/export" &&
	"$STIPA_PYTHON" "$check" --from "$dir/export" --json | jq -e '.consistent' >/dev/null
}

codecs_are_right()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/ledger_codec.py" "$srcdir/tools" \
		"$srcdir/tests/data"
}

# Each act of a migration has its place in the checker's table.
every_act_is_known()
{
	tr '\n' ' ' <"$dir/migrations" | grep -oE "audit\((now|at), *('report', *|actor, *)?'[a-z_]+'" |
		sed "s/.*'\(.*\)'/\1/" | grep -vx report | sort -u >"$dir/acts" &&
	[ "$(wc -l <"$dir/acts")" -gt 30 ] || return 1
	(cd "$srcdir/tools" && "$STIPA_PYTHON" -B -c "from stipa_ledger.history import ACTS
print(*ACTS, sep='\n')") | sort | comm -13 - "$dir/acts" | grep . && return 1
	return 0
}

every_forgery_is_found()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/ledger_forgeries.py" "$srcdir/tools" "$dir" \
		"$dir/stream.log" "$dir/faces.log" >"$dir/forgeries" ||
		{ cat "$dir/forgeries"; return 1; }
	sed 's/^/  /' "$dir/forgeries"
	forged=$(grep -c '^found ' "$dir/forgeries")
}

the_invariants()
{
	echo "I4 holds: rights of $kinds kinds were taken, of $sum rows none stands behind" \
		"a taking | control: $(grep -c 'a token behind\|ca behind' "$dir/forgeries")" \
		"rows forged behind a taking are found"
	echo "I5 holds: $sum rows, no jti twice, each of its row's time | control:" \
		"$(grep -c '^found jti-' "$dir/forgeries") forged jtis found"
	echo "I6 holds: all of $sum rows judged anew, 0 findings | control:" \
		"each of $forged forgeries found by name"
}

start_postgres fsync=off
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Its DER, its JSON and its calendar are right" codecs_are_right
run_step "Five accounts" quietly make_world
run_step "A node is ready" start_node a "$port_a"
passwords_are_verified_at_once "$pid_a"
run_step "Rights come and go while tokens stream" be_busy
run_step "The node drains" stop_node a
run_step "Nothing is found in its ledger" nothing_is_found
run_step "An export says the same" an_export_says_the_same
run_step "What cannot run says so" what_cannot_run_says_so
cat "$srcdir"/db/migrations/*.sql >"$dir/migrations"
run_step "Every act of the migrations is known to it" every_act_is_known
run_step "Every forgery is found, by name" every_forgery_is_found
run_step "The invariants" the_invariants
