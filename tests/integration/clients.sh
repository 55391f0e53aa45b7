#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shapes of clients that are deployed against STI-PAs are content with us, and each row of what
# they insist on holds.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

every_row()
{
	PYTHONDONTWRITEBYTECODE=1 "$STIPA_PYTHON" "$srcdir/tests/clients/variations.py" \
		--ca "$dir/tls/ca.pem" --crl "$crl" --account "$1" --tkvalue "$(tkvalue 1234)" \
		--user demo-user --password-file "$dir/secret-demo-user" "$port_a"
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "An API user" quietly make_demo
crl=https://127.0.0.1:$port_a/download/v1/crl
run_step "A node is ready" start_node a "$port_a"
run_step "Each row of the table" every_row sp-demo
run_step "The same, with the SPC in the path" every_row 1234
run_step "The node drains" stop_node a
