#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A node forgets refusals when their time is over, in steps, while it issues.
# shellcheck disable=SC2154
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

# Old ones for three steps, and some that are still of interest.
old_refusals_are_there()
{
	make_account one 1001 && sql <<-'SQL'
		INSERT INTO stipa.token_refusal (refused_at, client_id, account, spc, verdict,
			defect, request_id, peer)
		SELECT now() - age - i * interval '1 min', 1, 'sp-one', '1001', 10, 0, 'old',
			decode(repeat('00', 16), 'hex')
		FROM generate_series(1, 1500) AS i, (VALUES (interval '13 months'),
			(interval '12 months')) AS v (age);
		INSERT INTO stipa.refusal_minute (minute, backend, client_id, verdict, defect,
			refused)
		SELECT date_trunc('minute', now() - age) - i * interval '1 min', 1, 0, 1, 0, 7
		FROM generate_series(1, 1200) AS i, (VALUES (interval '13 months'),
			(interval '12 months')) AS v (age);
	SQL
}

left_over()
{
	sql -c "SELECT (SELECT count(*) FROM stipa.token_refusal) || ' '
		|| (SELECT count(*) FROM stipa.refusal_minute)"
}

only_the_young_are_left()
{
	[ "$(left_over)" = "1500 1200" ]
}

they_go()
{
	wait_for only_the_young_are_left || { echo "  left: $(left_over)"; return 1; }
}

# A thousand, a thousand, and the rest, each told in a line.
each_step_is_told()
{
	[ "$(grep -o '"old refusals have been forgotten","rows":[0-9]*' "$dir/a.log" |
		sed 's/.*://' | tr '\n' ' ')" = "1000 1000 700 " ]
}

it_issues()
{
	curl -sf -m 20 --retry 5 --cacert "$dir/tls/ca.pem" -u "client-one:$(cat "$dir/secret-one")" \
		-H "Content-Type: application/json" -d "$(body 1001)" \
		"https://127.0.0.1:$port_a/account/sp-one/token" | grep -q '"token"'
}

start_postgres
trap stop_all EXIT
run_step "An authority is made" make_authority
run_step "There are refusals of two years" old_refusals_are_there
run_step "A node starts" start_node a "$port_a"
run_step "What is older than thirteen months goes, and nothing else" they_go
run_step "Each step is told" each_step_is_told
run_step "The node issues" it_issues
