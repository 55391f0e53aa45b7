#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The issuer against a real server with the real schema.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

start_postgres
run_step "The migrations run" migrate
run_step "The accounts are made" seed
TEST_PGCONN="host=$dir dbname=stipa"
export TEST_PGCONN

run_step "No order is lost, none is answered twice, every token is in the ledger" \
	tests/integration/test_issuer
