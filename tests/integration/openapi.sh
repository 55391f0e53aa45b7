#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# openapi.yaml is OpenAPI 3.1, says what the code says, and every example of it comes out so on a
# node: one that is open, one with strict policy, one with low limits, one without its database.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

make_world()
{
	make_demo &&
	for kind in suspended lapsed; do
		account_with "sp-$kind" "$([ "$kind" = lapsed ] && echo 7001 || echo 7000)" &&
		client_of "sp-$kind" "$kind-kms" || return 1
	done &&
	ctl account suspend sp-suspended --reason test &&
	account_with sp-lapsed-spc 7002 && client_of sp-lapsed-spc lapsed-spc-kms &&
	client_of sp-demo elsewhere-kms &&
	sql -c "SELECT stipa.client_allow('test', 'test', 'elsewhere-kms', '{192.0.2.0/24}')" &&
	client_of sp-demo pinned-kms &&
	sql -c "SELECT stipa.client_pin('test', 'test', 'pinned-kms',
		ARRAY[sha256('another key'::bytea)])" &&
	sql -c "UPDATE stipa.account SET verified_until = now() - interval '1 s'
		WHERE name = 'sp-lapsed'" &&
	sql -c "UPDATE stipa.spc_assignment SET verified_until = now() - interval '1 s'
		WHERE spc = '7002'"
}

# examples_node NAME: a node that says the URLs of the examples.
examples_node()
{
	port_of_world=$(free_port)
	[ "$1" != open ] || port_of_world=$port_a
	node_conf "$1" "$port_of_world" &&
	sed -i "/^crl_url/s|https://127.0.0.1:[0-9]*|https://sti-pa.example|" "$dir/$1.conf"
}

start_world()
{
	start_node "$1" "$port_of_world"
}

every_example()
{
	PYTHONDONTWRITEBYTECODE=1 "$STIPA_PYTHON" "$srcdir/tests/api/openapi_live.py" \
		--document "$srcdir/openapi.yaml" --ca "$dir/tls/ca.pem" --secrets "$dir" \
		--kid "$kid" --done "$dir/done" "$@" "$port_of_world"
}

# form_2017 BOOL
form_2017()
{
	sql -c "SELECT stipa.policy_set('test', 'test', interval '1 d', 0::int2, NULL, $1, NULL)" \
		>/dev/null
}

open_world()
{
	form_2017 true && examples_node open && start_world open && every_example --world open && stop_node open
}

strict_world()
{
	form_2017 false && examples_node strict && start_world strict && every_example --world strict &&
	stop_node strict
}

limited_world()
{
	examples_node limited &&
	with_limits limited 'requests_per_address_s = 1' 'requests_per_address_burst = 1' &&
	start_world limited && every_example --world limited && stop_node limited
}

down_world()
{
	examples_node down && start_world down &&
	as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null &&
	every_example --world down && stop_node down
}

start_postgres
trap stop_all EXIT
need_node_packages
run_step "It is OpenAPI 3.1" run_node openapi_valid.mjs "$(cd "$srcdir" && pwd)/openapi.yaml"
run_step "It says what the code says" "$STIPA_PYTHON" -B "$srcdir/tests/api/openapi_check.py" \
	"$srcdir"
run_step "The authority is made" make_authority
run_step "The accounts and clients of the examples" quietly make_world
run_step "Every example on a node" open_world
run_step "Those for a strict policy" strict_world
run_step "Those for low limits" limited_world
run_step "Those without a database" down_world
run_step "None was left out" every_example --complete
