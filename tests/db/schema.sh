#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# db/schema.sql is what the migrations make.  With --update, write it: make schema.
# shellcheck disable=SC2154
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

# Without the months' partitions and the runner's own schema: they are no part of a migration.
dump_schema()
{
	echo "-- What the migrations make, as pg_dump says it: to read and to review.  make schema"
	"$bin/pg_dump" --schema-only --exclude-table='stipa.token_2*' \
		--exclude-schema=stipa_migration |
		sed -E '/^(--|\\(un)?restrict|SET |SELECT pg_catalog.set_config)/d' | cat -s
}

schema_is_as_committed()
{
	diff -u "$srcdir/db/schema.sql" "$dir/schema.sql" && return
	echo "  db/schema.sql is not what db/migrations makes: run 'make schema', review, commit"
	return 1
}

version_is_the_last_migration()
{
	# shellcheck disable=SC2012
	last=$(ls "$srcdir"/db/migrations | sed -n '$s/^0*\([0-9]*\)_.*/\1/p')
	[ "$(sql -c 'SELECT stipa.schema_version()')" = "$last" ]
}

# Numbers without a gap, so that no two branches bring the same one.
numbers_have_no_gap()
{
	number=0
	for migration in "$srcdir"/db/migrations/*.sql; do
		number=$((number + 1))
		case $(basename "$migration") in
		"$(printf %04d $number)"_[a-z]*.sql) ;;
		*) fail "$migration is not number $number" ;;
		esac
	done
}

# The numbers pass between SQL and C, and stay in the tables.
verdicts_are_those_of_the_header()
{
	sed -n 's/^\tVERDICT_\([A-Z_]*\)[ ,].*/\1/p' "$srcdir/include/ipc/order.h" |
		grep -v '^COUNT$' | tr '[:upper:]' '[:lower:]' >"$dir/header"
	sql -c "SELECT stipa.verdict_name(i::int2) FROM generate_series(0, 31) AS i" |
		sed '/^$/d' | diff "$dir/header" -
}

roles_twice()
{
	PGOPTIONS="-c client_min_messages=warning" sql -f "$srcdir/db/roles.sql"
}

start_postgres
run_step "The migrations run as the owner" migrate
dump_schema >"$dir/schema.sql"
if [ "${1-}" = --update ]; then
	cp "$dir/schema.sql" "$srcdir/db/schema.sql"
	exit
fi
run_step "Migrations are numbered without a gap" numbers_have_no_gap
run_step "schema_version() is the number of the last migration" version_is_the_last_migration
run_step "schema.sql is what the migrations make" schema_is_as_committed
run_step "verdict_name() has the names of ipc/order.h" verdicts_are_those_of_the_header
run_step "The roles can be made again" roles_twice
