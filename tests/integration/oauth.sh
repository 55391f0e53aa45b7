#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Access tokens against a real server with the real schema.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

start_postgres
run_step "The migrations run" migrate
run_step "The accounts are made" seed
TEST_PGCONN="host=$dir dbname=stipa"
export TEST_PGCONN

run_step "Access tokens are granted to whom they belong, and end when they should" \
	tests/integration/test_oauth
