#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2086,SC2154  # pid_a is stop_node's, $shimmed is several words
# The clocks of the database and of a node pass the end of a month while a client asks: the ledger
# goes on in its next partition and no request notices.  When less than a month of partitions is
# left the node says so, and what to do, before any request would fail.
#
# STIPA_MONTHS sets how many months end, one after the other (1; "make check-month-long" takes 14).
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/integration/faults.sh"

: "${STIPA_MONTHS:=1}"

# The end of this month may be as long ahead as most credentials of tests live.
make_account()
{
	ctl account add "sp-$1" --organisation "org-$1" --verified-until 900d >/dev/null &&
	ctl account approve "sp-$1" --reason test --evidence test --verified-until 900d >/dev/null &&
	ctl spc assign "sp-$1" "$2" --reason test >/dev/null &&
	ctl client add "sp-$1" "client-$1" --expires 900d --secret-file "$dir/secret-$1" >/dev/null
}

# turn_to SECONDS [N]: the clocks, to so long before the end of the Nth month from now on (UTC).
turn_to()
{
	end=$(date -ud "$(date -u +%Y-%m-01) +${2:-1} month" +%s)
	shim_set clock "$((end - $1 - $(date +%s)))000000"
}

# An hour before it, so that what is made is of the old month.
database_with_that_clock()
{
	turn_to 3600 && database_stop &&
	as_postgres env $shimmed "$bin/pg_ctl" -D "$dir/data" -o "$options" -l "$dir/log" -w start \
		>/dev/null &&
	[ "$(psql -XqAt -c "SELECT date_trunc('month', now() AT TIME ZONE 'UTC')
		<> date_trunc('month', (now() + interval '61 min') AT TIME ZONE 'UTC')")" = t ]
}

a_node_with_that_clock()
{
	node_conf a "$port_a" || return 1
	env $shimmed ./stipad --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $!"
	wait_ready a
}

months()
{
	sql -c "SELECT count(DISTINCT tableoid), count(*) FROM stipa.token" | tr '|' ' '
}

# received_after MOMENT
received_after()
{
	tail -n 50 "$stream_log" | "$STIPA_PYTHON" -c "import json, sys
for line in sys.stdin:
    try: line = json.loads(line)
    except ValueError: continue
    if line['status'] == 200 and line['asked'] > $1: sys.exit(0)
sys.exit(1)"
}

# a_month_ends N: the Nth.
a_month_ends()
{
	turn_to 15 "$1"  # both at once, while nobody asks
	turned=$(date +%s)
	ctl db partitions >/dev/null && asks_until 200 "$port_a" >/dev/null || return 1
	stream "month-$1" --per-job 2 --pause 0.005 "$port_a"
	wait_for received_after $((turned + 18)) && stream_end || return 1
	echo "  $(date -ud "@$end" +%F): $(statuses "$stream_log")"
	lost_in "$stream_log" >"$dir/lost" && ! head -3 "$dir/lost" | grep .
}

months_end()
{
	for month in $(seq "$STIPA_MONTHS"); do
		a_month_ends "$month" || return 1
	done
	stream_log=$dir/month.all
	cat "$dir"/month-*.client >"$stream_log" && print_ledger
}

it_goes_on_in_the_next_partition()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/check_log.py" "$stream_log" "$dir/ledger" &&
	[ "$(months | cut -d' ' -f1)" = $((STIPA_MONTHS + 1)) ] &&
	# without a pause at the boundary: what a client waited for longest
	longest=$("$STIPA_PYTHON" -c "import json
print(round(max(line['at'] - line['asked'] for line in map(json.loads, open('$stream_log'))), 2))")
}

# As if nobody had made any for months: the ledger ends with this month.
months_ahead_are_gone()
{
	sql -c "DO \$\$ DECLARE part text; BEGIN
		FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits
			WHERE inhparent = 'stipa.token'::regclass
			ORDER BY 1 DESC LIMIT 2
		LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; END \$\$"
}

# The control too: the same requests do notice a ledger that does not go on.
it_says_that_the_ledger_ends()
{
	months_ahead_are_gone && asks_until 503 "$port_a" >/dev/null && is_503_with_retry_after &&
	wait_for says_not_ready a \
		"partitions end within a month: token_partitions_extend() makes more" &&
	env $shimmed ./stipactl --config "$dir/stipactl.conf" --json doctor "$dir/a.conf" \
		2>/dev/null |
		jq -e '.[] | select(.check == "issuing") | .found | test("end within a month")' \
		>/dev/null
}

the_way_on_leads_on()
{
	ctl db partitions >/dev/null && back=$(asks_until 200 "$port_a")
}

start_postgres
trap stop_all EXIT
run_step "The clocks can be turned" shim_made
run_step "The database is an hour before a month's end" database_with_that_clock
run_step "The authority is made" make_authority
run_step "Accounts are made" make_accounts 3
run_step "A node is ready at that time" a_node_with_that_clock
run_step "A month ends, and no request notices" months_end
run_step "The ledger goes on in its next partition" it_goes_on_in_the_next_partition
run_step "With less than a month left it says so, and does not issue" it_says_that_the_ledger_ends
run_step "What it says to do leads on" the_way_on_leads_on
echo "I9 holds: over the ends of $STIPA_MONTHS months $(statuses "$stream_log"), the longest $longest s | control: with" \
	"the months ahead dropped the same request was told 503, until stipactl made them ($back s)"
run_step "The node drains" stop_node a
