#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The SQL tests: each file of tests/db/pgtap is one transaction that is undone at its end.
# shellcheck disable=SC2154
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

install_pgtap()
{
	sql -c "CREATE EXTENSION pgtap SCHEMA public" ||
		fail "pgTAP is missing: install postgresql-15-pgtap"
	sql -f "$srcdir/tests/db/outcome.sql"
}

# Good is: psql ended well, a plan was printed and kept, and no line is "not ok".
run_file()
{
	psql -XqAt -v ON_ERROR_STOP=1 -f "$1" >"$dir/tap" 2>&1
	result=$?
	planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$dir/tap")
	passed=$(grep -c '^ok ' "$dir/tap")
	echo "  $passed of ${planned:-?} assertions"
	[ $result = 0 ] && [ -n "$planned" ] && [ "$passed" = "$planned" ] &&
		! grep -q '^not ok' "$dir/tap" && return
	grep -v '^ok ' "$dir/tap"
	return 1
}

start_postgres
run_step "The migrations run" migrate
run_step "The accounts are made" seed
run_step "pgTAP is there" install_pgtap
for file in "$srcdir"/tests/db/pgtap/*.sql; do
	run_step "$(basename "$file" .sql)" run_file "$file"
done
